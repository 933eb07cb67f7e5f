/* Columns of the row a statement stands on: see db.h. */
#include "store/driver.h"

#include <limits.h>
#include <string.h>

static void *handle_of(const struct stmt *st)
{
    const struct db_slot *slot = st->handle;

    return slot != NULL ? slot->handle : NULL;
}

bool stmt_null(const struct stmt *st)
{
    return st->db->driver->is_null(handle_of(st), st->next_column);
}

int64_t stmt_i64(struct stmt *st)
{
    return st->db->driver->i64(handle_of(st), st->next_column++);
}

uint64_t stmt_u64(struct stmt *st)
{
    int64_t v = stmt_i64(st);

    if (v < 0)
        st->failed = true;
    return v < 0 ? 0 : (uint64_t)v;
}

int stmt_enum(struct stmt *st, int least, int most)
{
    int64_t v = stmt_i64(st);

    if (v >= least && v <= most)
        return (int)v;
    st->failed = true;
    return least;
}

int stmt_int(struct stmt *st)
{
    return stmt_enum(st, INT_MIN, INT_MAX);
}

void stmt_text(struct stmt *st, char *text, size_t size)
{
    const char *value = st->db->driver->text(handle_of(st), st->next_column++);
    size_t len = value != NULL ? strnlen(value, size - 1) : 0;

    if (len > 0)
        memcpy(text, value, len);
    text[len] = '\0';
}

void stmt_blob(struct stmt *st, const void **bytes, size_t *len)
{
    st->db->driver->blob(handle_of(st), st->next_column++, bytes, len);
}

const char *stmt_text_borrow(struct stmt *st)
{
    return st->db->driver->text(handle_of(st), st->next_column++);
}

void stmt_bytes(struct stmt *st, void *bytes, size_t len)
{
    bool null = stmt_null(st);
    const void *from;
    size_t got;

    stmt_blob(st, &from, &got);
    if (got == len) {
        memcpy(bytes, from, len);
        return;
    }
    if (!null)
        st->failed = true;
    memset(bytes, 0, len);
}

void stmt_buf(struct stmt *st, struct buf *buf)
{
    const void *from;
    size_t len;

    stmt_blob(st, &from, &len);
    if (len > 0 && !buf_add(buf, from, len))
        st->failed = true;
}

struct hash stmt_hash(struct stmt *st)           { struct hash v;      stmt_bytes(st, v.b, sizeof v.b); return v; }
struct address stmt_address(struct stmt *st)     { struct address v;   stmt_bytes(st, v.b, sizeof v.b); return v; }
struct job_id stmt_job_id(struct stmt *st)       { struct job_id v;    stmt_bytes(st, v.b, sizeof v.b); return v; }
struct signature stmt_signature(struct stmt *st) { struct signature v; stmt_bytes(st, v.b, sizeof v.b); return v; }

struct amount stmt_amount(struct stmt *st)
{
    uint8_t bytes[32];

    stmt_bytes(st, bytes, sizeof bytes);
    return (struct amount){ u256_from_be(bytes) };
}

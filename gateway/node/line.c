#include "gateway/node/line.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "gateway/core/receipt_json.h"
#include "gateway/lib/emit.h"

#define READ_AT_ONCE (256 * KIB)

/* ---- one receipt ---- */

static void write_field(const struct receipt_field *f, const struct receipt *r, struct buf *out)
{
    const void *at = (const uint8_t *)r + f->offset;

    switch (f->kind) {
    case FIELD_JOB_ID:  emit_job_id(out, f->name, *(const struct job_id *)at); return;
    case FIELD_ADDRESS: emit_address(out, f->name, *(const struct address *)at); return;
    case FIELD_HASH:    emit_hash(out, f->name, *(const struct hash *)at); return;
    case FIELD_COUNT:
    case FIELD_TIME:    emit_u64(out, f->name, *(const uint64_t *)at); return;
    }
    bug("receipt field kind %d", (int)f->kind);
}

void line_write(const struct signed_receipt *r, struct buf *out)
{
    buf_add_byte(out, '{');
    for (size_t i = 0; i < RECEIPT_FIELDS; i++)
        write_field(&receipt_fields[i], &r->receipt, out);
    if (r->has_signature)
        emit_signature(out, "signature", &r->signature);
    if (r->has_consumer_signature)
        emit_signature(out, "consumerSignature", &r->consumer_signature);
    buf_add_text(out, "}\n");
}

static bool read_fast(const char *text, size_t len, struct signed_receipt *r)
{
    struct fast c = { text, text + len };
    struct signed_receipt read;

    if (!receipt_from_text(&c, RECEIPT_UNSIGNED, &read) || c.at != c.end)
        return false;
    *r = read;
    return true;
}

bool line_read(const char *text, size_t len, struct signed_receipt *r, struct err *err)
{
    struct faults faults = { 0 };
    struct signed_receipt read;
    bool has_job_id, ok;
    json *object;

    if (read_fast(text, len, r))
        return true;
    if (!json_read(text, len, &object, err))
        return false;
    receipt_from_json(object, RECEIPT_UNSIGNED, &read, &has_job_id, &faults);
    json_free(object);
    ok = faults.count == 0 || err_set(err, ERR_INVALID, "%s: %s", faults.list[0].pointer, faults.list[0].detail);
    faults_clear(&faults);
    if (ok)
        *r = read;
    return ok;
}

/* ---- lines of a descriptor ---- */

struct lines {
    int fd;
    char *bytes;              /* owned; [at, end) is not given out yet */
    size_t at, end;
    uint64_t number;
    bool ended, skipping;     /* skipping: inside of a line that is too long */
};

struct lines *lines_new(int fd)
{
    struct lines *l = mem_new(sizeof *l);

    l->fd = fd;
    l->bytes = mem_new(READ_AT_ONCE);
    return l;
}

void lines_free(struct lines *lines)
{
    if (lines == NULL)
        return;
    free(lines->bytes);
    free(lines);
}

uint64_t lines_number(const struct lines *lines)
{
    return lines->number;
}

/* One read; LINES_LINE: there is more to look at. */
static enum lines_next read_more(struct lines *l, unsigned wait_ms)
{
    struct pollfd p = { .fd = l->fd, .events = POLLIN };
    ssize_t got;
    int ready;

    memmove(l->bytes, l->bytes + l->at, l->end - l->at);
    l->end -= l->at;
    l->at = 0;
    ready = poll(&p, 1, (int)wait_ms);
    if (ready == 0 || (ready < 0 && errno == EINTR))
        return LINES_NOTHING;
    got = ready < 0 ? -1 : read(l->fd, l->bytes + l->end, READ_AT_ONCE - l->end);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? LINES_NOTHING : LINES_FAILED;
    l->end += (size_t)got;
    l->ended = got == 0;
    return LINES_LINE;
}

static bool is_blank(const char *text, size_t len)
{
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t' || text[len - 1] == '\r'))
        len--;
    return len == 0;
}

/* What is buffered, up to its newline or the end of all; false: no whole line is there. */
static bool whole_line(struct lines *l, const char **text, size_t *len)
{
    const char *begin = l->bytes + l->at, *newline = memchr(begin, '\n', l->end - l->at);

    if (newline == NULL && !(l->ended && l->at < l->end))
        return false;
    *text = begin;
    *len = newline != NULL ? (size_t)(newline - begin) : l->end - l->at;
    l->at = newline != NULL ? l->at + *len + 1 : l->end;
    return true;
}

enum lines_next lines_next(struct lines *lines, unsigned wait_ms, const char **text, size_t *len)
{
    for (;;) {
        while (whole_line(lines, text, len)) {
            bool too_long = lines->skipping || *len > LINE_BYTES_MAX;

            lines->skipping = false;
            lines->number++;
            if (too_long)
                return LINES_TOO_LONG;
            if (!is_blank(*text, *len))
                return LINES_LINE;
        }
        if (lines->ended) {
            lines->number += lines->skipping;
            return lines->skipping ? (lines->skipping = false, LINES_TOO_LONG) : LINES_END;
        }
        if (lines->end - lines->at > LINE_BYTES_MAX) {
            lines->skipping = true;
            lines->at = lines->end;
        }
        enum lines_next more = read_more(lines, wait_ms);
        if (more != LINES_LINE)
            return more;
    }
}

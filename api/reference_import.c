#include "api/reference_import.h"

#include "store/keys.h"
#include "store/references.h"

struct import { const char *dir, *who; struct reference *r; const struct buf *csv; bool same; };

static bool is_last(const struct import *i, bool *same, struct err *err)
{
    struct reference last = { 0 };
    uint64_t version = store_reference_last(i->dir);

    if (version > 0 && !store_reference_read(i->dir, version, &last, err))
        return false;
    *same = version > 0 && reference_same(&last, i->r);
    reference_clear(&last);
    return true;
}

static bool note(void *self, struct group *group, struct err *err)
{
    struct import *i = self;
    json *detail = json_new_object();
    struct buf text;
    bool ok;

    i->r->recorded_at_ms = group->now_ms;
    json_put_hash(detail, "digest", i->r->digest);
    json_put_text(detail, "date", i->r->date);
    buf_init(&text);
    json_write(detail, &text);
    json_free(detail);
    ok = store_audit_add(group->db, group->now_ms, i->who, "reference-import", buf_text(&text), err);
    buf_clear(&text);
    return ok;
}

static bool keep(void *self, struct group *group, struct err *err)
{
    struct import *i = self;

    (void)group;
    return store_reference_keep(i->dir, i->r, i->csv, &i->same, err);
}

bool reference_import(struct writer *writer, const char *dir, const char *who, struct reference *r, const struct buf *csv,
                      bool *same, struct err *err)
{
    struct import i = { dir, who, r, csv, false };

    if (!reference_price(r, csv->data, csv->len, err) || !is_last(&i, same, err))
        return false;
    /* Noted before the files appear; where they do not, the same import again notes it again.  The writer's thread numbers versions. */
    if (!*same && !writer_do(writer, note, &i, err))
        return false;
    if (!writer_do(writer, keep, &i, err))
        return false;
    *same = i.same;
    return true;
}

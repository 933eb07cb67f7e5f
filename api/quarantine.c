#include "api/quarantine.h"

#include "gateway/core/word.h"

#define CHUNK 1000

bool quarantine_fits(const struct quarantine_filter *filter, const struct receipt_row *row)
{
    return (!filter->has_code || row->code == filter->code)
        && (!filter->has_provider || address_eq(row->signed_.receipt.provider, filter->provider));
}

bool quarantine_filter_code(struct quarantine_filter *filter, const char *name, struct err *err)
{
    enum receipt_code code;

    if (!receipt_code_from_name(name, &code) || receipt_codes[code].status != ITEM_QUARANTINED)
        return err_set(err, ERR_INVALID, "code: \"%.40s\" is none for which receipts are held", name);
    filter->code = code;
    filter->has_code = true;
    return true;
}

struct held_cursor quarantine_place(const struct receipt_row *row)
{
    return (struct held_cursor){ row->received_at_ms, row->signed_.receipt.job_id, row->signed_.receipt.provider };
}

struct walk {
    const struct quarantine_filter *filter;
    receipt_fn *visit;
    void *self;
    uint64_t seen;
    bool stopped;
    struct held_cursor last;
};

static bool look(void *self, const struct receipt_row *row, struct err *err)
{
    struct walk *w = self;

    w->seen++;
    w->last = quarantine_place(row);
    if (quarantine_fits(w->filter, row) && !w->visit(w->self, row, err)) {
        w->stopped = true;
        return false;
    }
    return true;
}

bool quarantine_walk(struct db *db, const struct held_cursor *after, const struct quarantine_filter *filter,
                     receipt_fn *visit, void *self, struct err *err)
{
    struct walk w = { .filter = filter, .visit = visit, .self = self };
    uint64_t before;

    if (after != NULL)
        w.last = *after;
    do {
        const struct held_cursor from = w.last;

        before = w.seen;
        if (!store_receipts_held(db, after != NULL || before > 0 ? &from : NULL, CHUNK, look, &w, err))
            return false;
    } while (!w.stopped && w.seen == before + CHUNK && w.seen < QUARANTINE_SCAN_MAX);
    return true;
}

void quarantine_key_put(const struct receipt_row *row, uint8_t key[QUARANTINE_KEY])
{
    be64_put(key, row->received_at_ms);
    memcpy(key + 8, row->signed_.receipt.job_id.b, 16);
    memcpy(key + 24, row->signed_.receipt.provider.b, 20);
}

struct held_cursor quarantine_key_get(const uint8_t key[QUARANTINE_KEY])
{
    struct held_cursor cursor = { .received_at_ms = be64_get(key) };

    memcpy(cursor.job.b, key + 8, 16);
    memcpy(cursor.provider.b, key + 24, 20);
    return cursor;
}

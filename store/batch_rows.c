#include "store/batch_rows.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/lib/sorter.h"
#include "store/pages.h"

#define AT_ONCE 1024u                         /* rows a step: 2 MiB */
#define MEMORY ((size_t)16 * 1024 * 1024)

/* All of a row but its texts, which stand last and are most of it. */
struct record {
    struct paged_key key;
    uint8_t row[offsetof(struct receipt_row, reason)];
};

struct batch_rows {
    struct sorter *sorter;                    /* what comes in order stays so */
    struct receipt_row *step;                 /* AT_ONCE of them, while reading */
    size_t count;
};

static bool keep(void *self, const struct receipt_row *row, struct err *err)
{
    struct batch_rows *rows = self;

    (void)err;
    rows->step[rows->count++] = *row;
    return true;
}

static bool read_step(struct batch_rows *rows, struct db *db, uint64_t batch, const struct paged_key *after, struct err *err)
{
    bool ok;

    rows->count = 0;
    if (!db_begin(db, err))
        return false;
    ok = store_receipt_rows_after(db, batch, after, AT_ONCE, keep, rows, err);
    db_rollback(db);
    return ok;
}

static bool add_step(struct batch_rows *rows, struct paged_key *last, struct err *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct receipt *r = &rows->step[i].signed_.receipt;
        struct record record = { .key = { r->job_id, r->provider } };

        memcpy(record.row, &rows->step[i], sizeof record.row);
        *last = record.key;
        if (!sorter_add(rows->sorter, &record, err))
            return false;
    }
    return true;
}

bool batch_rows_read(struct db *db, uint64_t batch, struct batch_rows **rows, struct err *err)
{
    struct batch_rows *b = mem_new(sizeof *b);
    struct paged_key last;
    bool ok;

    b->sorter = sorter_new(sizeof(struct record), sizeof(struct paged_key), MEMORY);
    b->step = mem_array(AT_ONCE, sizeof *b->step);
    ok = read_step(b, db, batch, NULL, err) && add_step(b, &last, err);
    while (ok && b->count == AT_ONCE)
        ok = read_step(b, db, batch, &last, err) && add_step(b, &last, err);
    free(b->step);
    b->step = NULL;
    if (ok)
        *rows = b;
    else
        batch_rows_free(b);
    return ok;
}

bool batch_rows_each(struct batch_rows *rows, receipt_fn *visit, void *self, struct err *err)
{
    struct receipt_row row;
    const void *next;

    row.reason[0] = row.faults[0] = '\0';
    err->code = ERR_NONE;
    if (!sorter_finish(rows->sorter, err))
        return false;
    while (sorter_next(rows->sorter, &next, err)) {
        if (next == NULL)
            return true;
        memcpy(&row, ((const struct record *)next)->row, offsetof(struct receipt_row, reason));
        if (!visit(self, &row, err))
            return err->code == ERR_NONE;
    }
    return false;
}

void batch_rows_free(struct batch_rows *rows)
{
    if (rows == NULL)
        return;
    sorter_free(rows->sorter);
    free(rows->step);
    free(rows);
}

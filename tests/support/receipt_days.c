#include "tests/support/receipt_days.h"

#include <string.h>

#include "store/receipt_days.h"

struct receipt_row receipt_at(uint64_t ms, unsigned n)
{
    struct receipt_row row = some_receipt(n);

    for (size_t i = 0; i < 6; i++)
        row.signed_.receipt.job_id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    return row;
}

bool insert_receipt(void *row, struct group *group, struct err *err)
{
    return store_receipt_insert(group->db, row, err);
}

bool make_day(void *day, struct group *group, struct err *err)
{
    return store_day_make(group->db, *(uint64_t *)day, err);
}

struct place place_of(struct store_fixture *f)
{
    struct place p;
    struct err err;

    store_ok(writer_open(f->url, &f->clock, &p.writer, &err));
    store_ok(db_open(f->url, DB_READ, &p.reader, &err));
    return p;
}

void leave(struct place *p)
{
    db_close(p->reader);
    writer_close(p->writer);
}

void have_day(struct place *p, uint64_t day)
{
    struct err err;

    store_ok(writer_do(p->writer, make_day, &day, &err));
}

struct receipt_row have_receipt(struct place *p, uint64_t ms, unsigned n)
{
    struct receipt_row row = receipt_at(ms, n);
    struct err err;

    store_ok(writer_do(p->writer, insert_receipt, &row, &err));
    return row;
}

void assert_found(struct db *db, const struct receipt_row *row)
{
    struct receipt_row got;
    bool found = false;
    struct err err;

    store_ok(store_receipt_find(db, row->signed_.receipt.job_id, row->signed_.receipt.provider, &got, &found, &err));
    assert_true(found);
    assert_memory_equal(&got.hash, &row->hash, sizeof got.hash);
}

/* What a world's store holds, and its writer held up. */
#include "tests/support/world.h"

#include <inttypes.h>
#include <semaphore.h>

#include "gateway/pool/pool.h"

static void must(bool ok, const struct err *err)
{
    if (!ok)
        fail_msg("%s", err->text);
}

struct receipt_row world_row(struct world *w, const struct signed_receipt *r)
{
    struct receipt_row row;
    struct err err = { 0 };
    bool found;

    must(store_receipt_find(w->db, r->receipt.job_id, r->receipt.provider, &row, &found, &err), &err);
    assert_true(found);
    return row;
}

bool world_has_row(struct world *w, const struct signed_receipt *r)
{
    struct receipt_row row;
    struct err err = { 0 };
    bool found;

    must(store_receipt_find(w->db, r->receipt.job_id, r->receipt.provider, &row, &found, &err), &err);
    return found;
}

struct batch_row world_batch(struct world *w, uint64_t number)
{
    struct batch_row batch;
    struct err err = { 0 };
    bool found;

    must(store_batch_find(w->db, number, &batch, &found, &err), &err);
    assert_true(found);
    return batch;
}

struct posted { struct address account; enum role role; bool all; struct amount credits, debits; };

static bool add_posted(void *self, const struct posting *p, struct err *err)
{
    struct posted *sum = self;
    struct amount *side = role_is_credit(p->share.role) ? &sum->credits : &sum->debits;

    if (!sum->all && (p->share.role != sum->role || !address_eq(p->share.account, sum->account)))
        return true;
    return amount_add(*side, p->share.amount, side) || err_set(err, ERR_OVERFLOW, "postings");
}

struct amount world_posted(struct world *w, uint64_t batch, struct address account, enum role role)
{
    struct posted sum = { .account = account, .role = role };
    struct err err = { 0 };

    must(store_postings_of_batch(w->db, batch, add_posted, &sum, &err), &err);
    return role_is_credit(role) ? sum.credits : sum.debits;
}

struct accepted { struct db *db; uint64_t count; struct amount amount; };

static bool add_accepted(void *self, const struct receipt_row *row, struct err *err)
{
    struct accepted *sum = self;

    sum->count++;
    return amount_add(sum->amount, row->amount, &sum->amount) || err_set(err, ERR_OVERFLOW, "amounts");
}

/* What the pool paid into a batch counts like a receipt's amount. */
static bool add_pool(void *self, const struct epoch_row *row, struct err *err)
{
    struct accepted *sum = self;
    struct amount paid;
    struct popularity p;
    bool ok = pool_load(sum->db, row, &p, err) && popularity_paid(&p, &paid, err)
           && amount_add(sum->amount, paid, &sum->amount);

    popularity_clear(&p);
    return ok;
}

void assert_books_balance(struct world *w)
{
    struct err err = { 0 };
    struct batch_row batch;
    uint64_t number = 1;
    bool found;

    world_fold(w);
    for (;; number++) {
        struct posted sum = { .all = true };
        struct accepted kept = { .db = w->db };

        must(store_batch_find(w->db, number, &batch, &found, &err), &err);
        if (!found)
            break;
        must(store_postings_of_batch(w->db, number, add_posted, &sum, &err)
             && store_receipts_of_batch(w->db, number, add_accepted, &kept, &err)
             && store_epochs_of_batch(w->db, number, add_pool, &kept, &err), &err);
        assert_int_equal(amount_cmp(sum.credits, sum.debits), 0);
        assert_int_equal(amount_cmp(sum.credits, kept.amount), 0);
        assert_int_equal(amount_cmp(batch.amount, kept.amount), 0);
        assert_int_equal(batch.receipts, kept.count);
    }
    assert_true(number > 1);
}

uint64_t world_count(struct world *w, const char *literal_sql)
{
    struct err err = { 0 };
    uint64_t count;
    struct stmt st;
    bool row;

    must(db_prepare(w->db, literal_sql, &st, &err) && stmt_step(&st, &row, &err), &err);
    assert_true(row);
    count = stmt_u64(&st);
    stmt_end(&st);
    return count;
}

static bool run_script(void *self, struct group *group, struct err *err)
{
    return db_exec_script(group->db, self, err);
}

void world_script(struct world *w, const char *sql)
{
    union { const char *in; void *self; } u = { .in = sql };
    struct err err = { 0 };

    must(writer_do(w->writer, run_script, u.self, &err), &err);
}

void world_fold(struct world *w)
{
    if (store_place_is_beside())
        world_script(w, "SELECT 1");          /* any turn does */
}

void world_refuse(struct world *w, const char *table, uint64_t amount)
{
    char sql[STORE_SCRIPT];
    uint8_t bytes[32];

    u256_to_be(u256_from_u64(amount), bytes);
    store_place_refuse(sql, table, amount != 0 ? bytes : NULL);
    world_script(w, sql);
}

void world_take(struct world *w, const char *table)
{
    char sql[STORE_SCRIPT];

    store_place_take(sql, table);
    world_script(w, sql);
}

/* One blocker at a time is enough. */
static sem_t blocked, unblock, passed;

static bool block(struct task *task, struct group *group, struct err *err)
{
    (void)task;
    (void)group;
    (void)err;
    sem_post(&blocked);
    sem_wait(&unblock);
    return true;
}

static void block_passed(struct task *task, bool ok, const struct err *err)
{
    (void)task;
    (void)ok;
    (void)err;
    sem_post(&passed);
}

void world_block(struct world *w)
{
    static struct task blocker;
    struct err err = { 0 };

    sem_init(&blocked, 0, 0);
    sem_init(&unblock, 0, 0);
    sem_init(&passed, 0, 0);
    blocker = (struct task){ .run = block, .done = block_passed, .weight = 1, .alone = true };
    must(writer_submit(w->writer, &blocker, &err), &err);
    sem_wait(&blocked);
}

void world_unblock(struct world *w)
{
    (void)w;
    sem_post(&unblock);
    sem_wait(&passed);
}

void world_wait_for_queue(struct world *w, uint64_t weight)
{
    for (int i = 0; writer_depth(w->writer) < weight; i++) {
        if (i == 10000)
            fail_msg("the queue holds %" PRIu64 ", not %" PRIu64, writer_depth(w->writer), weight);
        clock_sleep_ms(1);
    }
}

void assert_item(const struct intake_item *item, enum item_status status, enum receipt_code code)
{
    if (item->status != status || item->code != code)
        fail_msg("%s %s, not %s %s", item_status_name(item->status), receipt_codes[item->code].name, item_status_name(status),
                 receipt_codes[code].name);
}

void assert_amount_is(struct amount got, uint64_t want)
{
    assert_u256_is(got.base_units, u256_from_u64(want));
}

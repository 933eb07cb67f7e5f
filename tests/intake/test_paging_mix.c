/* Whatever comes together, each receipt is booked once, and what was said of it is what is kept: drawn by chance, on a store that now and
 * then refuses a page or a row, so that groups are run again. */
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "store/tree_parts.h"
#include "tests/intake/crowd.h"

#define ROUNDS 40u
#define CROWD 30u
#define ITEMS_MAX 40u
#define SENT_MAX (ROUNDS * CROWD * ITEMS_MAX)

struct mix {
    struct world *w;
    struct signed_receipt *sent;              /* all that was ever sent */
    size_t sent_count, accepted;
};

/* New, or one that was sent: as it was, with other content, by another, countersigned. */
static struct signed_receipt draw(struct mix *m, const struct party *by)
{
    struct world *w = m->w;
    uint64_t kind = m->sent_count == 0 ? 10 : rng_below(&w->rng, 20);
    struct signed_receipt r;

    if (kind > 4) {
        r = world_receipt(w, by, 1000 + rng_below(&w->rng, 1000));
        if (kind == 5)
            world_countersign(w, &w->consumer, &r);
    } else {
        /* Of those sent last, as these may be in the same group. */
        size_t back = rng_below(&w->rng, m->sent_count < 60 ? m->sent_count : 60);

        r = m->sent[m->sent_count - 1 - back];
        if (kind == 1)
            r.receipt.count[METER_INPUT]++;
        if (kind == 2)
            r.receipt.provider = w->other.address;
        if (kind == 1 || kind == 2)
            r.has_consumer_signature = false;
        world_sign(w, address_eq(r.receipt.provider, w->other.address) ? &w->other : &w->node, &r);
        if (kind == 3)
            world_countersign(w, &w->consumer, &r);
    }
    m->sent[m->sent_count++] = r;
    return r;
}

static void make(struct mix *m, struct submission *s)
{
    struct world *w = m->w;
    uint64_t kind = rng_below(&w->rng, 10);
    size_t count = kind < 7 ? 1 : kind == 7 ? 2 + rng_below(&w->rng, 22) : 25 + rng_below(&w->rng, 15);
    struct signed_receipt list[ITEMS_MAX];

    for (size_t i = 0; i < count; i++) {
        list[i] = draw(m, rng_below(&w->rng, 3) == 0 && kind < 9 ? &w->other : &w->node);
        if (kind == 9)
            list[i].receipt.provider = w->node.address;
    }
    world_submission(s, list, count);
    if (kind == 9)
        world_bundle(w, &w->node, s);
}

static void check_known(struct mix *m, const struct intake_item *item)
{
    struct receipt_row row = world_row(m->w, &item->signed_);
    struct promise_row promise;
    struct proof path;
    struct err err = { 0 };
    bool found;

    assert_hash_is(row.hash, item->hash);
    assert_int_equal(row.state, item->status == ITEM_ACCEPTED ? RECEIPT_ACCEPTED : item->existing_state);
    assert_int_equal(item->has_promise, row.state == RECEIPT_ACCEPTED);
    if (!item->has_promise)
        return;
    assert_int_equal(amount_cmp(row.amount, item->amount), 0);
    assert_int_equal(row.promise, item->promise);
    assert_int_equal(row.promise_index, item->promise_index);
    assert_true(store_promise_path(m->w->db, row.promise, row.promise_index, &promise, &path, &found, &err) && found);
    assert_hash_is(tree_fold(tree_promise_leaf(item->hash), &path), promise.promise.root);
}

static void check(struct mix *m, const struct crowd *c)
{
    for (size_t i = 0; c->ok && i < c->s.count; i++) {
        const struct intake_item *item = &c->s.items[i];

        m->accepted += item->status == ITEM_ACCEPTED;
        if (item->status == ITEM_ACCEPTED || item->status == ITEM_DUPLICATE)
            check_known(m, item);
    }
}

static void play(struct mix *m, const char *refused)
{
    struct crowd crowd[CROWD] = { 0 };

    for (size_t i = 0; i < CROWD; i++)
        make(m, &crowd[i].s);
    if (refused != NULL)
        world_refuse(m->w, refused, 0);
    post_together(m->w, crowd, CROWD);
    if (refused != NULL)
        world_take(m->w, refused);
    for (size_t i = 0; i < CROWD; i++)
        check(m, &crowd[i]);
    for (size_t i = 0; i < CROWD; i++)
        submission_clear(&crowd[i].s);
}

static void each_receipt_is_booked_once(void **state)
{
    static const char *const refused[] = { NULL, "receipt_frames", NULL, NULL, "promises", "conflicts", NULL, "receipt_pages" };
    struct world *w = *state;
    struct mix m = { .w = w, .sent = mem_array(SENT_MAX, sizeof *m.sent) };

    w->config.batch_receipts_max = 83;
    world_restart(w);
    for (unsigned round = 0; round < ROUNDS; round++)
        play(&m, refused[round % ARRAY_LEN(refused)]);
    assert_true(m.accepted > 1000);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipts WHERE state = 1"), m.accepted);
    assert_int_equal(world_count(w, "SELECT COALESCE(SUM(receipts), 0) FROM batches"), m.accepted);
    assert_int_equal(world_count(w, "SELECT COALESCE(SUM(count), 0) FROM promises"), m.accepted);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM (SELECT job_id FROM receipts WHERE state = 1 GROUP BY job_id"
                                    " HAVING COUNT(*) > 1) AS billed_twice"), 0);
    assert_true(db_is_shared(w->db) || world_count(w, "SELECT COUNT(*) FROM receipt_pages WHERE bundle IS NULL") > ROUNDS);
    assert_books_balance(w);
    free(m.sent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_receipt_is_booked_once, world_setup, world_teardown),
    };

    return cmocka_run_group_tests_name("paging_mix", tests, NULL, NULL);
}

/* The popularity pool over a real store: what counts, when an epoch is booked, and that it is booked once. */
#include "gateway/pool/pool.h"

#include "store/popularity.h"
#include "tests/support/world.h"

#define DAY 86400000u
#define WEEK (7u * DAY)

struct setting_task { uint64_t epoch_ms, budget; uint16_t cap_bps; };

static bool set(void *self, struct group *group, struct err *err)
{
    const struct setting_task *t = self;
    struct pool_settings s = { t->epoch_ms, amount_from_u64(t->budget), t->cap_bps };

    return pool_set(group->db, group->now_ms, &s, err);
}

static void set_pool(struct world *w, uint64_t epoch_ms, uint64_t budget, uint16_t cap_bps)
{
    struct err err = { 0 };

    assert_true(writer_do(w->writer, set, &(struct setting_task){ epoch_ms, budget, cap_bps }, &err));
}

struct booking { uint64_t room; size_t booked; };

static bool book(void *self, struct group *group, struct err *err)
{
    struct booking *b = self;

    return pool_book(group->db, group->now_ms, amount_from_u64(b->room), &b->booked, err);
}

static size_t book_pool(struct world *w)
{
    struct booking b = { 0 };
    struct err err = { 0 };

    if (!writer_do(w->writer, book, &b, &err))
        fail_msg("%s", err.text);
    return b.booked;
}

static bool close_batch(void *self, struct group *group, struct err *err)
{
    const struct world *w = self;

    return pool_open_epochs(group->db, group->now_ms, err) && store_batch_close(group->db, group->now_ms, w->config.protocol_account, err);
}

/* As if every closed batch had been settled. */
static void settle_all(struct world *w)
{
    struct err err = { 0 };

    assert_true(writer_do(w->writer, close_batch, w, &err));
    world_script(w, "UPDATE batches SET state = 7 WHERE state = 2");
}

/* To the first moment of the epoch of such a length after this one. */
static void next_epoch(struct world *w, uint64_t epoch_ms)
{
    w->now_ms = (w->now_ms / epoch_ms + 1) * epoch_ms;
}

static struct signed_receipt signed_job(struct world *w, const struct party *consumer, uint64_t tokens)
{
    struct signed_receipt r = world_receipt(w, &w->node, tokens);

    world_countersign(w, consumer, &r);
    return r;
}

static void use(struct world *w, const struct party *consumer, uint64_t tokens)
{
    struct signed_receipt r = signed_job(w, consumer, tokens);

    world_post_one(w, &r);
}

static struct popularity last_booked(struct world *w)
{
    struct popularity p;
    struct epoch_row row;
    struct err err = { 0 };
    bool found;

    assert_true(store_epoch_last_booked(w->db, &row, &found, &err) && found && pool_load(w->db, &row, &p, &err));
    return p;
}

static void only_what_a_consumer_is_billed_for_counts(void **state)
{
    struct world *w = *state;
    struct signed_receipt treasury = world_receipt(w, &w->node, 100000), late = world_receipt(w, &w->node, 2000);
    struct popularity p;

    set_pool(w, WEEK, 1000, 10000);
    use(w, &w->consumer, 8000);               /* 16 000 base units, 5 % of it to the protocol: 800 */
    use(w, &w->stranger, 50000);              /* signed by somebody who is not enrolled */
    world_post_one(w, &treasury);             /* not countersigned */
    world_post_one(w, &late);
    world_countersign(w, &w->consumer, &late);
    world_post_one(w, &late);                 /* 200 more, once it is signed */
    world_post_one(w, &late);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM popularity_fees"), 1);
    next_epoch(w, WEEK);
    settle_all(w);
    assert_int_equal(book_pool(w), 1);
    p = last_booked(w);
    assert_int_equal(p.count, 1);
    assert_true(hash_eq(p.rows[0].model, w->model));
    assert_amount_is(p.rows[0].fees, 1000);
    assert_amount_is((struct amount){ p.rows[0].score }, 31);
    assert_amount_is(p.rows[0].share, 1000);
    popularity_clear(&p);
    assert_amount_is(world_posted(w, 2, w->creator.address, ROLE_POPULARITY), 900);
    assert_amount_is(world_posted(w, 2, w->ancestor.address, ROLE_POPULARITY), 100);
    assert_amount_is(world_posted(w, 2, (struct address){ { 0 } }, ROLE_TREASURY), 1000);
    assert_amount_is(world_batch(w, 2).amount, 1000);
    assert_int_equal(world_batch(w, 2).receipts, 0);
    assert_books_balance(w);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM popularity_fees"), 0);
}

static void an_epoch_is_booked_once_its_jobs_are_settled(void **state)
{
    struct world *w = *state;

    set_pool(w, WEEK, 1000, 5000);
    use(w, &w->consumer, 8000);
    assert_int_equal(book_pool(w), 0);        /* under way */
    next_epoch(w, WEEK);
    assert_int_equal(book_pool(w), 0);        /* over, and its batch is open */
    use(w, &w->consumer, 100);
    settle_all(w);
    world_script(w, "UPDATE batches SET state = 8 WHERE number = 1");
    assert_int_equal(book_pool(w), 0);        /* cancelled: waits for the carry */
    world_script(w, "UPDATE batches SET state = 4 WHERE number = 1");
    assert_int_equal(book_pool(w), 0);        /* committed: could still be cancelled */
    world_script(w, "UPDATE batches SET state = 5 WHERE number = 1");
    assert_int_equal(book_pool(w), 1);
    assert_int_equal(book_pool(w), 0);        /* once */
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM popularity_fees"), 1);      /* those of the next epoch */
    assert_books_balance(w);
}

static void what_the_cap_leaves_is_carried(void **state)
{
    struct world *w = *state;
    struct popularity p;

    set_pool(w, DAY, 1000, 5000);
    use(w, &w->consumer, 8000);
    next_epoch(w, DAY);
    settle_all(w);
    use(w, &w->consumer, 20000);
    next_epoch(w, DAY);
    settle_all(w);
    next_epoch(w, DAY);                       /* a day that nobody used */
    assert_int_equal(book_pool(w), 3);
    p = last_booked(w);
    assert_amount_is(p.carried_in, 600);      /* 1000 less half of 800, and 1000 less half of 2000 */
    assert_amount_is(p.carried_out, 1600);
    assert_int_equal(p.count, 0);
    popularity_clear(&p);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM popularity_shares"), 2);
    assert_amount_is(world_batch(w, 3).amount, 400 + 1000);
    assert_books_balance(w);
}

/* It would hold up everybody behind it. */
static void an_epoch_that_no_settlement_could_carry_waits(void **state)
{
    struct world *w = *state;
    struct booking b = { .room = 399 };
    struct err err = { 0 };

    set_pool(w, DAY, 1000, 5000);
    use(w, &w->consumer, 8000);               /* pays 400 */
    next_epoch(w, DAY);
    settle_all(w);
    use(w, &w->consumer, 20000);              /* pays 1000 */
    next_epoch(w, DAY);
    settle_all(w);
    assert_false(writer_do(w->writer, book, &b, &err));
    assert_int_equal(err.code, ERR_AGAIN);
    assert_string_equal(err.text, "epoch 1 pays 400 and the open batch holds 0, together over 399, three quarters of the contract's cap");
    assert_amount_is(world_batch(w, 3).amount, 0);
    b.room = 1399;
    assert_true(writer_do(w->writer, book, &b, &err));
    assert_int_equal(b.booked, 1);            /* both together are too much */
    assert_amount_is(world_batch(w, 3).amount, 400);
    assert_false(writer_do(w->writer, book, &b, &err));
    settle_all(w);
    assert_true(writer_do(w->writer, book, &b, &err));
    assert_int_equal(b.booked, 1);
    assert_amount_is(world_batch(w, 4).amount, 1000);
    assert_books_balance(w);
}

static void a_restart_in_an_epoch_changes_nothing(void **state)
{
    struct world *w = *state;
    struct popularity p;

    set_pool(w, WEEK, 1000, 10000);
    use(w, &w->consumer, 8000);
    world_restart(w);
    set_pool(w, WEEK, 1000, 10000);           /* the same settings are no new ones */
    use(w, &w->consumer, 2000);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM popularity_terms"), 1);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM popularity_epochs"), 1);
    next_epoch(w, WEEK);
    settle_all(w);
    assert_int_equal(book_pool(w), 1);
    p = last_booked(w);
    assert_amount_is(p.rows[0].fees, 1000);
    popularity_clear(&p);
}

static void epochs_that_passed_while_nobody_looked_follow_each_other(void **state)
{
    struct world *w = *state;
    struct popularity p;
    uint64_t begun;

    set_pool(w, DAY, 10, 5000);
    use(w, &w->consumer, 1);
    begun = w->now_ms;
    settle_all(w);
    w->now_ms += 100 * (uint64_t)DAY;
    assert_int_equal(book_pool(w), POOL_BOOKED_AT_ONCE);
    assert_int_equal(book_pool(w), 100 - POOL_BOOKED_AT_ONCE);
    p = last_booked(w);
    assert_int_equal(p.terms.epoch, 100);
    assert_int_equal(p.terms.ends_ms, (begun / DAY + 100) * DAY);
    assert_int_equal(p.terms.ends_ms - p.terms.begins_ms, DAY);
    assert_amount_is(p.carried_out, 1000);
    popularity_clear(&p);
}

static void settings_hold_from_the_next_epoch_on(void **state)
{
    struct world *w = *state;
    struct popularity p;

    set_pool(w, WEEK, 1000, 10000);
    use(w, &w->consumer, 8000);
    set_pool(w, DAY, 77, 2000);
    next_epoch(w, WEEK);
    settle_all(w);
    assert_int_equal(book_pool(w), 1);
    p = last_booked(w);
    assert_amount_is(p.terms.budget, 1000);
    assert_int_equal(p.terms.cap_bps, 10000);
    popularity_clear(&p);
    next_epoch(w, DAY);
    assert_int_equal(book_pool(w), 1);
    p = last_booked(w);
    assert_amount_is(p.terms.budget, 77);
    assert_int_equal(p.terms.cap_bps, 2000);
    assert_int_equal(p.terms.ends_ms - p.terms.begins_ms, DAY);
    popularity_clear(&p);
}

static void while_it_is_off_nothing_is_an_epoch(void **state)
{
    struct world *w = *state;
    struct popularity p;

    set_pool(w, DAY, 0, 5000);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM popularity_terms"), 0);
    use(w, &w->consumer, 8000);
    set_pool(w, DAY, 100, 5000);
    use(w, &w->consumer, 100);
    set_pool(w, DAY, 0, 5000);                /* off again: from the end of this epoch */
    next_epoch(w, DAY);
    use(w, &w->consumer, 8000);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM popularity_fees"), 1);
    w->now_ms += 50 * (uint64_t)DAY;
    settle_all(w);
    assert_int_equal(book_pool(w), 1);
    set_pool(w, DAY, 100, 5000);
    next_epoch(w, DAY);
    assert_int_equal(book_pool(w), 1);        /* from when it was turned on, not from fifty days ago */
    p = last_booked(w);
    assert_int_equal(p.terms.epoch, 2);
    assert_amount_is(p.carried_in, 95);       /* it kept what was left: half of 10 were paid out */
    popularity_clear(&p);
}

/* The task's savepoint takes back what it wrote; what is in memory must follow, within one group. */
static void a_task_that_fails_counts_nothing(void **state)
{
    struct world *w = *state;
    struct signed_receipt list[2] = { signed_job(w, &w->consumer, 9000), signed_job(w, &w->consumer, 9001) };
    struct signed_receipt good = signed_job(w, &w->consumer, 8000);
    struct submission bad;
    struct err err = { 0 };

    set_pool(w, WEEK, 1000, 10000);
    world_refuse(w, "receipts", 2 * 9001);
    world_submission(&bad, list, 2);
    assert_false(intake_submit_wait(w->intake, &bad, &err));
    submission_clear(&bad);
    world_post_one(w, &good);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM popularity_fees"), 1);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM popularity_fees WHERE fees ="
                                    " x'0000000000000000000000000000000000000000000000000000000000000320'"), 1);
    assert_books_balance(w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_what_a_consumer_is_billed_for_counts), TEST(an_epoch_is_booked_once_its_jobs_are_settled),
        TEST(what_the_cap_leaves_is_carried), TEST(an_epoch_that_no_settlement_could_carry_waits),
        TEST(a_restart_in_an_epoch_changes_nothing),
        TEST(epochs_that_passed_while_nobody_looked_follow_each_other), TEST(settings_hold_from_the_next_epoch_on),
        TEST(while_it_is_off_nothing_is_an_epoch), TEST(a_task_that_fails_counts_nothing),
    };

    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}

/* Three gateways on one store whose groups are written beside each other: every limit is one for all of them, to the last receipt. */
#include <pthread.h>
#include <stdlib.h>

#include "tests/support/world.h"

#define GATEWAYS 3
#define ROUNDS 30
#define EACH 6                                /* receipts of a submission */

/* Of each gateway; what it is sent is its own, or all are sent the same. */
struct client {
    pthread_t thread;
    struct intake *intake;
    struct signed_receipt receipts[ROUNDS][EACH];
    unsigned by_status[ITEM_REJECTED + 1], strange;
    bool failed;
};
struct race { struct world *w; struct world_gateway joined[GATEWAYS - 1]; struct client clients[GATEWAYS]; };

/* A promise of a group that was undone, and of none of the items. */
static unsigned count_strange(const struct submission *s)
{
    if (s->promises[0] == NULL)
        return 0;
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].has_promise && s->items[i].promise == s->promises[0]->row.id)
            return 0;
    return 1;
}

static void *post_all(void *self)
{
    struct client *c = self;
    struct submission s;
    struct err err = { 0 };

    for (size_t round = 0; round < ROUNDS; round++) {
        world_submission(&s, c->receipts[round], EACH);
        c->failed |= !intake_submit_wait(c->intake, &s, &err);
        c->strange += count_strange(&s);
        for (size_t i = 0; i < EACH; i++)
            c->by_status[s.items[i].status]++;
        submission_clear(&s);
    }
    return NULL;
}

/* With w->config as it is now. */
static void race_start(struct race *r, struct world *w)
{
    r->w = w;
    world_restart(w);
    for (size_t i = 0; i < GATEWAYS - 1; i++)
        world_join(w, &r->joined[i]);
    for (size_t i = 0; i < GATEWAYS; i++) {
        memset(&r->clients[i], 0, sizeof r->clients[i]);
        r->clients[i].intake = i == 0 ? w->intake : r->joined[i - 1].intake;
    }
}

/* Receipts of `tokens` each, by this provider. */
static void race_fill(struct race *r, const struct party *provider, uint64_t tokens)
{
    for (size_t i = 0; i < GATEWAYS; i++)
        for (size_t round = 0; round < ROUNDS; round++)
            for (size_t k = 0; k < EACH; k++)
                r->clients[i].receipts[round][k] = world_receipt(r->w, provider, tokens);
}

static void race_run(struct race *r)
{
    for (size_t i = 0; i < GATEWAYS; i++)
        assert_int_equal(pthread_create(&r->clients[i].thread, NULL, post_all, &r->clients[i]), 0);
    for (size_t i = 0; i < GATEWAYS; i++) {
        pthread_join(r->clients[i].thread, NULL);
        assert_false(r->clients[i].failed);
        assert_int_equal(r->clients[i].strange, 0);
    }
}

static unsigned race_count(const struct race *r, enum item_status status)
{
    unsigned count = 0;

    for (size_t i = 0; i < GATEWAYS; i++)
        count += r->clients[i].by_status[status];
    return count;
}

/* How many groups of all were written beside others. */
static uint64_t race_end(struct race *r)
{
    uint64_t beside = world_count(r->w, "SELECT SUM(beside) FROM writers");

    for (size_t i = 0; i < GATEWAYS - 1; i++)
        world_leave(&r->joined[i]);
    assert_books_balance(r->w);
    return beside;
}

#define ALL (GATEWAYS * ROUNDS * EACH)

static void without_limits_nearly_all_groups_are_beside_others(void **state)
{
    static struct race r;
    struct world *w = *state;
    uint64_t beside;

    race_start(&r, w);
    race_fill(&r, &w->node, 1000);
    race_run(&r);
    assert_int_equal(race_count(&r, ITEM_ACCEPTED), ALL);
    beside = race_end(&r);
    print_message("%u submissions: %llu groups beside others\n", GATEWAYS * ROUNDS, (unsigned long long)beside);
    assert_true(beside > GATEWAYS * ROUNDS / 3);
    assert_amount_is(world_batch(w, 1).amount, ALL * UINT64_C(2000));
}

static void a_days_limit_is_full_to_the_last_receipt(void **state)
{
    static struct race r;
    struct world *w = *state;
    uint64_t most = ALL * 3 / 4;

    w->config.limits.daily_limit = amount_from_u64(most * 2000 + 1999);
    race_start(&r, w);
    race_fill(&r, &w->node, 1000);
    race_run(&r);
    assert_int_equal(race_count(&r, ITEM_ACCEPTED), most);
    assert_int_equal(race_count(&r, ITEM_QUARANTINED), ALL - most);
    assert_true(race_end(&r) > 0);
    assert_amount_is(world_batch(w, 1).amount, most * 2000);
}

static void a_credit_is_used_to_the_last_receipt(void **state)
{
    static struct race r;
    struct world *w = *state;
    uint64_t most = ALL * 2 / 3;
    struct consumer c = { .address = w->consumer.address, .name = "limited", .has_credit_limit = true,
                          .credit_limit = amount_from_u64(most * 2000 + 1), .enrolled = true };
    enum admit_result result;
    struct err err = { 0 };

    assert_true(admit_consumer(w->intake, "test", &c, true, &result, &err));
    race_start(&r, w);
    race_fill(&r, &w->node, 1000);
    for (size_t i = 0; i < GATEWAYS; i++)
        for (size_t round = 0; round < ROUNDS; round++)
            for (size_t k = 0; k < EACH; k++)
                world_countersign(w, &w->consumer, &r.clients[i].receipts[round][k]);
    race_run(&r);
    assert_int_equal(race_count(&r, ITEM_ACCEPTED), most);
    assert_true(race_end(&r) > 0);
    assert_amount_is(world_posted(w, 1, w->consumer.address, ROLE_CONSUMER), most * 2000);
}

static void no_batch_is_fuller_than_it_may_be(void **state)
{
    static struct race r;
    struct world *w = *state;
    uint64_t batches, most = 70, receipts = 0;

    w->config.batch_receipts_max = most;
    race_start(&r, w);
    race_fill(&r, &w->other, 1000);
    race_run(&r);
    assert_int_equal(race_count(&r, ITEM_ACCEPTED), ALL);
    assert_true(race_end(&r) > 0);
    batches = world_count(w, "SELECT MAX(number) FROM batches");
    assert_int_equal(batches, (ALL + most - 1) / most);
    for (uint64_t n = 1; n <= batches; n++) {
        assert_true(world_batch(w, n).receipts <= most);
        receipts += world_batch(w, n).receipts;
    }
    assert_int_equal(receipts, ALL);
}

/* Whoever says first that he did it is paid; a job has one consumer, who pays once. */
static void a_job_of_three_providers_is_billed_once(void **state)
{
    static struct race r;
    struct world *w = *state;
    struct party providers[GATEWAYS] = { w->node, w->other, w->stranger };

    world_admit(w, &w->stranger);
    race_start(&r, w);
    race_fill(&r, &w->node, 1000);
    for (size_t i = 1; i < GATEWAYS; i++)
        for (size_t round = 0; round < ROUNDS; round++)
            for (size_t k = 0; k < EACH; k++) {
                struct signed_receipt *one = &r.clients[i].receipts[round][k];

                *one = r.clients[0].receipts[round][k];
                one->receipt.provider = providers[i].address;
                world_sign(w, &providers[i], one);
            }
    race_run(&r);
    assert_int_equal(race_count(&r, ITEM_ACCEPTED), ROUNDS * EACH);
    assert_int_equal(race_count(&r, ITEM_QUARANTINED), ALL - ROUNDS * EACH);
    (void)race_end(&r);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipts WHERE state = 1"), ROUNDS * EACH);
    assert_int_equal(world_count(w, "SELECT COUNT(DISTINCT job_id) FROM receipts WHERE state = 1"), ROUNDS * EACH);
    assert_amount_is(world_batch(w, 1).amount, ROUNDS * EACH * UINT64_C(2000));
}

/* Each receipt is answered by who accepted it and by all others who were sent it. */
static void what_all_are_sent_is_accepted_once(void **state)
{
    static struct race r;
    struct world *w = *state;

    race_start(&r, w);
    race_fill(&r, &w->node, 1000);
    for (size_t i = 1; i < GATEWAYS; i++)
        memcpy(r.clients[i].receipts, r.clients[0].receipts, sizeof r.clients[0].receipts);
    race_run(&r);
    assert_int_equal(race_count(&r, ITEM_ACCEPTED), ROUNDS * EACH);
    assert_int_equal(race_count(&r, ITEM_DUPLICATE), ALL - ROUNDS * EACH);
    (void)race_end(&r);
    assert_int_equal(world_count(w, "SELECT SUM(count) FROM promises"), ROUNDS * EACH);
}

/* Whoever holds the first waits for the last, and the other way round. */
static void what_all_are_sent_in_another_order_is_accepted_once(void **state)
{
    static struct race r;
    struct world *w = *state;

    race_start(&r, w);
    race_fill(&r, &w->node, 1000);
    for (size_t i = 1; i < GATEWAYS; i++)
        for (size_t round = 0; round < ROUNDS; round++)
            for (size_t k = 0; k < EACH; k++)
                r.clients[i].receipts[round][k] = r.clients[0].receipts[round][(i + EACH - k) % EACH];
    race_run(&r);
    assert_int_equal(race_count(&r, ITEM_ACCEPTED), ROUNDS * EACH);
    (void)race_end(&r);
    assert_int_equal(world_count(w, "SELECT SUM(count) FROM promises"), ROUNDS * EACH);
}

/* -- who joins while others write: what each may add without asking, and which times are its own, hangs on how many they are -- */

static unsigned post_array(struct world *w, struct intake *intake, unsigned count)
{
    struct signed_receipt receipts[16] = { 0 };
    struct submission s;
    struct err err = { 0 };
    unsigned accepted = 0;

    for (unsigned i = 0; i < count; i++)
        receipts[i] = world_receipt(w, &w->node, 1000);
    world_submission(&s, receipts, count);
    if (!intake_submit_wait(intake, &s, &err))
        fail_msg("%s", err.text);
    for (unsigned i = 0; i < count; i++)
        accepted += s.items[i].status == ITEM_ACCEPTED;
    submission_clear(&s);
    return accepted;
}

static void a_limit_holds_however_many_join(void **state)
{
    static const unsigned parts[] = { 9, 9, 7, 5, 4, 4 };
    struct world *w = *state;
    struct world_gateway joined[ARRAY_LEN(parts)];
    unsigned accepted;

    w->config.limits.daily_limit = amount_from_u64(30 * 2000);
    world_restart(w);
    accepted = post_array(w, w->intake, 1);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        world_join(w, &joined[i]);
        accepted += post_array(w, joined[i].intake, parts[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        world_leave(&joined[i]);
    assert_int_equal(accepted, 30);
    assert_books_balance(w);
    assert_amount_is(world_batch(w, 1).amount, 30 * 2000);
}

/* The clock stands still. */
static void no_two_groups_have_one_time_however_many_join(void **state)
{
    struct world *w = *state;
    struct world_gateway joined[5];

    for (size_t i = 0; i < ARRAY_LEN(joined); i++) {
        world_join(w, &joined[i]);
        for (size_t k = 0; k <= i; k++)
            for (size_t n = 0; n < 1 + k; n++)
                assert_int_equal(post_array(w, joined[k].intake, 1), 1);
    }
    for (size_t i = 0; i < ARRAY_LEN(joined); i++)
        world_leave(&joined[i]);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM (SELECT 1 FROM promises GROUP BY accepted_at HAVING COUNT(*) > 1) AS twice"), 0);
}

/* Settings change while all write: each receipt has the price of its time, and the books say so. */
struct setter { struct world *w; pthread_t thread; bool failed; };

static void *set_prices(void *self)
{
    struct setter *s = self;

    for (uint64_t price = 3; price < 13; price++) {
        struct price_version p = {
            .any_model = true, .effective_from_ms = FIXTURE_NOW - 2000,
            .split_bps = { [SPLIT_PROVIDER] = 7000, [SPLIT_CREATOR] = 2500, [SPLIT_PROTOCOL] = 500 },
        };
        struct err err = { 0 };

        p.per_million[METER_INPUT] = amount_from_u64(price * 1000000);
        s->failed |= !add_price(s->w->intake, "test", &p, &err);
        clock_sleep_ms(20);
    }
    return NULL;
}

static void receipts_have_the_price_of_their_time(void **state)
{
    static struct race r;
    struct world *w = *state;
    struct setter setter = { .w = w };

    race_start(&r, w);
    race_fill(&r, &w->node, 1000);
    assert_int_equal(pthread_create(&setter.thread, NULL, set_prices, &setter), 0);
    race_run(&r);
    pthread_join(setter.thread, NULL);
    assert_false(setter.failed);
    assert_int_equal(race_count(&r, ITEM_ACCEPTED), ALL);
    (void)race_end(&r);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipts WHERE price_version <> (SELECT MAX(version) FROM prices"
                                    " WHERE recorded_at <= receipts.accepted_at)"), 0);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(without_limits_nearly_all_groups_are_beside_others), IN_WORLD(a_days_limit_is_full_to_the_last_receipt),
        IN_WORLD(a_credit_is_used_to_the_last_receipt), IN_WORLD(no_batch_is_fuller_than_it_may_be),
        IN_WORLD(a_job_of_three_providers_is_billed_once), IN_WORLD(what_all_are_sent_is_accepted_once),
        IN_WORLD(what_all_are_sent_in_another_order_is_accepted_once), IN_WORLD(a_limit_holds_however_many_join),
        IN_WORLD(no_two_groups_have_one_time_however_many_join), IN_WORLD(receipts_have_the_price_of_their_time),
    };

    if (store_place_is_sqlite()) {
        print_message("intake: a file has one gateway, scripts/with-postgres gives a database\n");
        return 0;
    }
    setenv("QUITTANCE_TEST_BESIDE", "1", 1);
    return cmocka_run_group_tests_name("intake: gateways beside each other", tests, NULL, NULL);
}

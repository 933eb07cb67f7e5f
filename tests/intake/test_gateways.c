/* Two gateways on one store: what one has kept and settled the other judges by, from the next receipt on.  (SQLite has one.) */
#include <pthread.h>
#include <stdlib.h>

#include "tests/support/world.h"

#define EACH 25
#define ROUNDS 40

static struct intake_item post_at(struct intake *intake, const struct signed_receipt *r)
{
    struct intake_item item;
    struct submission s;
    struct err err = { 0 };

    world_submission(&s, r, 1);
    if (!intake_submit_wait(intake, &s, &err))
        fail_msg("%s", err.text);
    item = s.items[0];
    submission_clear(&s);
    return item;
}

/* The same receipts to both at once, in groups that fall as they may. */
struct client { pthread_t thread; struct intake *intake; struct signed_receipt (*receipts)[EACH]; size_t accepted, duplicate; bool failed; };

static void *post_all(void *self)
{
    struct client *c = self;
    struct submission s;
    struct err err = { 0 };

    for (size_t round = 0; round < ROUNDS; round++) {
        world_submission(&s, c->receipts[round], EACH);
        c->failed |= !intake_submit_wait(c->intake, &s, &err);
        for (size_t i = 0; i < EACH; i++) {
            c->accepted += s.items[i].status == ITEM_ACCEPTED;
            c->duplicate += s.items[i].status == ITEM_DUPLICATE;
        }
        submission_clear(&s);
    }
    return NULL;
}

static void what_comes_to_both_is_booked_once(void **state)
{
    static struct signed_receipt receipts[ROUNDS][EACH];
    struct world *w = *state;
    struct world_gateway other;
    struct client clients[4] = { { 0 } };
    size_t accepted = 0, duplicate = 0;
    uint64_t sum = 0;

    w->config.batch_amount_max = amount_from_u64(100000000);      /* a few batches, closed by either */
    world_restart(w);
    world_join(w, &other);
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < EACH; i++) {
            uint64_t tokens = rng_below(&w->rng, 1000000);

            receipts[round][i] = world_receipt(w, i % 2 == 0 ? &w->node : &w->other, tokens);
            sum += 2 * tokens;
        }
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        clients[i].intake = i % 2 == 0 ? w->intake : other.intake;
        clients[i].receipts = receipts;
        assert_int_equal(pthread_create(&clients[i].thread, NULL, post_all, &clients[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        pthread_join(clients[i].thread, NULL);
        assert_false(clients[i].failed);
        accepted += clients[i].accepted;
        duplicate += clients[i].duplicate;
    }
    world_leave(&other);
    assert_int_equal(accepted, ROUNDS * EACH);
    assert_int_equal(duplicate, (ARRAY_LEN(clients) - 1) * ROUNDS * EACH);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipts"), ROUNDS * EACH);
    assert_int_equal(world_count(w, "SELECT SUM(count) FROM promises"), ROUNDS * EACH);
    assert_true(world_count(w, "SELECT COUNT(*) FROM batches") > 5);
    assert_books_balance(w);
    for (uint64_t batch = world_count(w, "SELECT MAX(number) FROM batches"); batch > 0; batch--) {
        struct batch_row row = world_batch(w, batch);

        assert_true(sum >= row.amount.base_units.limb[0]);
        sum -= row.amount.base_units.limb[0];
    }
    assert_int_equal(sum, 0);
}

#define BUNDLE 200

/* Each gateway is sent half of what the other took last, and as much that is new. */
static void what_one_took_in_a_bundle_the_other_knows(void **state)
{
    struct world *w = *state;
    struct signed_receipt list[BUNDLE];
    struct world_gateway other;
    struct submission s;
    struct err err = { 0 };

    world_join(w, &other);
    for (unsigned round = 0; round < 4; round++) {
        for (size_t i = round == 0 ? 0 : BUNDLE / 2; i < BUNDLE; i++)
            list[i] = world_receipt(w, &w->node, 1000);
        world_submission(&s, list, BUNDLE);
        world_bundle(w, &w->node, &s);
        assert_true(intake_submit_wait(round % 2 == 0 ? w->intake : other.intake, &s, &err));
        for (size_t i = 0; i < BUNDLE; i++)
            assert_int_equal(s.items[i].status, round == 0 || i >= BUNDLE / 2 ? ITEM_ACCEPTED : ITEM_DUPLICATE);
        memcpy(list, list + BUNDLE / 2, sizeof list / 2);
        submission_clear(&s);
    }
    world_leave(&other);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipts"), BUNDLE + 3 * BUNDLE / 2);
    assert_books_balance(w);
}

/* For jobs that end from now on. */
static void set_price(struct world *w, uint64_t per_token)
{
    struct price_version p = {
        .any_model = true, .effective_from_ms = w->now_ms - 2000,
        .split_bps = { [SPLIT_PROVIDER] = 7000, [SPLIT_CREATOR] = 2500, [SPLIT_PROTOCOL] = 500 },
    };
    struct err err = { 0 };

    p.per_million[METER_INPUT] = amount_from_u64(per_token * 1000000);
    if (!add_price(w->intake, "test", &p, &err))
        fail_msg("%s", err.text);
}

static void a_price_set_at_one_is_what_the_other_asks(void **state)
{
    struct world *w = *state;
    struct world_gateway other;

    world_join(w, &other);
    for (uint64_t price = 3; price < 8; price++) {
        struct signed_receipt r = world_receipt(w, &w->node, 1000);
        struct intake_item item;

        set_price(w, price);
        item = post_at(other.intake, &r);
        assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
        assert_amount_is(item.amount, price * 1000);
    }
    world_leave(&other);
}

/* How many of `count` receipts, posted at one and the other by turns, get this answer; both have read the configuration anew. */
static unsigned posted_by_turns(struct world *w, const struct party *provider, unsigned count, uint64_t tokens, enum item_status status)
{
    struct world_gateway other;
    unsigned counted = 0;

    world_restart(w);
    world_join(w, &other);
    for (unsigned i = 0; i < count; i++) {
        struct signed_receipt r = world_receipt(w, provider, tokens);

        counted += post_at(i % 2 == 0 ? w->intake : other.intake, &r).status == status;
    }
    world_leave(&other);
    return counted;
}

static void strangers_fill_the_quarantine_of_both(void **state)
{
    struct world *w = *state;

    w->config.quarantine_max = 10;
    assert_int_equal(posted_by_turns(w, &w->stranger, 20, 10, ITEM_QUARANTINED), 10);
}

static void a_days_limit_is_one_for_both(void **state)
{
    struct world *w = *state;

    w->config.limits.daily_limit = amount_from_u64(20000);        /* ten receipts of 2000 */
    assert_int_equal(posted_by_turns(w, &w->node, 16, 1000, ITEM_ACCEPTED), 10);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(what_comes_to_both_is_booked_once), IN_WORLD(what_one_took_in_a_bundle_the_other_knows),
        IN_WORLD(a_price_set_at_one_is_what_the_other_asks),
        IN_WORLD(strangers_fill_the_quarantine_of_both), IN_WORLD(a_days_limit_is_one_for_both),
    };

    if (store_place_is_sqlite()) {
        print_message("intake: a file has one gateway, scripts/with-postgres gives a database\n");
        return 0;
    }
    return cmocka_run_group_tests_name("intake: two gateways", tests, NULL, NULL);
}

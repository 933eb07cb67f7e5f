/* Prices that a market moves, capacity that providers announce, quotes that fix a price. */
#include "gateway/intake/offer.h"
#include "store/market.h"
#include "store/quotes.h"
#include "tests/support/world.h"

#include <stdio.h>

#define MINUTE UINT64_C(60000)
#define ONE MARKET_ONE

static const struct market_rule minutely = { 60, 5000, 500, 1000, 5000, 20000 };

static void must(bool ok, const struct err *err)
{
    if (!ok)
        fail_msg("%s", err->text);
}

/* The clock stands at the start of a window; the world's fixed price makes way for a base of 2 units a token. */
static uint64_t open_market(struct world *w, struct market_rule rule)
{
    struct price_version p = { .model = w->model, .market = rule, .split_bps = { 7000, 2500, 500 } };
    struct err err = { 0 };

    w->now_ms = w->now_ms - w->now_ms % MINUTE + MINUTE;
    p.effective_from_ms = w->now_ms - 1000;
    p.per_million[METER_INPUT] = amount_from_u64(2000000);
    must(add_price(w->intake, "test", &p, &err), &err);
    w->now_ms += MINUTE - w->now_ms % MINUTE;
    return p.version;
}

static bool announce_for(struct world *w, const struct party *provider, uint64_t units, uint64_t from_ms, uint64_t life_ms, struct err *err)
{
    struct announcement a = { .capacity = { provider->address, w->model, units, from_ms, from_ms + life_ms } };
    enum admit_result result;

    a.signature = world_sign_hash(w, provider, capacity_struct_hash(&a.capacity));
    return announce_capacity(w->intake, &a, &result, err);
}

static void announce(struct world *w, const struct party *provider, uint64_t units)
{
    struct err err = { 0 };

    must(announce_for(w, provider, units, w->now_ms, 30 * MINUTE, &err), &err);
}

static struct signed_receipt post_job(struct world *w, uint64_t tokens)
{
    struct signed_receipt r = world_receipt(w, &w->node, tokens);
    struct intake_item item;

    r.receipt.finished_at_ms = r.receipt.started_at_ms = w->now_ms;
    world_sign(w, &w->node, &r);
    item = world_post_one(w, &r);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    return r;
}

static bool keep_last(void *self, const struct price_version *p)
{
    *(struct price_version *)self = *p;
    return true;
}

static struct price_version last_version(struct world *w)
{
    struct price_version p;
    struct err err = { 0 };

    must(store_prices(w->db, 0, 100000, keep_last, &p, &err), &err);
    return p;
}

static struct market_row market_now(struct world *w)
{
    struct market_row row;
    struct err err = { 0 };
    size_t count;

    must(store_markets_due(w->db, UINT64_MAX, &row, 1, &count, &err), &err);
    assert_int_equal(count, 1);
    return row;
}

/* -- steps -- */

static void demand_above_the_target_raises_the_price_when_the_window_ends(void **state)
{
    struct world *w = *state;
    uint64_t base = open_market(w, minutely), from_ms;
    struct price_version p;
    struct signed_receipt r;

    from_ms = w->now_ms;
    announce(w, &w->node, 100);                   /* in the first millisecond of the window: it counts */
    (void)post_job(w, 4000);
    w->now_ms += MINUTE - 1 - w->now_ms % MINUTE;
    r = post_job(w, 2000);                        /* the last millisecond of it: 6000 of 6000 units */
    assert_amount_is(world_row(w, &r).amount, 4000);
    w->now_ms += 1000;
    r = post_job(w, 1000);
    p = last_version(w);
    assert_int_equal(p.step.base, base);
    assert_int_equal(p.step.from_ms, from_ms);
    assert_int_equal(p.step.demand.limb[0], 6000);
    assert_int_equal(p.step.capacity.limb[0], 6000);
    assert_int_equal(p.step.multiplier.limb[0], ONE + ONE / 10);
    assert_int_equal(p.effective_from_ms, from_ms + MINUTE);
    assert_int_equal(world_row(w, &r).price_version, p.version);
    assert_amount_is(world_row(w, &r).amount, 2200);
    assert_books_balance(w);
}

static void a_restart_in_the_middle_of_a_window_changes_nothing(void **state)
{
    struct world *w = *state;

    (void)open_market(w, minutely);
    announce(w, &w->node, 100);
    (void)post_job(w, 3000);
    world_restart(w);
    (void)post_job(w, 1500);
    world_restart(w);
    w->now_ms += MINUTE;
    (void)post_job(w, 1);
    assert_int_equal(last_version(w).step.demand.limb[0], 4500);
    assert_int_equal(last_version(w).step.multiplier.limb[0], ONE + ONE / 20);       /* half as much again as the target */
}

static void a_thousand_missed_windows_are_judged_as_they_would_have_been(void **state)
{
    struct world *w = *state;
    struct market_row m;
    struct signed_receipt r;

    (void)open_market(w, minutely);
    announce(w, &w->node, 100);
    w->now_ms += 1000 * MINUTE;
    r = post_job(w, 1000);
    m = market_now(w);
    /* Half an hour of announced capacity and no demand: to the floor in eight steps, and no version a window after that. */
    assert_int_equal(m.multiplier.limb[0], ONE / 2);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM price_steps"), 8);
    assert_int_equal(m.next_ms, w->now_ms - w->now_ms % MINUTE);
    assert_amount_is(world_row(w, &r).amount, 1000);
}

static void without_announced_capacity_nothing_moves(void **state)
{
    struct world *w = *state;

    (void)open_market(w, minutely);
    for (int i = 0; i < 5; i++, w->now_ms += MINUTE)
        (void)post_job(w, 100000);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM price_steps"), 0);
    assert_int_equal(market_now(w).multiplier.limb[0], ONE);
}

static void an_operators_version_ends_the_market_where_it_takes_effect(void **state)
{
    struct world *w = *state;
    struct price_version p = { .model = w->model, .split_bps = { 7000, 2500, 500 } };
    struct signed_receipt r;
    struct err err = { 0 };
    size_t count;
    struct market_row row;

    (void)open_market(w, minutely);
    announce(w, &w->node, 100);
    p.per_million[METER_INPUT] = amount_from_u64(7000000);
    p.effective_from_ms = w->now_ms - 1;
    assert_false(add_price(w->intake, "test", &p, &err));
    assert_non_null(strstr(err.text, "effectiveFrom: not in the past while a market moves"));
    p.effective_from_ms = w->now_ms + 3 * MINUTE;
    must(add_price(w->intake, "test", &p, &err), &err);
    w->now_ms += 10 * MINUTE;
    r = post_job(w, 1000);
    assert_int_equal(world_row(w, &r).price_version, p.version);
    assert_amount_is(world_row(w, &r).amount, 7000);
    must(store_markets_due(w->db, UINT64_MAX, &row, 1, &count, &err), &err);
    assert_int_equal(count, 0);
    assert_true(last_version(w).effective_from_ms < p.effective_from_ms || last_version(w).version == p.version);
}

static bool also_fails(void *self, struct group *group, const struct price_version *p, struct err *err)
{
    (void)self;
    (void)group;
    (void)p;
    return err_set(err, ERR_INVALID, "on purpose");
}

/* The change that begins the group takes the steps down with it: they must be there all the same, once. */
static void steps_outlive_a_task_that_fails(void **state)
{
    struct world *w = *state;
    struct price_version p = { .any_model = true, .split_bps = { 7000, 2500, 500 } };
    struct signed_receipt r;
    struct err err = { 0 };

    (void)open_market(w, minutely);
    announce(w, &w->node, 100);
    w->now_ms += 2 * MINUTE + 1000;
    p.effective_from_ms = w->now_ms;
    assert_false(add_price_and(w->intake, "test", &p, also_fails, NULL, &err));
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM price_steps"), 0);
    r = post_job(w, 1000);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM price_steps"), 2);
    assert_int_equal(world_row(w, &r).price_version, last_version(w).version);
}

/* -- capacity -- */

static void only_admitted_providers_announce_and_only_what_is_newer(void **state)
{
    struct world *w = *state;
    uint64_t now_ms;
    struct err err = { 0 };

    (void)open_market(w, minutely);
    now_ms = w->now_ms;
    assert_false(announce_for(w, &w->stranger, 5, now_ms, MINUTE, &err));
    assert_non_null(strstr(err.text, "provider: this provider is not admitted"));
    assert_false(announce_for(w, &w->node, CAPACITY_UNITS_MAX + 1, now_ms, MINUTE, &err));
    assert_non_null(strstr(err.text, "unitsPerSecond"));
    assert_false(announce_for(w, &w->node, 5, now_ms, CAPACITY_LIFE_MAX_MS + 1, &err));
    assert_non_null(strstr(err.text, "validUntil"));
    assert_false(announce_for(w, &w->node, 5, now_ms + CAPACITY_SKEW_MS + 1000, MINUTE, &err));
    assert_non_null(strstr(err.text, "validFrom"));
    must(announce_for(w, &w->node, 5, now_ms, MINUTE, &err), &err);
    must(announce_for(w, &w->node, 5, now_ms, MINUTE, &err), &err);          /* the same again */
    must(announce_for(w, &w->node, 6, now_ms + 1, MINUTE, &err), &err);
    assert_false(announce_for(w, &w->node, 5, now_ms, MINUTE, &err));         /* an old one sent again changes nothing */
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM capacities"), 2);
}

static void announcements_of_one_provider_are_limited(void **state)
{
    struct world *w = *state;
    struct err err = { 0 };
    unsigned taken = 0;

    (void)open_market(w, minutely);
    while (taken < 1000 && announce_for(w, &w->node, 5, w->now_ms + taken, MINUTE, &err))
        taken++;
    assert_int_equal(taken, CAPACITY_BURST);
    assert_int_equal(err.code, ERR_LIMIT);
    must(announce_for(w, &w->other, 5, w->now_ms, MINUTE, &err), &err);
}

static void an_expelled_provider_counts_no_more_from_the_next_window_on(void **state)
{
    struct world *w = *state;
    struct err err = { 0 };

    (void)open_market(w, minutely);
    announce(w, &w->node, 100);
    announce(w, &w->other, 300);
    w->now_ms += MINUTE + 1000;
    must(expel_provider(w->intake, "test", w->other.address, &err), &err);
    w->now_ms += MINUTE;
    (void)post_job(w, 1);
    assert_int_equal(last_version(w).step.capacity.limb[0], 400 * 60);      /* it was there when that window began */
    w->now_ms += MINUTE;
    (void)post_job(w, 1);
    assert_int_equal(last_version(w).step.capacity.limb[0], 100 * 60);
}

/* -- quotes -- */

static struct quoting quote_for(struct world *w, const struct party *provider, const struct party *consumer)
{
    struct quoting q = { .quote.quote.model = w->model };
    struct err err = { 0 };

    if (provider != NULL)
        q.quote.quote.provider = provider->address;
    if (consumer != NULL)
        q.quote.quote.consumer = consumer->address;
    must(issue_quote(w->intake, &q, NULL, NULL, &err), &err);
    assert_true(fixture_signed_by(&q.quote.signature, typed_digest(&w->config.domain, quote_struct_hash(&q.quote.quote)),
                                  signer_address(w->signer)));
    return q;
}

static struct signed_receipt naming(struct world *w, const struct party *provider, const struct quoting *q)
{
    struct signed_receipt r = world_receipt(w, provider, 1000);

    r.receipt.started_at_ms = r.receipt.finished_at_ms = w->now_ms;
    r.receipt.consumer = w->consumer.address;
    r.receipt.quote = quote_struct_hash(&q->quote.quote);
    world_sign(w, provider, &r);
    return r;
}

static void a_receipt_that_names_a_quote_is_priced_by_its_version(void **state)
{
    struct world *w = *state;
    struct quoting q = quote_for(w, &w->node, &w->consumer), open = quote_for(w, NULL, NULL);
    struct signed_receipt r, any;
    struct intake_item item;

    w->now_ms += 1000;
    world_price(w, &w->model, 9000000);
    w->now_ms += 1000;
    r = naming(w, &w->node, &q);
    item = world_post_one(w, &r);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_amount_is(item.amount, 2000);
    assert_int_equal(world_row(w, &r).price_version, q.quote.quote.price_version);
    any = naming(w, &w->other, &open);
    item = world_post_one(w, &any);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_amount_is(item.amount, 2000);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM quotes WHERE used = 1"), 2);
}

enum spoil { OTHER_PROVIDER, OTHER_CONSUMER, OTHER_MODEL, TOO_LATE, UNKNOWN };
static struct quote_case { const char *name; enum spoil spoil; const char *told; } mismatches[] = {
    { "a quote for another provider is held",  OTHER_PROVIDER, "another provider" },
    { "a quote for another consumer is held",  OTHER_CONSUMER, "another consumer" },
    { "a quote for another model is held",     OTHER_MODEL,    "another model" },
    { "a quote that had run out is held",      TOO_LATE,       "had run out" },
    { "a quote nobody issued is held",         UNKNOWN,        "no such quote" },
};
static const struct quote_case *current;      /* cmocka's state is the world */

static void price_all(struct world *w, uint64_t per_million)
{
    struct price_version p = { .any_model = true, .effective_from_ms = w->now_ms, .split_bps = { 7000, 2500, 500 } };
    struct err err = { 0 };

    p.per_million[METER_INPUT] = amount_from_u64(per_million);
    must(add_price(w->intake, "test", &p, &err), &err);
}

static void mismatch_is_held_and_released_by_the_list(void **state)
{
    struct world *w = *state;
    struct quoting q = quote_for(w, &w->node, &w->consumer);
    struct signed_receipt r;
    struct intake_item item;
    struct err err = { 0 };

    w->now_ms += 1000;
    price_all(w, 9000000);
    w->now_ms += 1000;
    if (current->spoil == TOO_LATE)
        w->now_ms += w->config.quote_max_ms;
    r = naming(w, current->spoil == OTHER_PROVIDER ? &w->other : &w->node, &q);
    if (current->spoil == OTHER_CONSUMER)
        r.receipt.consumer = w->stranger.address;
    if (current->spoil == OTHER_MODEL)
        r.receipt.model = w->parent;
    if (current->spoil == UNKNOWN)
        r.receipt.quote.b[0] ^= 1;
    world_sign(w, current->spoil == OTHER_PROVIDER ? &w->other : &w->node, &r);
    item = world_post_one(w, &r);
    assert_item(&item, ITEM_QUARANTINED, CODE_QUOTE_MISMATCH);
    assert_non_null(strstr(world_row(w, &r).faults, current->told));
    must(release_receipt(w->intake, "test", r.receipt.job_id, r.receipt.provider, "agreed", &err), &err);
    assert_amount_is(world_row(w, &r).amount, 9000);
    assert_books_balance(w);
}

#define MISMATCH(i) \
    static void mismatch_##i(void **state) { current = &mismatches[i]; mismatch_is_held_and_released_by_the_list(state); }
MISMATCH(0) MISMATCH(1) MISMATCH(2) MISMATCH(3) MISMATCH(4)

static void quotes_of_one_sender_are_limited_and_need_a_price(void **state)
{
    struct world *w = *state;
    struct quoting q = { .quote.quote.model = { { 77 } } };
    struct err err = { 0 };
    unsigned taken = 0;

    assert_false(issue_quote(w->intake, &q, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    q.quote.quote.model = w->model;
    while (taken < 1000 && issue_quote(w->intake, &q, NULL, NULL, &err))
        taken++;
    assert_in_range(taken, QUOTE_BURST, QUOTE_BURST + QUOTE_RATE);      /* each takes a millisecond, which brings a little */
    assert_int_equal(err.code, ERR_LIMIT);
    q.sender = w->node.address;
    must(issue_quote(w->intake, &q, NULL, NULL, &err), &err);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(demand_above_the_target_raises_the_price_when_the_window_ends),
        TEST(a_restart_in_the_middle_of_a_window_changes_nothing),
        TEST(a_thousand_missed_windows_are_judged_as_they_would_have_been),
        TEST(without_announced_capacity_nothing_moves),
        TEST(an_operators_version_ends_the_market_where_it_takes_effect),
        TEST(steps_outlive_a_task_that_fails),
        TEST(only_admitted_providers_announce_and_only_what_is_newer),
        TEST(announcements_of_one_provider_are_limited),
        TEST(an_expelled_provider_counts_no_more_from_the_next_window_on),
        TEST(a_receipt_that_names_a_quote_is_priced_by_its_version),
        TEST(mismatch_0), TEST(mismatch_1), TEST(mismatch_2), TEST(mismatch_3), TEST(mismatch_4),
        TEST(quotes_of_one_sender_are_limited_and_need_a_price),
    };

    return cmocka_run_group_tests_name("market", tests, NULL, NULL);
}

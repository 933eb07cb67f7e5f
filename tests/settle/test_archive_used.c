/* What an archive must hold besides what its receipts were priced by. */
#include "gateway/intake/offer.h"
#include "gateway/settle/archive_used.h"
#include "gateway/settle/sets.h"
#include "store/catalog.h"
#include "store/meta.h"
#include "tests/support/world.h"

#define MINUTE UINT64_C(60000)

static const struct market_rule minutely = { 60, 5000, 500, 1000, 5000, 20000 };

static void must(bool ok, const struct err *err)
{
    if (!ok)
        fail_msg("%s", err->text);
}

static uint64_t set_price(struct world *w, struct market_rule rule, uint64_t from_ms)
{
    struct price_version p = { .model = w->model, .market = rule, .effective_from_ms = from_ms, .split_bps = { 7000, 2500, 500 } };
    struct err err = { 0 };

    p.per_million[METER_INPUT] = amount_from_u64(2000000);
    must(add_price(w->intake, "test", &p, &err), &err);
    return p.version;
}

static bool holds_price(const struct used *used, uint64_t version)
{
    for (size_t i = 0; i < used->prices.count; i++)
        if (((const struct price_version *)used->prices.list[i])->version == version)
            return true;
    return false;
}

/* A job that ended under the base and came in when another price stood: an audit that did not know that one would go on
 * judging the market, and miss its steps.  The other was recorded first, so it has the smaller number. */
static void what_took_the_place_of_a_market_is_published_unused(void **state)
{
    struct world *w = *state;
    const uint64_t start_ms = w->now_ms - w->now_ms % MINUTE + MINUTE;
    uint64_t before, next, base, later;
    struct batch_receipts *receipts;
    struct signed_receipt r;
    struct intake_item item;
    struct used used;
    struct err err = { 0 };

    before = set_price(w, (struct market_rule){ 0 }, start_ms - 60000);
    next = set_price(w, (struct market_rule){ 0 }, start_ms + 2 * MINUTE);
    base = set_price(w, minutely, start_ms);
    later = set_price(w, (struct market_rule){ 0 }, start_ms + 60 * MINUTE);
    w->now_ms = start_ms + 5 * MINUTE;
    r = world_receipt(w, &w->node, 10);
    r.receipt.finished_at_ms = r.receipt.started_at_ms = start_ms + MINUTE;
    world_sign(w, &w->node, &r);
    item = world_post_one(w, &r);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    must(batch_receipts_open(w->db, 1, &receipts, &err) && used_collect(w->db, &w->config.domain, receipts, &used, &err), &err);
    assert_true(holds_price(&used, base));
    assert_true(holds_price(&used, next));
    assert_false(holds_price(&used, before));
    assert_false(holds_price(&used, later));            /* it is not in force yet */
    used_clear(&used);
    batch_receipts_close(receipts);
}

/* Its receipt runs out of the quote, is released and priced by the list; the quote's line is published all the same. */
static void a_quote_that_does_not_bind_brings_its_price(void **state)
{
    struct world *w = *state;
    struct quoting q = { .quote.quote.model = w->model };
    uint64_t quoted = set_price(w, (struct market_rule){ 0 }, w->now_ms + 1), listed;
    struct batch_receipts *receipts;
    struct signed_receipt r;
    struct intake_item item;
    struct used used;
    struct err err = { 0 };

    w->now_ms += 1000;
    must(issue_quote(w->intake, &q, NULL, NULL, &err), &err);
    assert_int_equal(q.price.version, quoted);
    listed = set_price(w, (struct market_rule){ 0 }, w->now_ms + MINUTE);
    w->now_ms = q.quote.quote.valid_until_ms + MINUTE;
    r = world_receipt(w, &w->node, 10);
    r.receipt.quote = quote_struct_hash(&q.quote.quote);
    world_sign(w, &w->node, &r);
    item = world_post_one(w, &r);
    assert_item(&item, ITEM_QUARANTINED, CODE_QUOTE_MISMATCH);
    must(release_receipt(w->intake, "test", r.receipt.job_id, r.receipt.provider, "a word", &err), &err);
    must(batch_receipts_open(w->db, 1, &receipts, &err) && used_collect(w->db, &w->config.domain, receipts, &used, &err), &err);
    assert_int_equal(used.offers.quote_count, 1);
    assert_true(holds_price(&used, listed));
    assert_true(holds_price(&used, quoted));
    used_clear(&used);
    batch_receipts_close(receipts);
}

static struct hash issue(struct world *w)
{
    struct quoting q = { .quote.quote.model = w->model };
    struct err err = { 0 };

    w->now_ms += 1000;
    must(issue_quote(w->intake, &q, NULL, NULL, &err), &err);
    return quote_struct_hash(&q.quote.quote);
}

static void count_price(void *self, const struct price_version *p)
{
    (void)p;
    ++*(size_t *)self;
}

/* Its price, too, may be younger than the catalog that the archive was begun with. */
static void a_quote_that_is_issued_meanwhile_is_left_out(void **state)
{
    struct world *w = *state;
    struct hash named[3] = { { { 0 } } };
    struct offers offers = { 0 };
    const struct price_version none = { 0 };
    struct catalog *catalog;
    struct last_group last;
    uint64_t settings;
    size_t prices = 0;
    struct err err = { 0 };

    set_price(w, (struct market_rule){ 0 }, w->now_ms + 1);
    named[0] = issue(w);
    must(store_meta_group(w->db, &last, &err) && store_catalog_load(w->db, &catalog, &settings, &err), &err);
    offers.until_ms = last.now_ms;
    named[1] = issue(w);
    named[2].b[0] = 7;                        /* never issued */
    for (size_t i = 0; i < ARRAY_LEN(named); i++)
        offers_of_receipt(&offers, &none, &(struct receipt){ .quote = named[i] }, w->now_ms);
    must(offers_quoted(&offers, catalog, w->db, count_price, &prices, &err), &err);
    assert_int_equal(offers.quote_count, 1);
    assert_true(hash_eq(offers.quotes[0], named[0]));
    assert_int_equal(prices, 1);
    offers_clear(&offers);
    catalog_free(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_took_the_place_of_a_market_is_published_unused, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_quote_that_does_not_bind_brings_its_price, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_quote_that_is_issued_meanwhile_is_left_out, world_setup, world_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

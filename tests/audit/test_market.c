/* Steps of a market judged again from published lines, with one lie planted; and quote lines. */
#include "gateway/audit/market.h"
#include "gateway/audit/quotes.h"
#include "tests/support/fixture.h"
#include "tests/support/history_parts.h"
#include "tests/support/libraries.h"

#include <stdio.h>

#define MINUTE UINT64_C(60000)
#define WINDOWS 6
#define BASE_VERSION 3

enum { HONEST, MULTIPLIER, DEMAND, CAPACITY, PRICE, SPLIT, MISSING_STEP, NEEDLESS_STEP, TOO_EARLY, RECORDED_EARLY, UNSIGNED, NOT_ADMITTED,
       WITHDRAWN_UNITS, REPLACED, RECEIPT_HIDDEN };

static const struct market_rule rule = { 60, 5000, 500, 1000, 5000, 20000 };
/* Units a window, of a capacity of 6000: above, above, at the target, none, above, above. */
static const uint64_t demands[WINDOWS] = { 6000, 4500, 3000, 0, 4000, 6000 };

/* What a settlement publishes, as an operator who lies would. */
struct published {
    struct domain domain;
    struct price_version base, steps[WINDOWS], later;
    size_t step_count;
    bool has_later;
    struct announcement announced;
    struct archive_receipt receipts[WINDOWS + 1];
    size_t receipt_count;
    struct provider provider;
};

static uint64_t start_ms(void)
{
    return START_MS - START_MS % MINUTE;
}

static void add_receipt(struct published *p, uint64_t at_ms, uint64_t units, uint64_t version)
{
    struct archive_receipt *r = &p->receipts[p->receipt_count++];

    *r = (struct archive_receipt){ .accepted_at_ms = at_ms, .price_version = version };
    r->receipt.receipt.count[METER_INPUT] = units;
}

static void publish(struct published *p, int lie)
{
    struct u256 m = u256_from_u64(MARKET_ONE), capacity = u256_from_u64(6000);
    struct capacity *c = &p->announced.capacity;
    uint64_t version = BASE_VERSION;

    *p = (struct published){ 0 };
    domain_init(&p->domain, 31337, (struct address){ { 0xc0 } });
    p->provider = (struct provider){ .address = address_of(PROVIDER_A), .payout = address_of(PROVIDER_A), .since_ms = 1, .admitted = true };
    p->base = (struct price_version){ .version = BASE_VERSION, .model = { { 1 } }, .market = rule, .split_bps = { 7000, 2500, 500 },
                                      .effective_from_ms = start_ms() - 1000, .recorded_at_ms = start_ms() - 1000 };
    p->base.per_million[METER_INPUT] = amount_from_u64(1000);
    *c = (struct capacity){ p->provider.address, p->base.model, 100, start_ms(), start_ms() + 30 * MINUTE };
    p->announced.recorded_at_ms = start_ms();
    for (size_t i = 0; i < WINDOWS; i++) {
        struct market_step step = { BASE_VERSION, start_ms() + i * MINUTE, u256_from_u64(demands[i]), capacity, U256_ZERO };

        if (demands[i] > 0)
            add_receipt(p, step.from_ms + 5, demands[i], version);
        step.multiplier = market_next(&rule, m, step.demand, capacity);
        if (lie == MULTIPLIER && i == 1)
            step.multiplier.limb[0]++;
        if (u256_cmp(step.multiplier, m) == 0 && !(lie == NEEDLESS_STEP && i == 2))
            continue;
        m = step.multiplier;
        price_after_step(&p->base, &step, &p->steps[p->step_count]);
        p->steps[p->step_count].version = ++version;
        p->steps[p->step_count].recorded_at_ms = p->steps[p->step_count].effective_from_ms + 3;
        p->step_count++;
    }
    add_receipt(p, start_ms() + WINDOWS * MINUTE + 10, 1, version);
    p->announced.signature = signed_by_key(lie == UNSIGNED ? PROVIDER_B : PROVIDER_A, typed_digest(&p->domain, capacity_struct_hash(c)));
    switch (lie) {
    case DEMAND:          p->steps[0].step.demand = u256_from_u64(5999); break;
    case CAPACITY:        p->steps[0].step.capacity = u256_from_u64(6001); break;
    case PRICE:           p->steps[1].per_million[METER_INPUT].base_units.limb[0]++; break;
    case SPLIT:           p->steps[1].split_bps[0]++; p->steps[1].split_bps[1]--; break;
    case MISSING_STEP:    p->step_count--; p->receipts[p->receipt_count - 1].price_version--; break;
    case TOO_EARLY:       p->steps[0].step.from_ms -= MINUTE; p->steps[0].effective_from_ms -= MINUTE; break;
    case RECORDED_EARLY:  p->steps[0].recorded_at_ms = p->steps[0].effective_from_ms - 1; break;
    case NOT_ADMITTED:    p->provider.since_ms = start_ms() + 1; break;
    case WITHDRAWN_UNITS: p->announced.withdrawn = true; break;
    case RECEIPT_HIDDEN:  p->receipt_count--; p->receipts[0] = p->receipts[p->receipt_count - 1]; p->receipt_count--; break;
    case REPLACED:
        p->has_later = true;
        p->later = (struct price_version){ .version = 99, .model = p->base.model, .effective_from_ms = start_ms() + 2 * MINUTE,
                                           .recorded_at_ms = start_ms() + 1 };
        break;
    default: break;
    }
}

static bool judge(const struct published *p, enum market_trust trust, struct err *err)
{
    struct market_audit *m = market_audit_new(&p->domain);
    struct catalog *catalog = catalog_new();
    bool ok;

    catalog_add_provider(catalog, &p->provider);
    catalog_add_price(catalog, &p->base);
    if (p->has_later)
        catalog_add_price(catalog, &p->later);
    for (size_t i = 0; i < p->step_count; i++) {
        catalog_add_price(catalog, &p->steps[i]);
        market_audit_price(m, &p->steps[i]);
    }
    catalog_seal(catalog);
    ok = market_audit_capacity(m, &p->announced, 7, err);
    for (size_t i = 0; ok && i < p->receipt_count; i++)
        ok = market_audit_receipt(m, catalog, &p->receipts[i], err);
    ok = ok && market_audit_settle(m, catalog, trust, 7, err);
    catalog_free(catalog);
    market_audit_free(m);
    return ok;
}

static struct lie_case { const char *name; int lie; const char *told; } cases[] = {
    { "a true market stands",                       HONEST,          NULL },
    { "a multiplier one part in 10^18 too high",    MULTIPLIER,      "settlement 7: market: price version 5, multiplier: expected" },
    { "a demand that receipts do not give",         DEMAND,          "price version 4, demand: expected 6000, found 5999" },
    { "a capacity that nobody announced",           CAPACITY,        "price version 4, capacity: expected 6000, found 6001" },
    { "a price that does not follow",               PRICE,           "price version 5, inputTokens: expected" },
    { "a split that changed on the way",            SPLIT,           "price version 5, split and unit: expected those of its base" },
    { "a step that was left out",                   MISSING_STEP,    "expected a step, found none" },
    { "a step within the dead band",                NEEDLESS_STEP,   "expected no step, as nothing moved, found one" },
    { "a step before the market began",             TOO_EARLY,       "price version 4, from: expected" },
    { "a step recorded before its window ended",    RECORDED_EARLY,  "price version 4, recordedAt: expected" },
    { "capacity that its provider did not sign",    UNSIGNED,        "settlement 7: signature: capacity of 0x" },
    { "capacity of a provider not admitted yet",    NOT_ADMITTED,    "expected an admitted provider, found none" },
    { "capacity without a signature",               WITHDRAWN_UNITS, "settlement 7: catalog: capacity of 0x" },
    { "a step after an operator's own version",     REPLACED,        "base: expected 0, found 3" },
    { "a receipt kept out of the archives",         RECEIPT_HIDDEN,  "price version 4, demand: expected" },
};

static void lie_is_named(void **state)
{
    const struct lie_case *c = *state;
    struct published p;
    struct err err = { 0 };
    bool ok;

    publish(&p, c->lie);
    ok = judge(&p, MARKET_EXACT, &err);
    if (c->told == NULL && !ok)
        fail_msg("%s", err.text);
    if (c->told != NULL && (ok || strstr(err.text, c->told) == NULL))
        fail_msg("wanted \"%s\", got \"%s\"", c->told, ok ? "nothing" : err.text);
}

/* While receipts are missing, a demand may be more than what is known, and never less. */
static void hidden_receipts_are_allowed_for_and_no_more(void **state)
{
    struct published p;
    struct err err = { 0 };

    (void)state;
    publish(&p, RECEIPT_HIDDEN);
    if (!judge(&p, MARKET_PARTLY, &err))
        fail_msg("%s", err.text);
    publish(&p, DEMAND);
    assert_false(judge(&p, MARKET_PARTLY, &err));
    publish(&p, MULTIPLIER);
    assert_false(judge(&p, MARKET_PARTLY, &err));
}

/* Two settlements: the first two windows' receipts and steps in one that an earlier audit found true, the rest in the next. */
static bool judge_in_two(const struct published *p, struct err *err)
{
    struct market_audit *m = market_audit_new(&p->domain);
    struct catalog *catalog = catalog_new();
    bool ok = true;

    catalog_add_provider(catalog, &p->provider);
    catalog_add_price(catalog, &p->base);
    for (size_t i = 0; i < p->step_count; i++)
        catalog_add_price(catalog, &p->steps[i]);
    catalog_seal(catalog);
    assert_true(market_audit_capacity(m, &p->announced, 6, err));
    for (size_t part = 0; ok && part < 2; part++) {
        for (size_t i = 0; i < p->step_count; i++)
            if ((i < 2) == (part == 0))
                market_audit_price(m, &p->steps[i]);
        for (size_t i = 0; i < p->receipt_count; i++)
            if ((i < 2) == (part == 0))
                assert_true(market_audit_receipt(m, catalog, &p->receipts[i], err));
        ok = market_audit_settle(m, catalog, part == 0 ? MARKET_KNOWN : MARKET_EXACT, 6 + part, err);
    }
    catalog_free(catalog);
    market_audit_free(m);
    return ok;
}

static void what_an_earlier_audit_found_true_is_built_on(void **state)
{
    struct published p;
    struct err err = { 0 };

    (void)state;
    publish(&p, HONEST);
    if (!judge_in_two(&p, &err))
        fail_msg("%s", err.text);
    publish(&p, MISSING_STEP);
    assert_false(judge_in_two(&p, &err));
    assert_non_null(strstr(err.text, "settlement 7: market: market of price version 3, window from"));
}

/* -- quotes -- */

enum { QUOTE_HONEST, QUOTE_SIGNER, QUOTE_LIFE, QUOTE_VERSION };
static struct quote_case { const char *name; int lie; const char *told; } quote_cases[] = {
    { "a true quote stands",                         QUOTE_HONEST,  NULL },
    { "a quote signed by another key",               QUOTE_SIGNER,  "settlement 7: signature: quote 0x" },
    { "a quote that lives too long",                 QUOTE_LIFE,    "settlement 7: quote: quote 0x" },
    { "a quote of a version that was not in force",  QUOTE_VERSION, "expected 2, found 1" },
};

static void quote_is_judged(void **state)
{
    const struct quote_case *c = *state;
    struct price_version first = { .version = 1, .any_model = true }, second = { .version = 2, .any_model = true, .effective_from_ms = START_MS };
    struct issued_quote q = { .quote = { .model = { { 1 } }, .price_version = 2, .valid_until_ms = START_MS + 900100 },
                              .issued_at_ms = START_MS + 100, .signer = address_of(PROTOCOL) };
    struct receipt named = { .model = { { 1 } }, .started_at_ms = START_MS + 900100 };
    struct catalog *catalog = catalog_new();
    struct quotes quotes = { 0 };
    struct domain domain;
    struct err err = { 0 };
    bool ok;

    domain_init(&domain, 31337, (struct address){ { 0xc0 } });
    catalog_add_price(catalog, &first);
    catalog_add_price(catalog, &second);
    catalog_seal(catalog);
    if (c->lie == QUOTE_LIFE)
        q.quote.valid_until_ms++;
    if (c->lie == QUOTE_VERSION)
        q.quote.price_version = 1;
    q.signature = signed_by_key(c->lie == QUOTE_SIGNER ? STRANGER : PROTOCOL, typed_digest(&domain, quote_struct_hash(&q.quote)));
    quotes_add(&quotes, &q);
    ok = quotes_seal(&quotes, &domain, catalog, 7, &err);
    if (c->told != NULL && (ok || strstr(err.text, c->told) == NULL))
        fail_msg("wanted \"%s\", got \"%s\"", c->told, ok ? "nothing" : err.text);
    if (c->told == NULL) {
        assert_true(ok);
        assert_null(quotes_binding(&quotes, &named));
        named.quote = quote_struct_hash(&q.quote);
        assert_int_equal(quotes_binding(&quotes, &named)->price_version, 2);
        named.started_at_ms++;
        assert_null(quotes_binding(&quotes, &named));
    }
    quotes_clear(&quotes);
    catalog_free(catalog);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + ARRAY_LEN(quote_cases) + 2];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[n++] = (struct CMUnitTest){ cases[i].name, lie_is_named, NULL, NULL, &cases[i] };
    for (size_t i = 0; i < ARRAY_LEN(quote_cases); i++)
        tests[n++] = (struct CMUnitTest){ quote_cases[i].name, quote_is_judged, NULL, NULL, &quote_cases[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(hidden_receipts_are_allowed_for_and_no_more);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(what_an_earlier_audit_found_true_is_built_on);
    return cmocka_run_group_tests_name("market", tests, secp_setup, secp_teardown);
}

#include "gateway/core/rules.h"

#include "tests/support/fixture.h"

#define DAY_MS UINT64_C(86400000)
#define OUT_OF_RANGE (DAY_MS + 1)

/* All rules hold for the receipt below unless a case breaks one; it is worth 100. */
enum break_it {
    NOTHING = 0, NO_PROVIDER = 1, NO_MODEL = 2, NOT_VERIFIED = 4, NO_PRICE = 8, TOO_OLD = 16, BILLED = 32, OVER = 64,
    NO_COUNTERSIGNATURE = 128, QUOTED = 256, RELEASED = 512, OWN_LIMIT = 1024, JUST_IN_TIME = 2048, JUST_UNDER = 4096,
    OVER_PART = 8192, AT_PART = 16384, OVER_CAP = 32768
};

static const struct rule_case {
    const char *name;
    unsigned broken;
    enum receipt_code want;
    size_t faults;
    const char *figures;          /* in the first fault */
} cases[] = {
    { "a receipt that breaks no rule",                    NOTHING,             CODE_ACCEPTED, 0, NULL },
    { "a provider nobody admitted",                       NO_PROVIDER,         CODE_UNKNOWN_PROVIDER, 1, NULL },
    { "a model nobody registered has no price either",    NO_MODEL | NO_PRICE, CODE_UNKNOWN_MODEL, 2, NULL },
    { "a claim that is not verified",                     NOT_VERIFIED,        CODE_UNVERIFIED_CREATOR, 1, NULL },
    { "no price",                                         NO_PRICE,            CODE_UNPRICED, 1, "finishedAt 1790" },
    { "older than max_age",                               TOO_OLD,             CODE_LATE, 1, "86400001 ms ago, allowed are 86400000" },
    { "exactly max_age old is in time",                   JUST_IN_TIME,        CODE_ACCEPTED, 0, NULL },
    { "another provider billed the job",                  BILLED,              CODE_DUPLICATE_JOB, 1, NULL },
    { "over the daily limit",                             OVER,                CODE_OVER_LIMIT, 1, "100 on top of 901 earned this day, the limit is 1000" },
    { "up to the daily limit",                            JUST_UNDER,          CODE_ACCEPTED, 0, NULL },
    { "more than a quarter of the cap in one receipt",    OVER_PART,           CODE_OVER_LIMIT, 1, "a quarter of the contract's cap is 99" },
    { "a quarter of the cap is fine",                     AT_PART,             CODE_ACCEPTED, 0, NULL },
    { "an operator lets that through",                    OVER_PART | RELEASED, CODE_ACCEPTED, 0, NULL },
    { "but not more than the cap, which nobody could pay", OVER_CAP | RELEASED, CODE_OVER_LIMIT, 1, "more than one settlement may pay" },
    { "a limit of its own counts instead",                JUST_UNDER | OWN_LIMIT, CODE_OVER_LIMIT, 1, "the limit is 999" },
    { "no countersignature where one is demanded",        NO_COUNTERSIGNATURE, CODE_COUNTERSIGNATURE_MISSING, 1, NULL },
    { "a quote we never gave",                            QUOTED,              CODE_QUOTE_MISMATCH, 1, NULL },
    { "all that are broken are named, the first is the code", NO_PROVIDER | NOT_VERIFIED | TOO_OLD | BILLED | OVER | QUOTED,
                                                                              CODE_UNKNOWN_PROVIDER, 6, NULL },
    { "the order is the design's",                        OVER | BILLED | QUOTED, CODE_DUPLICATE_JOB, 3, NULL },
    { "an operator overrides what is held for one",       TOO_OLD | BILLED | OVER | NO_COUNTERSIGNATURE | QUOTED | RELEASED,
                                                                              CODE_ACCEPTED, 0, NULL },
    { "but admits nobody by it",                          NO_PROVIDER | RELEASED, CODE_UNKNOWN_PROVIDER, 1, NULL },
    { "verifies nobody",                                  NOT_VERIFIED | RELEASED, CODE_UNVERIFIED_CREATOR, 1, NULL },
    { "and sets no price",                                NO_PRICE | RELEASED, CODE_UNPRICED, 1, NULL },
};

static struct catalog *make_catalog(unsigned broken, const struct receipt *r)
{
    struct catalog *c = catalog_new();
    struct price_version price = { .version = 1, .any_model = true, .split_bps = { 10000, 0, 0 } };

    price.per_million[METER_OUTPUT] = amount_from_u64(1000000);
    if ((broken & NO_PROVIDER) == 0)
        catalog_add_provider(c, &(struct provider){ .address = r->provider, .payout = r->provider, .admitted = true,
                                                    .has_daily_limit = (broken & OWN_LIMIT) != 0,
                                                    .daily_limit = amount_from_u64(999) });
    if ((broken & NO_MODEL) == 0)
        catalog_add_model(c, &(struct model){ .model = r->model, .verified_at_ms = (broken & NOT_VERIFIED) != 0 ? 0 : 1 });
    if ((broken & NO_PRICE) == 0)
        catalog_add_price(c, &price);
    catalog_seal(c);
    return c;
}

static void the_rules_judge(void **state)
{
    const struct rule_case *c = *state;
    struct signed_receipt r = { .receipt = { .provider = { { 1 } }, .model = { { 2 } }, .consumer = { { 3 } } } };
    struct rule_limits limits = { .max_age_ms = DAY_MS, .daily_limit = amount_from_u64(1000), .require_countersignature = true };
    struct catalog *catalog;
    struct verdict v;
    struct err err = { 0 };
    unsigned b = c->broken;

    r.receipt.count[METER_OUTPUT] = 100;
    r.receipt.finished_at_ms = FIXTURE_NOW - ((b & TOO_OLD) != 0 ? OUT_OF_RANGE : (b & JUST_IN_TIME) != 0 ? DAY_MS : 1000);
    r.receipt.quote.b[0] = (b & QUOTED) != 0;
    r.has_consumer_signature = (b & NO_COUNTERSIGNATURE) == 0;
    limits.receipt_max = amount_from_u64((b & OVER_PART) != 0 ? 99 : (b & AT_PART) != 0 ? 100 : (b & OVER_CAP) != 0 ? 24 : 0);
    catalog = make_catalog(b, &r.receipt);
    assert_true(rules_judge(&(struct rule_facts){
        .catalog = catalog, .limits = &limits, .receipt = &r, .now_ms = FIXTURE_NOW, .clock_ms = FIXTURE_NOW,
        .provider = catalog_provider(catalog, r.receipt.provider, FIXTURE_NOW), .model = rules_model(catalog, r.receipt.model, FIXTURE_NOW),
        .job_billed_by_other = (b & BILLED) != 0, .operator_released = (b & RELEASED) != 0,
        .provider_day = amount_from_u64((b & OVER) != 0 ? 901 : (b & JUST_UNDER) != 0 ? 900 : 0),
    }, &v, &err));
    assert_int_equal(v.code, c->want);
    assert_int_equal(v.faults.count, c->faults);
    if (c->figures != NULL)
        assert_non_null(strstr(v.faults.list[0].detail, c->figures));
    assert_int_equal(v.price != NULL, (b & NO_PRICE) == 0);
    assert_u256_is(v.amount.base_units, u256_from_u64((b & NO_PRICE) == 0 ? 100 : 0));
    for (size_t i = 1; i < v.faults.count; i++)
        assert_true(v.faults.list[i - 1].code < v.faults.list[i].code);
    faults_clear(&v.faults);
    catalog_free(catalog);
}

int main(void)
{
    FIXTURE_TESTS(tests, cases, the_rules_judge);

    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}

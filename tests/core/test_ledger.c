#include "tests/support/fixture.h"

static const struct share *find_share(const struct shares *s, const json *want)
{
    for (size_t i = 0; i < s->count; i++)
        if (address_eq(s->list[i].account, vector_address(want, "account"))
            && hash_eq(s->list[i].model, vector_hash(want, "model"))
            && strcmp(role_name(s->list[i].role), vector_text(want, "role")) == 0)
            return &s->list[i];
    return NULL;
}

static void split_matches(void **state)
{
    const json *row = *state, *models = vector_member(row, "models"), *want = vector_member(row, "shares");
    struct price_version price = fixture_price(row);
    struct receipt r = { .provider = vector_address(row, "provider"), .model = vector_hash(row, "model") };
    struct catalog *c = catalog_new();
    struct shares credits = { 0 };
    struct err err = { 0 };

    catalog_add_provider(c, &(struct provider){ .address = r.provider, .payout = vector_address(row, "payout"), .admitted = true });
    for (size_t i = 0; i < json_count(models); i++) {
        struct model m = fixture_model(json_at(models, i), 1);

        catalog_add_model(c, &m);
    }
    catalog_seal(c);
    if (!ledger_split(c, &r, &price, vector_amount(row, "amount"), vector_address(row, "protocolAccount"), 1, &credits, &err))
        fail_msg("%s", err.text);
    assert_int_equal(credits.count, json_count(want));
    for (size_t i = 0; i < json_count(want); i++) {
        const struct share *got = find_share(&credits, json_at(want, i));

        assert_non_null(got);
        assert_u256_is(got->amount.base_units, vector_u256(json_at(want, i), "amount"));
        assert_true(role_is_credit(got->role));
    }
    shares_clear(&credits);
    catalog_free(c);
}

#define MODELS 24

/* Models point only at earlier ones, four levels at most so that the paths stay few. */
static void add_random_models(struct rng *rng, struct catalog *c, struct hash digest[MODELS])
{
    for (size_t i = 0; i < MODELS; i++) {
        struct model m = { .model = digest[i] = rng_hash(rng), .creator = rng_address(rng), .verified_at_ms = 1 };
        size_t below = i / 6 * 6;     /* the first model of this level */
        unsigned left = BPS;

        m.parent_count = below == 0 ? 0 : rng_below(rng, 5);
        for (size_t k = 0; k < m.parent_count; k++) {
            m.parents[k].model = digest[rng_below(rng, below)];
            m.parents[k].share_bps = (uint16_t)rng_below(rng, left + 1);
            left -= m.parents[k].share_bps;
        }
        catalog_add_model(c, &m);
    }
    catalog_seal(c);
}

static void random_splits_sum_to_the_amount(void **state)
{
    struct rng rng = { 21 };

    (void)state;
    for (int round = 0; round < 400; round++) {
        struct receipt r = { .provider = rng_address(&rng) };
        struct price_version price = { 0 };
        struct amount amount = AMOUNT_ZERO, sum = AMOUNT_ZERO;
        struct catalog *c = catalog_new();
        struct hash digest[MODELS];
        struct shares credits = { 0 };
        struct err err = { 0 };

        catalog_add_provider(c, &(struct provider){ .address = r.provider, .payout = rng_address(&rng), .admitted = true });
        add_random_models(&rng, c, digest);
        r.model = digest[rng_below(&rng, MODELS)];
        price.split_bps[SPLIT_CREATOR] = (uint16_t)rng_below(&rng, BPS + 1);
        price.split_bps[SPLIT_PROTOCOL] = (uint16_t)rng_below(&rng, BPS + 1u - price.split_bps[SPLIT_CREATOR]);
        for (uint64_t limb = 0; limb <= rng_below(&rng, 4); limb++)
            amount.base_units.limb[limb] = rng_next(&rng);
        if (round % 4 == 0)
            amount = amount_from_u64(rng_below(&rng, 100));
        assert_true(ledger_split(c, &r, &price, amount, rng_address(&rng), 1, &credits, &err));
        for (size_t i = 0; i < credits.count; i++) {
            assert_false(amount_is_zero(credits.list[i].amount));
            assert_true(amount_add(sum, credits.list[i].amount, &sum));
        }
        assert_u256_is(sum.base_units, amount.base_units);
        shares_clear(&credits);
        catalog_free(c);
    }
}

static void who_must_be_known(void **state)
{
    struct catalog *c = catalog_new();
    struct receipt r = { .provider = { { 1 } }, .model = { { 2 } } };
    struct price_version price = { .split_bps = { 5000, 5000, 0 } };
    struct shares credits = { 0 };
    struct err err = { 0 };

    (void)state;
    catalog_seal(c);
    assert_false(ledger_split(c, &r, &price, amount_from_u64(9), (struct address){ { 3 } }, 1, &credits, &err));
    assert_int_equal(err.code, ERR_BUG);
    catalog_add_provider(c, &(struct provider){ .address = r.provider, .payout = r.provider, .admitted = true });
    catalog_seal(c);
    assert_false(ledger_split(c, &r, &price, amount_from_u64(9), (struct address){ { 3 } }, 1, &credits, &err));
    assert_int_equal(err.code, ERR_BUG);
    shares_clear(&credits);
    catalog_free(c);
}

/* An archive of somebody else's may hold what registration refuses. */
static void a_circle_in_the_lineage_is_an_error(void **state)
{
    struct catalog *c = catalog_new();
    struct receipt r = { .provider = { { 1 } }, .model = { { 2 } } };
    struct model m = { .model = r.model, .verified_at_ms = 1, .parent_count = 1, .parents = { { r.model, BPS } } };
    struct price_version price = { .split_bps = { 0, BPS, 0 } };
    struct shares credits = { 0 };
    struct err err = { 0 };

    (void)state;
    catalog_add_provider(c, &(struct provider){ .address = r.provider, .payout = r.provider, .admitted = true });
    catalog_add_model(c, &m);
    catalog_seal(c);
    assert_false(ledger_split(c, &r, &price, amount_from_u64(9), (struct address){ { 3 } }, 1, &credits, &err));
    assert_int_equal(err.code, ERR_BUG);
    shares_clear(&credits);
    catalog_free(c);
}

static const struct charge_case { const char *name; bool enrolled, signed_by_consumer; enum role want; } charges[] = {
    { "an enrolled consumer that signed pays",      true,  true,  ROLE_CONSUMER },
    { "one that did not sign does not",             true,  false, ROLE_TREASURY },
    { "one that is not enrolled does not",          false, true,  ROLE_TREASURY },
    { "else the treasury pays",                     false, false, ROLE_TREASURY },
};

static void the_right_one_is_charged(void **state)
{
    const struct charge_case *ch = *state;
    struct catalog *c = catalog_new();
    struct signed_receipt r = { .receipt = { .consumer = { { 5 } }, .model = { { 6 } } } };
    struct share got;

    r.has_consumer_signature = ch->signed_by_consumer;
    catalog_add_consumer(c, &(struct consumer){ .address = r.receipt.consumer, .since_ms = 10, .enrolled = ch->enrolled });
    catalog_seal(c);
    got = ledger_charge(c, &r, amount_from_u64(7), 10);
    assert_int_equal(got.role, ch->want);
    assert_int_equal(address_is_zero(got.account), ch->want == ROLE_TREASURY);
    assert_u256_is(got.amount.base_units, u256_from_u64(7));
    assert_false(role_is_credit(got.role));
    assert_int_equal(ledger_charge(c, &r, amount_from_u64(7), 9).role, ROLE_TREASURY);
    catalog_free(c);
}

int main(void)
{
    FIXTURE_TESTS(tests, charges, the_right_one_is_charged);
    const struct CMUnitTest properties[] = {
        cmocka_unit_test(random_splits_sum_to_the_amount),
        cmocka_unit_test(who_must_be_known),
        cmocka_unit_test(a_circle_in_the_lineage_is_an_error),
    };

    return fixture_run("splits", split_matches, NULL, NULL)
         + cmocka_run_group_tests_name("ledger_charge", tests, NULL, NULL)
         + cmocka_run_group_tests_name("ledger_split", properties, NULL, NULL);
}

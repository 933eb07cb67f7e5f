#include "gateway/core/popularity.h"

#include <stdlib.h>

#include "tests/support/fixture.h"

static struct hash model(unsigned n) { return (struct hash){ { (uint8_t)(n >> 8), (uint8_t)n } }; }
static struct address consumer(unsigned n) { return (struct address){ { (uint8_t)(n >> 8), (uint8_t)n } }; }

struct fee_row { unsigned model, consumer; uint64_t fees; };

static struct popularity share_of(const struct fee_row *rows, size_t count, uint64_t budget, uint64_t carried, uint16_t cap_bps)
{
    struct popularity p = { .terms = { 1, 1000, 2000, amount_from_u64(budget), cap_bps }, .carried_in = amount_from_u64(carried) };
    struct popularity_fees fees = { 0 };
    struct err err = { 0 };

    for (size_t i = 0; i < count; i++)
        assert_true(popularity_fees_add(&fees, &(struct popularity_fee){ model(rows[i].model), consumer(rows[i].consumer),
                                                                         amount_from_u64(rows[i].fees) }, &err));
    assert_true(popularity_fees_sort(&fees, &err) && popularity_score(&fees, &p, &err) && popularity_share(&p, &err));
    popularity_fees_clear(&fees);
    return p;
}

static void assert_amount(struct amount got, uint64_t want)
{
    assert_u256_is(got.base_units, u256_from_u64(want));
}

#define ROWS 6
static const struct share_case {
    const char *name;
    uint64_t budget, carried;
    uint16_t cap_bps;
    struct fee_row rows[ROWS];
    uint64_t score[2], share[2], carried_out;         /* of models 1 and 2 */
} cases[] = {
    { "one consumer of each: by the root of what they paid",       100, 0, 10000, { { 1, 1, 900 }, { 2, 2, 100 } }, { 30, 10 }, { 75, 25 }, 0 },
    { "the same fees from nine consumers count three times",       100, 0, 10000, { { 1, 1, 900 }, { 2, 1, 300 }, { 2, 2, 300 }, { 2, 3, 300 } },
      { 30, 51 }, { 37, 62 }, 1 },
    { "a consumer's jobs are one sum before the root",             100, 0, 10000, { { 1, 1, 8 }, { 1, 1, 8 }, { 2, 2, 16 } }, { 4, 4 }, { 16, 16 }, 68 },
    { "a share ends at its part of the fees; the rest is carried", 100, 0, 5000,  { { 1, 1, 900 }, { 2, 2, 16 } }, { 30, 4 }, { 88, 8 }, 4 },
    { "an odd fee's half is floored",                              100, 0, 5000,  { { 1, 1, 9 } }, { 3 }, { 4 }, 96 },
    { "what was carried in is shared with the budget",             50, 50, 10000, { { 1, 1, 900 }, { 2, 2, 100 } }, { 30, 10 }, { 75, 25 }, 0 },
    { "a cap of nothing leaves everything",                        100, 7, 0,     { { 1, 1, 900 } }, { 30 }, { 0 }, 107 },
    { "an epoch that nobody used leaves everything",               100, 7, 5000,  { { 0, 0, 0 } }, { 0 }, { 0 }, 107 },
    { "a fee of nothing counts nothing",                           100, 0, 5000,  { { 1, 1, 0 }, { 2, 1, 400 } }, { 0, 20 }, { 0, 100 }, 0 },
};

static void shares_are(void **state)
{
    const struct share_case *c = *state;
    struct popularity p;
    size_t count = 0;

    while (count < ROWS && c->rows[count].model != 0)
        count++;
    p = share_of(c->rows, count, c->budget, c->carried, c->cap_bps);
    for (size_t i = 0; i < p.count; i++) {
        size_t at = p.rows[i].model.b[1] - 1u;

        assert_u256_is(p.rows[i].score, u256_from_u64(c->score[at]));
        assert_amount(p.rows[i].share, c->share[at]);
    }
    assert_amount(p.carried_out, c->carried_out);
    popularity_clear(&p);
}

/* Whatever was paid by whom in which order: nothing is lost, nobody is above the cap, and order does not matter. */
static void random_epochs_keep_the_sums(void **state)
{
    struct rng rng = { 41 };

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct popularity_fees fees = { 0 }, backwards = { 0 };
        struct popularity p = { .terms = { .epoch = 1, .ends_ms = 2, .cap_bps = (uint16_t)rng_below(&rng, BPS + 1) } }, again;
        size_t count = (size_t)rng_below(&rng, 200);
        struct popularity_fee *list = calloc(count + 1, sizeof *list);
        struct amount paid, sum;
        struct err err = { 0 };

        for (int limb = 0; limb < 2; limb++) {
            p.terms.budget.base_units.limb[limb] = rng_next(&rng) >> rng_below(&rng, 64);
            p.carried_in.base_units.limb[limb] = rng_next(&rng) >> rng_below(&rng, 64);
        }
        for (size_t i = 0; i < count; i++) {
            list[i] = (struct popularity_fee){ model((unsigned)rng_below(&rng, 12)), consumer((unsigned)rng_below(&rng, 30)), AMOUNT_ZERO };
            list[i].fees.base_units.limb[rng_below(&rng, 2)] = rng_next(&rng) >> rng_below(&rng, 64);
        }
        for (size_t i = 0; i < count; i++)
            assert_true(popularity_fees_add(&fees, &list[i], &err) && popularity_fees_add(&backwards, &list[count - 1 - i], &err));
        again = p;
        assert_true(popularity_fees_sort(&fees, &err) && popularity_score(&fees, &p, &err) && popularity_share(&p, &err));
        assert_true(popularity_fees_sort(&backwards, &err) && popularity_score(&backwards, &again, &err) && popularity_share(&again, &err));
        assert_int_equal(p.count, again.count);
        for (size_t i = 0; i < p.count; i++) {
            struct amount cap;

            assert_u256_is(p.rows[i].share.base_units, again.rows[i].share.base_units);
            assert_true(amount_share(p.rows[i].fees, p.terms.cap_bps, &cap) && amount_cmp(p.rows[i].share, cap) <= 0);
        }
        assert_true(popularity_paid(&p, &paid, &err) && amount_add(paid, p.carried_out, &paid));
        assert_true(amount_add(p.terms.budget, p.carried_in, &sum));
        assert_u256_is(paid.base_units, sum.base_units);
        popularity_clear(&p);
        popularity_clear(&again);
        popularity_fees_clear(&fees);
        popularity_fees_clear(&backwards);
        free(list);
    }
}

static void a_share_runs_through_the_lineage(void **state)
{
    struct model base = { .model = model(1), .creator = consumer(7), .verified_at_ms = 1 };
    struct model tuned = { .model = model(2), .creator = consumer(8), .verified_at_ms = 1, .parent_count = 1, .parents = { { model(1), 2500 } } };
    struct popularity p = share_of((struct fee_row[]){ { 1, 1, 10000 }, { 2, 1, 10000 } }, 2, 1000, 0, 5000);
    struct catalog *c = catalog_new();
    struct shares credits = { 0 };
    struct err err = { 0 };

    (void)state;
    catalog_add_model(c, &base);
    catalog_add_model(c, &tuned);
    catalog_seal(c);
    assert_true(popularity_credits(c, &p, &credits, &err));
    assert_int_equal(credits.count, 2);
    for (size_t i = 0; i < credits.count; i++) {
        assert_int_equal(credits.list[i].role, ROLE_POPULARITY);
        assert_true(role_is_credit(credits.list[i].role));
        /* The base's own 500 and a quarter of the other 500 are one row: both are its creator's for its model. */
        assert_amount(credits.list[i].amount, hash_eq(credits.list[i].model, model(1)) ? 625 : 375);
    }
    shares_clear(&credits);
    popularity_clear(&p);
    catalog_free(c);
}

int main(void)
{
    FIXTURE_TESTS(table, cases, shares_are);
    const struct CMUnitTest others[] = {
        cmocka_unit_test(random_epochs_keep_the_sums),
        cmocka_unit_test(a_share_runs_through_the_lineage),
    };

    return cmocka_run_group_tests_name("shares", table, NULL, NULL) + cmocka_run_group_tests_name("popularity", others, NULL, NULL);
}

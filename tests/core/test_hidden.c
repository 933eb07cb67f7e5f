#include "gateway/core/hidden.h"

#include "tests/support/fixture.h"

#define PEERS_MAX 5

/* Of 1000 input tokens a job; cached in thousandths of the input. */
static const struct hidden_case {
    const char *name;
    size_t count;
    uint64_t jobs[PEERS_MAX], cached[PEERS_MAX];
    bool hides[PEERS_MAX];
} cases[] = {
    { "nobody to compare with",               1, { 5000 }, { 0 }, { false } },
    { "all alike",                            3, { 1000, 1000, 1000 }, { 300, 310, 290 }, { false } },
    { "one reports a twentieth",              4, { 1000, 1000, 1000, 1000 }, { 300, 15, 310, 290 }, { false, true } },
    { "exactly a tenth of the median is not far fewer", 4, { 1000, 1000, 1000, 1000 }, { 300, 30, 310, 300 }, { false } },
    { "just below it is",                     4, { 1000, 1000, 1000, 1000 }, { 300, 29, 310, 300 }, { false, true } },
    { "no hits at all",                       3, { 1000, 1000, 1000 }, { 300, 300, 0 }, { false, false, true } },
    { "one with too few jobs is not judged",  3, { 1000, 1000, 999 }, { 300, 300, 0 }, { false } },
    { "nor does it count as a peer",          2, { 1000, 999 }, { 0, 500 }, { false } },
    { "a crowd that hides is its own median", 5, { 1000, 1000, 1000, 1000, 1000 }, { 1, 1, 1, 1, 400 }, { false } },
    { "where no model's cache is hit nobody hides", 3, { 1000, 1000, 1000 }, { 0, 0, 0 }, { false } },
};

static void hiding_is_found(void **state)
{
    const struct hidden_case *c = *state;
    struct cache_peer peers[PEERS_MAX] = { { .counts = false } };

    for (size_t i = 0; i < c->count; i++)
        peers[i] = (struct cache_peer){ .provider = { { (uint8_t)(i + 1) } },
                                        .use = { c->jobs[i], c->jobs[i] * 1000, c->jobs[i] * c->cached[i] } };
    hidden_judge(peers, c->count);
    for (size_t i = 0; i < c->count; i++)
        assert_int_equal(peers[i].hides, c->hides[peers[i].provider.b[0] - 1]);
}

static void sums_at_the_end_of_numbers_are_compared_too(void **state)
{
    struct cache_peer peers[] = { { .provider = { { 1 } }, .use = { 1000, UINT64_MAX, UINT64_MAX / 2 } },
                                  { .provider = { { 2 } }, .use = { 1000, UINT64_MAX, UINT64_MAX / 50 } } };

    (void)state;
    hidden_judge(peers, 2);
    assert_int_equal(peers[0].provider.b[0], 2);          /* in order of their share */
    assert_true(peers[0].hides);
    assert_false(peers[1].hides);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 1];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ cases[i].name, hiding_is_found, NULL, NULL, fixture_state(&cases[i]) };
    tests[ARRAY_LEN(cases)] = (struct CMUnitTest)cmocka_unit_test(sums_at_the_end_of_numbers_are_compared_too);
    return cmocka_run_group_tests_name("hidden", tests, NULL, NULL);
}

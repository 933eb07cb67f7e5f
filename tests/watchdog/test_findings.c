/* What is past its limit: each row changes one fact of a gateway that is well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/watchdog/findings.h"

#define NOW_MS UINT64_C(1800000000000)
#define HOUR_MS UINT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

static const struct watchdog_limits limits = {
    .unsettled_max_s = 36 * 3600, .stuck_max_s = 3600, .held_max = 100,
    .gas_runs_warn = 20, .gas_runs_fail = 3, .funds_days_warn = 7, .funds_days_fail = 1,
};

static struct facts well(void)
{
    return (struct facts){
        .now_ms = NOW_MS, .last_success_ms = NOW_MS - HOUR_MS,
        .chain = { .asked = true, .seen = true, .gas_runs_left = 20, .funds_days_left = 7, .is_operator = true,
                   .cap_available = amount_from_u64(1000), .uncommitted = amount_from_u64(1000) },
    };
}

static void f_nothing(struct facts *f) { (void)f; }
static void f_unasked(struct facts *f) { f->chain = (struct chain_facts){ 0 }; }
static void f_unsettled_at_limit(struct facts *f) { f->unsettled_since_ms = NOW_MS - 36 * HOUR_MS; }
static void f_unsettled(struct facts *f) { f->unsettled_since_ms = NOW_MS - 36 * HOUR_MS - 1000; }
static void f_ahead(struct facts *f) { f->unsettled_since_ms = f->stuck_since_ms = NOW_MS + 5 * HOUR_MS; }
static void f_stuck_at_limit(struct facts *f) { f->stuck_since_ms = NOW_MS - HOUR_MS; }
static void f_stuck(struct facts *f) { f->stuck_since_ms = NOW_MS - HOUR_MS - 1000; }
static void f_stuck_why(struct facts *f) { f_stuck(f); snprintf(f->stuck, sizeof f->stuck, "nobody mines"); }
static void f_halted(struct facts *f) { f->halted = true; snprintf(f->stuck, sizeof f->stuck, "wrong parent"); }
static void f_held_at_limit(struct facts *f) { f->held = 100; }
static void f_hiding(struct facts *f) { f->hiding = 2; snprintf(f->hiding_one, sizeof f->hiding_one, "0xab, model 0xcd"); }
static void f_held(struct facts *f) { f->held = 101; }
static void f_cancelled(struct facts *f) { f->cancelled_batch = 4; }
static void f_foreign(struct facts *f) { f->has_foreign = true; }
static void f_away(struct facts *f) { f->chain.away_since_ms = NOW_MS - 5000; snprintf(f->chain.away, sizeof f->chain.away, "refused"); }
static void f_endpoint(struct facts *f) { f->chain.endpoints_out = 1; snprintf(f->chain.endpoint_out, sizeof f->chain.endpoint_out, "http://a is lying: x"); }
static void f_gas_19(struct facts *f) { f->chain.gas_runs_left = 19; }
static void f_gas_3(struct facts *f) { f->chain.gas_runs_left = 3; }
static void f_gas_2(struct facts *f) { f->chain.gas_runs_left = 2; }
static void f_fees(struct facts *f) { f->chain.fees_over_ceiling = true; }
static void f_funds_6(struct facts *f) { f->chain.funds_days_left = 6; }
static void f_funds_1(struct facts *f) { f->chain.funds_days_left = 1; }
static void f_funds_0(struct facts *f) { f->chain.funds_days_left = 0; }
static void f_funds_0_prefunded(struct facts *f) { f->chain.funds_days_left = 0; f->chain.prefunded = true; }
static void f_cap(struct facts *f) { f->chain.uncommitted = amount_from_u64(1001); }
static void f_paused(struct facts *f) { f->chain.paused_until_s = NOW_MS / 1000 + 1; }
static void f_revoked(struct facts *f) { f->chain.is_operator = false; }
static void f_thief(struct facts *f) { f->chain.strange_sequence = 9; }
static void f_away_unseen(struct facts *f) { f_gas_2(f); f->chain.seen = false; }

static const struct judged {
    const char *name;
    void (*change)(struct facts *f);
    enum finding_code code;
    enum finding_level level;
    const char *says;
} judged[] = {
    { "a gateway that is well has no findings",                f_nothing,            FINDING_UNSETTLED, LEVEL_NONE, "" },
    { "a chain that nobody asked is not away",                 f_unasked,            FINDING_CHAIN_AWAY, LEVEL_NONE, "" },
    { "an unsettled receipt may be as old as the limit",       f_unsettled_at_limit, FINDING_UNSETTLED, LEVEL_NONE, "" },
    { "an older one is a failure",                             f_unsettled,          FINDING_UNSETTLED, LEVEL_FAILURE, "129601 s ago, over 129600 s" },
    { "times ahead of the clock are no age",                   f_ahead,              FINDING_STUCK, LEVEL_NONE, "" },
    { "a settlement may stand as long as the limit",           f_stuck_at_limit,     FINDING_STUCK, LEVEL_NONE, "" },
    { "longer is stuck",                                       f_stuck,              FINDING_STUCK, LEVEL_FAILURE, "not moved for 3601 s, over 3600 s" },
    { "and it says why where that is known",                   f_stuck_why,          FINDING_STUCK, LEVEL_FAILURE, "3600 s: nobody mines" },
    { "a doubt about money is told at once",                   f_halted,             FINDING_HALTED, LEVEL_FAILURE, "halted: wrong parent" },
    { "held receipts up to the limit are nothing",             f_held_at_limit,      FINDING_HELD, LEVEL_NONE, "" },
    { "more of them are a warning",                            f_held,               FINDING_HELD, LEVEL_WARNING, "101 receipts are held, over 100" },
    { "providers that hide cache hits are a warning",          f_hiding,             FINDING_CACHE_HIDDEN, LEVEL_WARNING, "2 providers of a model report under a tenth of their peers' cache hits: 0xab" },
    { "a cancelled batch waits for a person",                  f_cancelled,          FINDING_CANCELLED, LEVEL_FAILURE, "batch 4" },
    { "a nonce used by somebody else halts the key",           f_foreign,            FINDING_NONCE_FOREIGN, LEVEL_FAILURE, "nonce 0" },
    { "a chain that does not answer",                          f_away,               FINDING_CHAIN_AWAY, LEVEL_FAILURE, "for 5 s: refused" },
    { "one of several endpoints that is left out",             f_endpoint,           FINDING_ENDPOINT_OUT, LEVEL_WARNING, "1 RPC endpoints are left out: http://a is lying" },
    { "gas for fewer runs than the first limit: a warning",    f_gas_19,             FINDING_GAS_LOW, LEVEL_WARNING, "gas for 19 runs is left (0 wei), below 20" },
    { "still a warning at the second limit",                   f_gas_3,              FINDING_GAS_LOW, LEVEL_WARNING, "gas for 3 runs" },
    { "below the second it is a failure",                      f_gas_2,              FINDING_GAS_LOW, LEVEL_FAILURE, "below 3" },
    { "fees over the ceiling are a warning",                   f_fees,               FINDING_FEES_HIGH, LEVEL_WARNING, "max_fee_gwei" },
    { "funds for fewer days than the first limit: a warning",  f_funds_6,            FINDING_FUNDS_LOW, LEVEL_WARNING, "funds for 6 days" },
    { "still a warning at the last whole day",                 f_funds_1,            FINDING_FUNDS_LOW, LEVEL_WARNING, "funds for 1 days" },
    { "funds for less than a day: a failure",                  f_funds_0,            FINDING_FUNDS_LOW, LEVEL_FAILURE, "raise the funder's balance and allowance" },
    { "without a funder the contract itself needs them",       f_funds_0_prefunded,  FINDING_FUNDS_LOW, LEVEL_FAILURE, "send tokens to the contract" },
    { "growth over what the cap leaves is a warning",          f_cap,                FINDING_CAP_SHORT, LEVEL_WARNING, "over the 1000 base units" },
    { "a pause stops commits",                                 f_paused,             FINDING_PAUSED, LEVEL_FAILURE, "paused" },
    { "a signer that is not the operator",                     f_revoked,            FINDING_NOT_OPERATOR, LEVEL_FAILURE, "not the contract's operator" },
    { "a root that this store did not make",                   f_thief,              FINDING_ROOT_FOREIGN, LEVEL_FAILURE, "sequence 9" },
    { "figures of a chain that was never seen are not judged", f_away_unseen,        FINDING_GAS_LOW, LEVEL_NONE, "" },
};

static void one_fact_is_judged(void **state)
{
    const struct judged *c = *state;
    struct facts facts = well();
    struct findings findings;

    c->change(&facts);
    findings_judge(&facts, &limits, &findings);
    for (size_t code = 0; code < FINDING_CODES; code++)
        assert_int_equal(findings.by_code[code].level, code == c->code ? c->level : LEVEL_NONE);
    assert_non_null(strstr(findings.by_code[c->code].text, c->says));
    assert_int_equal(findings_any(&findings, LEVEL_WARNING), c->level != LEVEL_NONE);
    assert_int_equal(findings_any(&findings, LEVEL_FAILURE), c->level == LEVEL_FAILURE);
}

static const struct { uint64_t balance, price, gas, want; } runs[] = {
    { 0, 1, 100, 0 }, { 99, 1, 100, 0 }, { 100, 1, 100, 1 }, { 599, 2, 100, 2 }, { 5, 0, 100, UINT64_MAX }, { 5, 1, 0, UINT64_MAX },
};

static void runs_left_are_whole_runs(void **state)
{
    const struct u256 top = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(runs); i++)
        assert_int_equal(gas_runs_left((struct wei){ u256_from_u64(runs[i].balance) }, (struct wei){ u256_from_u64(runs[i].price) },
                                       runs[i].gas), runs[i].want);
    assert_int_equal(gas_runs_left((struct wei){ top }, (struct wei){ u256_from_u64(1) }, 1), UINT64_MAX);
    assert_int_equal(gas_runs_left((struct wei){ top }, (struct wei){ top }, 2), 0);
}

static const struct { uint64_t funds, owed, growth, span_ms, want; } days[] = {
    { 1000, 0,    0,   DAY_MS,     UINT64_MAX },      /* nothing grows */
    { 1000, 1001, 0,   DAY_MS,     0 },               /* less than is owed, growing or not */
    { 1000, 1000, 0,   DAY_MS,     UINT64_MAX },
    { 1000, 0,    100, DAY_MS,     10 },
    { 1000, 50,   100, DAY_MS,     9 },               /* whole days */
    { 1000, 0,    700, 7 * DAY_MS, 10 },
    { 1000, 0,    7,   2 * DAY_MS, 285 },             /* 3.5 a day: not rounded before it divides */
    { 1000, 0,    2000, DAY_MS,    0 },
};

static void days_left_follow_the_growth(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(days); i++)
        assert_int_equal(funds_days_left(amount_from_u64(days[i].funds), amount_from_u64(days[i].owed),
                                         amount_from_u64(days[i].growth), days[i].span_ms), days[i].want);
}

static void a_failure_has_an_exit_code(void **state)
{
    (void)state;
    assert_int_equal(finding_error("gas-low"), ERR_AGAIN);
    assert_int_equal(finding_error("stuck"), ERR_HALT);
    assert_int_equal(finding_error("of a newer service"), ERR_HALT);
    for (size_t code = 0; code < FINDING_CODES; code++)
        assert_non_null(finding_name((enum finding_code)code));
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(judged) + 3];
    size_t n = 0;

    for (; n < ARRAY_LEN(judged); n++)
        tests[n] = (struct CMUnitTest){ judged[n].name, one_fact_is_judged, NULL, NULL, (void *)(uintptr_t)&judged[n] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(runs_left_are_whole_runs);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(days_left_follow_the_growth);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_failure_has_an_exit_code);
    return cmocka_run_group_tests_name("findings", tests, NULL, NULL);
}

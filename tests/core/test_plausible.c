#include "gateway/core/plausible.h"

#include "tests/support/fixture.h"

#define START UINT64_C(1790000040000)         /* 00:00 of a minute of the clock */

/* A job of 1000 tokens of input, half of them cached, and 500 of output, over 10 s: 100 a second. */
static struct receipt job(void)
{
    struct receipt r = { .started_at_ms = START, .finished_at_ms = START + 10000 };

    for (int i = 0; i < 6; i++)
        r.job_id.b[i] = (uint8_t)(START >> (40 - 8 * i));
    r.count[METER_INPUT] = 1000;
    r.count[METER_CACHED] = 500;
    r.count[METER_OUTPUT] = 500;
    r.count[METER_UNITS] = 7;
    return r;
}

static const struct plausible_case {
    const char *name;
    struct plausibility limits;
    struct provider_class own;
    struct usage_facts facts;
    const char *fault;                        /* begins the detail; NULL: none */
    const char *pointer;
} cases[] = {
    { "no rule is set",                       { .max_jump = 0 }, { 0 }, { .minute_busy_ms = UINT64_MAX, .received_at_ms = 0, .evidence_seen = true, .past_work = 1,
                                               .past_hours = 100 }, NULL, NULL },
    { "a job at its class's speed",           { .class_.tokens_per_second = 100 }, { 0 }, { 0 }, NULL, NULL },
    { "a job beyond it",                      { .class_.tokens_per_second = 99 }, { 0 }, { 0 },
      "tokens-per-second: 1000 tokens in 10000 ms are 100, the provider's class is 99", "/outputTokens" },
    { "a class of its own counts instead",    { .class_.tokens_per_second = 99 }, { .has_tokens_per_second = true, .tokens_per_second = 100 }, { 0 }, NULL, NULL },
    { "also where it is no rule",             { .class_.tokens_per_second = 99 }, { .has_tokens_per_second = true }, { 0 }, NULL, NULL },
    { "as many jobs as it has places",        { .class_.parallelism = 2 }, { 0 }, { .minute_busy_ms = 120000 }, NULL, NULL },
    { "one millisecond more than they hold",  { .class_.parallelism = 2 }, { 0 }, { .minute = START / MINUTE_MS, .minute_busy_ms = 120001 },
      "parallelism: 120001 ms of jobs in the minute of 1790000040000, the provider's class is 2 at once, 120000 ms", "/startedAt" },
    { "a few hours are no past",              { .max_jump = 2 }, { 0 }, { .hour_work = 1000000, .past_work = 23, .past_hours = 23 }, NULL, NULL },
    { "up to the factor is no jump",          { .max_jump = 2 }, { 0 }, { .hour_work = 0, .past_work = 24 * 1007 / 2, .past_hours = 24 }, NULL, NULL },
    { "beyond it is one",                     { .max_jump = 2 }, { 0 }, { .hour_work = 1, .past_work = 24 * 1007 / 2, .past_hours = 24 },
      "jump: 1008 tokens and units this hour, the mean of 24 hours before is 503, allowed are 2 times", "/outputTokens" },
    { "nothing before is nothing to compare", { .max_jump = 2 }, { 0 }, { .hour_work = 1, .past_work = 0, .past_hours = 100 }, NULL, NULL },
    { "a job as long as allowed",             { .max_duration_ms = 10000 }, { 0 }, { 0 }, NULL, NULL },
    { "a longer one",                         { .max_duration_ms = 9999 }, { 0 }, { 0 }, "duration: the job ran 10000 ms, allowed are 9999", "/finishedAt" },
    { "an end as far ahead as allowed",       { .max_skew_ms = 4000 }, { 0 }, { .received_at_ms = START + 6000 }, NULL, NULL },
    { "an end further ahead",                 { .max_skew_ms = 3999 }, { 0 }, { .received_at_ms = START + 6000 },
      "skew: 4000 ms ahead of its arrival, allowed are 3999", "/finishedAt" },
    { "evidence that was seen",               { .unique_evidence = true }, { 0 }, { .evidence_seen = true }, "evidence: 2 receipts with the same", "/evidence" },
    { "is nothing where nobody asks",         { .unique_evidence = false }, { 0 }, { .evidence_seen = true }, NULL, NULL },
};

static void the_rules_judge(void **state)
{
    const struct plausible_case *c = *state;
    const struct provider p = { .class_ = c->own };
    const struct receipt r = job();
    struct faults faults = { 0 };

    plausible_judge(&c->limits, &p, &r, &c->facts, &faults);
    assert_int_equal(faults.count, c->fault != NULL);
    if (c->fault != NULL) {
        assert_int_equal(faults.list[0].code, CODE_IMPLAUSIBLE_USAGE);
        assert_string_equal(faults.list[0].pointer, c->pointer);
        if (strncmp(faults.list[0].detail, c->fault, strlen(c->fault)) != 0)
            fail_msg("wanted \"%s\", got \"%s\"", c->fault, faults.list[0].detail);
    }
    faults_clear(&faults);
}

static void a_job_id_ahead_of_its_arrival_is_named_too(void **state)
{
    const struct plausibility limits = { .max_skew_ms = 1 };
    const struct receipt r = job();
    struct faults faults = { 0 };

    (void)state;
    plausible_judge(&limits, &(struct provider){ .admitted = true }, &r, &(struct usage_facts){ .received_at_ms = START - 2 }, &faults);
    assert_int_equal(faults.count, 2);
    assert_string_equal(faults.list[1].pointer, "/jobId");
    faults_clear(&faults);
}

static void a_job_of_no_time_counts_as_a_millisecond(void **state)
{
    const struct plausibility limits = { .class_.tokens_per_second = 999999 };
    struct receipt r = job();
    struct faults faults = { 0 };

    (void)state;
    r.finished_at_ms = r.started_at_ms;
    plausible_judge(&limits, &(struct provider){ .admitted = true }, &r, &(struct usage_facts){ 0 }, &faults);
    assert_int_equal(faults.count, 1);
    faults_clear(&faults);
}

/* The parts of a job in the minutes of the clock are the whole of it. */
static void busy_time_is_cut_at_the_minutes(void **state)
{
    struct receipt r = job();
    uint64_t first = START / MINUTE_MS;

    (void)state;
    r.started_at_ms = START + 59000;
    r.finished_at_ms = START + 2 * MINUTE_MS + 250;
    assert_int_equal(receipt_busy_ms(&r, first - 1), 0);
    assert_int_equal(receipt_busy_ms(&r, first), 1000);
    assert_int_equal(receipt_busy_ms(&r, first + 1), MINUTE_MS);
    assert_int_equal(receipt_busy_ms(&r, first + 2), 250);
    assert_int_equal(receipt_busy_ms(&r, first + 3), 0);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 3];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ cases[i].name, the_rules_judge, NULL, NULL, fixture_state(&cases[i]) };
    tests[ARRAY_LEN(cases)] = (struct CMUnitTest)cmocka_unit_test(a_job_id_ahead_of_its_arrival_is_named_too);
    tests[ARRAY_LEN(cases) + 1] = (struct CMUnitTest)cmocka_unit_test(a_job_of_no_time_counts_as_a_millisecond);
    tests[ARRAY_LEN(cases) + 2] = (struct CMUnitTest)cmocka_unit_test(busy_time_is_cut_at_the_minutes);
    return cmocka_run_group_tests_name("plausible", tests, NULL, NULL);
}

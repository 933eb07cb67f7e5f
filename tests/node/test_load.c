/* Loads that nodes make: every receipt is one the gateway's own rules accept. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/node/load.h"

#define NOW_MS UINT64_C(1790718319139)

struct seen { uint64_t count, last_finished_ms, input, output; struct job_id first, last; };

static bool check_one(void *self, const struct receipt *r, struct err *err)
{
    struct seen *seen = self;
    struct faults faults = { 0 };

    (void)err;
    receipt_check(r, NOW_MS, &faults);
    assert_int_equal(faults.count, 0);
    assert_true(r->count[METER_CACHED] <= r->count[METER_INPUT]);
    if (seen->count == 0)
        seen->first = r->job_id;
    seen->last = r->job_id;
    seen->last_finished_ms = r->finished_at_ms > seen->last_finished_ms ? r->finished_at_ms : seen->last_finished_ms;
    seen->input += r->count[METER_INPUT];
    seen->output += r->count[METER_OUTPUT];
    seen->count++;
    return true;
}

static struct load small_load(void)
{
    return (struct load){ .seed = 7, .now_ms = NOW_MS, .count = 500, .span_ms = 600000, .models = { { { 1 } }, { { 2 } } }, .model_count = 2 };
}

static void a_made_up_load_ends_now(void **state)
{
    struct load load = small_load();
    struct seen seen = { 0 }, again = { 0 };
    struct err err = { 0 };

    (void)state;
    assert_true(load_make(&load, check_one, &seen, &err));
    assert_int_equal(seen.count, 500);
    assert_int_equal(seen.last_finished_ms, NOW_MS);
    assert_true(load_make(&load, check_one, &again, &err));
    assert_true(job_id_eq(seen.first, again.first) && job_id_eq(seen.last, again.last) && seen.input == again.input);
}

static bool check_order(void *self, const struct receipt *r, struct err *err)
{
    struct seen *seen = self;

    (void)err;
    assert_true(seen->count == 0 || memcmp(seen->last.b, r->job_id.b, sizeof r->job_id.b) < 0);
    seen->last = r->job_id;
    seen->count++;
    seen->last_finished_ms = r->started_at_ms;
    seen->input += address_is_zero(r->consumer) ? 0 : r->consumer.b[0];
    return true;
}

static void jobs_of_one_millisecond_are_in_order_too(void **state)
{
    struct load load = small_load();
    struct seen seen = { 0 }, again = { 0 };
    struct err err = { 0 };

    (void)state;
    load.count = 20000;
    load.span_ms = 3;
    load.start_ms = NOW_MS - 1000;
    load.consumers[0] = (struct address){ { 1 } };
    load.consumers[1] = (struct address){ { 2 } };
    load.consumer_count = 2;
    assert_true(load_make(&load, check_order, &seen, &err));
    assert_int_equal(seen.count, 20000);
    assert_int_equal(seen.last_finished_ms, load.start_ms + 3);
    assert_in_range(seen.input, 29000, 31000);        /* both consumers, about as often */
    load.now_ms += 5000;
    assert_true(load_make(&load, check_order, &again, &err));
    assert_true(job_id_eq(seen.last, again.last));
}

static void write_trace(char path[40], const char *text)
{
    int fd;

    snprintf(path, 40, "/tmp/quittance-trace-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void a_trace_keeps_counts_and_distances(void **state)
{
    struct load load = small_load();
    struct seen seen = { 0 };
    struct err err = { 0 };
    char path[40];

    (void)state;
    write_trace(path, "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n2023-11-16 18:15:50.9951690,396,109");
    load.trace = path;
    assert_true(load_make(&load, check_one, &seen, &err));
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.input, 374 + 396);
    assert_int_equal(seen.output, 44 + 109);
    assert_int_equal(job_id_time_ms(seen.last) - job_id_time_ms(seen.first), 4315);
    unlink(path);
}

static const struct bad_trace { const char *name, *text, *says; } bad[] = {
    { "a trace without its header is refused",  "2023-11-16 18:15:46.68,374,44\n",                               "the first line must be" },
    { "a row without a third column too",       "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1\n", ":2: must be a time and two counts" },
    { "a count that is no number too",          "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1,x\n", ":2: must be a time and two counts" },
    { "a count of 2^53 too",                    "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1,9007199254740992\n", ":2: must be" },
};

static void a_bad_trace_is_named(void **state)
{
    const struct bad_trace *b = *state;
    struct load load = small_load();
    struct seen seen = { 0 };
    struct err err = { 0 };
    char path[40];

    write_trace(path, b->text);
    load.trace = path;
    assert_false(load_make(&load, check_one, &seen, &err));
    assert_non_null(strstr(err.text, b->says));
    unlink(path);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(bad) + 3];

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        tests[i] = (struct CMUnitTest){ bad[i].name, a_bad_trace_is_named, NULL, NULL, (void *)(uintptr_t)&bad[i] };
    tests[ARRAY_LEN(bad)] = (struct CMUnitTest)cmocka_unit_test(a_made_up_load_ends_now);
    tests[ARRAY_LEN(bad) + 1] = (struct CMUnitTest)cmocka_unit_test(a_trace_keeps_counts_and_distances);
    tests[ARRAY_LEN(bad) + 2] = (struct CMUnitTest)cmocka_unit_test(jobs_of_one_millisecond_are_in_order_too);
    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}

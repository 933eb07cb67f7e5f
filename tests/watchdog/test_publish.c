/* Findings as JSON and metrics; changes are told once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/lib/exposition.h"
#include "gateway/lib/file.h"
#include "gateway/watchdog/publish.h"
#include "gateway/watchdog/watchdog.h"

static const struct watchdog_limits limits = { .unsettled_max_s = 100, .stuck_max_s = 100, .held_max = 1, .gas_runs_warn = 20, .gas_runs_fail = 3 };

static struct facts seen(uint64_t runs_left)
{
    return (struct facts){ .now_ms = 5000000, .last_success_ms = 4000000,
                           .chain = { .asked = true, .seen = true, .is_operator = true, .gas_runs_left = runs_left, .funds_days_left = UINT64_MAX } };
}

static void metrics_of(const struct facts *facts, struct buf *text)
{
    struct findings findings;

    findings_judge(facts, &limits, &findings);
    buf_init(text);
    watchdog_metrics(facts, &findings, text);
}

static void every_code_has_a_line_a_level(void **state)
{
    struct facts facts = seen(5);
    struct buf text;
    unsigned lines = 0;

    (void)state;
    metrics_of(&facts, &text);
    for (const char *at = buf_text(&text); (at = strstr(at, "\nquittance_alarm{")) != NULL; at++)
        lines++;
    assert_int_equal(lines, 2 * FINDING_CODES);
    assert_non_null(strstr(buf_text(&text), "quittance_alarm{code=\"gas-low\",level=\"warning\"} 1\n"));
    assert_non_null(strstr(buf_text(&text), "quittance_alarm{code=\"gas-low\",level=\"failure\"} 0\n"));
    assert_non_null(strstr(buf_text(&text), "\nquittance_gas_runs_left 5\n"));
    assert_non_null(strstr(buf_text(&text), "\nquittance_funds_days_left +Inf\n"));
    assert_non_null(strstr(buf_text(&text), "\nquittance_settle_last_success_timestamp_seconds 4000\n"));
    buf_clear(&text);
}

static void balances_that_nobody_saw_are_no_zeros(void **state)
{
    struct facts facts = { .now_ms = 5000000, .chain = { .asked = true, .away_since_ms = 4000000 } };
    struct buf text;

    (void)state;
    metrics_of(&facts, &text);
    assert_null(strstr(buf_text(&text), "runs_left"));
    assert_non_null(strstr(buf_text(&text), "\nquittance_chain_up 0\n"));
    buf_clear(&text);
}

static void json_holds_only_what_is_past_its_limit(void **state)
{
    struct facts facts = seen(2);
    struct findings findings;
    struct buf text;
    json *list;

    (void)state;
    findings_judge(&facts, &limits, &findings);
    list = json_new_array();
    findings_add_to(list, &findings, NULL);
    buf_init(&text);
    json_write(list, &text);
    assert_string_equal(buf_text(&text), "[{\"code\":\"gas-low\",\"level\":\"failure\","
                        "\"text\":\"gas for 2 runs is left (0 wei), below 3: send coin to the signer\"}]");
    buf_reset(&text);
    findings_add_to(list, &findings, &(struct address){ { 0 } });
    json_write(json_at(list, 1), &text);
    assert_non_null(strstr(buf_text(&text), "\"contract\":\"0x0000000000000000000000000000000000000000\"}"));
    buf_clear(&text);
    json_free(list);
}

static void two_books_tell_the_worse_of_each_code(void **state)
{
    struct findings one, other;
    struct facts warned = seen(5), failed = seen(2), held = seen(20);

    (void)state;
    findings_judge(&warned, &limits, &one);
    findings_judge(&failed, &limits, &other);
    findings_join(&one, &other);
    assert_int_equal(one.by_code[FINDING_GAS_LOW].level, LEVEL_FAILURE);
    held.held = 2;
    findings_judge(&held, &limits, &other);
    findings_join(&one, &other);
    assert_int_equal(one.by_code[FINDING_GAS_LOW].level, LEVEL_FAILURE);
    assert_int_equal(one.by_code[FINDING_HELD].level, LEVEL_WARNING);
}

/* What the calls write to stderr. */
static unsigned changes;

static void count_change(void *self, enum finding_code code, enum finding_level level, const char *text)
{
    (void)self;
    assert_int_equal(code, FINDING_GAS_LOW);
    assert_int_equal(level == LEVEL_NONE, text[0] == '\0');
    changes++;
}

static void told(struct watchdog *w, uint64_t runs_left, char *text, size_t size)
{
    struct facts facts = seen(runs_left);
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    size_t len;

    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    watchdog_publish(w, &facts, count_change, NULL);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    len = fread(text, 1, size - 1, file);
    text[len] = '\0';
    fclose(file);
}

static void a_change_is_told_once(void **state)
{
    struct watchdog *w = watchdog_new(&limits);
    struct findings findings;
    struct facts facts;
    char text[2000];

    (void)state;
    assert_false(watchdog_read(NULL, &facts, &findings));
    assert_false(watchdog_read(w, &facts, &findings));
    told(w, 20, text, sizeof text);
    assert_string_equal(text, "");
    told(w, 19, text, sizeof text);
    assert_non_null(strstr(text, "level=warn event=alarm_raised code=gas-low"));
    told(w, 18, text, sizeof text);
    assert_string_equal(text, "");                 /* the same alarm, another figure */
    told(w, 2, text, sizeof text);
    assert_non_null(strstr(text, "level=error event=alarm_raised code=gas-low"));
    assert_true(watchdog_read(w, &facts, &findings));
    assert_int_equal(findings.by_code[FINDING_GAS_LOW].level, LEVEL_FAILURE);
    assert_int_equal(facts.chain.gas_runs_left, 2);
    told(w, 100, text, sizeof text);
    assert_non_null(strstr(text, "level=notice event=alarm_cleared code=gas-low"));
    assert_int_equal(changes, 3);
    watchdog_free(w);
}

static void a_file_for_the_exporter_is_written_whole(void **state)
{
    char path[] = "/tmp/quittance-exposition-XXXXXX";
    struct err err = { 0 };
    struct buf text, got;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    buf_init(&text);
    buf_init(&got);
    exposition_one(&text, "quittance_x", "gauge", "What x is.", 7);
    assert_true(exposition_write(path, &text, &err));
    assert_true(file_read(path, KIB, &got, &err));
    assert_string_equal(buf_text(&got), "# HELP quittance_x What x is.\n# TYPE quittance_x gauge\nquittance_x 7\n");
    unlink(path);
    assert_false(exposition_write("/nowhere/metrics.prom", &text, &err));
    buf_clear(&text);
    buf_clear(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_line_a_level),
        cmocka_unit_test(balances_that_nobody_saw_are_no_zeros),
        cmocka_unit_test(json_holds_only_what_is_past_its_limit),
        cmocka_unit_test(two_books_tell_the_worse_of_each_code),
        cmocka_unit_test(a_change_is_told_once),
        cmocka_unit_test(a_file_for_the_exporter_is_written_whole),
    };

    return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}

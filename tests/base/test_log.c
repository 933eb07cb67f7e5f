#include "gateway/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/clock.h"

/* What the call under test wrote to stderr, without the time it begins with. */
static char written[8192];

static int saved_stderr, ends[2];

static void catch(void)
{
    assert_int_equal(pipe(ends), 0);
    saved_stderr = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
}

static const char *caught(void)
{
    const size_t time_len = strlen("ts=") + CLOCK_TEXT;
    ssize_t len;

    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    len = read(ends[0], written, sizeof written - 1);
    close(ends[0]);
    written[len > 0 ? len : 0] = '\0';
    return strlen(written) > time_len ? written + time_len : "";
}

static void values_are_written_by_type(void **state)
{
    const struct address account = { { 0xab } };
    const struct amount total = { { { 1500000, 0, 0, 0 } } };
    const struct job_id job = { { 1 } };

    (void)state;
    catch();
    log_event(LOG_NOTICE_LEVEL, "paid", KV_U64("sequence", 41), KV_I64("left", -1), KV_TEXT("state", "final"),
              KV_ADDRESS("account", &account), KV_AMOUNT("total", &total), KV_JOB("job", &job));
    assert_string_equal(caught(), "level=notice event=paid sequence=41 left=-1 state=final"
                        " account=0xab00000000000000000000000000000000000000 total=1500000"
                        " job=01000000-0000-0000-0000-000000000000\n");
}

static void a_value_cannot_break_out_of_its_line(void **state)
{
    (void)state;
    catch();
    log_event(LOG_ERROR_LEVEL, "failed", KV_TEXT("error", "a \"b\"\nlevel=error \\ \x1b[2J\xc3\xa9"),
              KV_TEXT("none", ""), KV_TEXT("null", NULL));
    assert_string_equal(caught(), "level=error event=failed error=\"a \\\"b\\\"\\nlevel=error \\\\ \\x1b[2J\\xc3\\xa9\""
                        " none=\"\" null=\"\"\n");
}

static void lower_levels_are_left_out(void **state)
{
    (void)state;
    catch();
    log_event(LOG_DEBUG_LEVEL, "seen");
    assert_string_equal(caught(), "");
    assert_true(log_takes(LOG_NOTICE_LEVEL));
    assert_false(log_takes(LOG_DEBUG_LEVEL));
    log_set_level(LOG_DEBUG_LEVEL);
    assert_true(log_takes(LOG_DEBUG_LEVEL));
    catch();
    log_event(LOG_DEBUG_LEVEL, "seen");
    assert_string_equal(caught(), "level=debug event=seen\n");
    log_set_level(LOG_NOTICE_LEVEL);
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
    static char text[3000];
    const char *line;

    (void)state;
    memset(text, '\n', sizeof text - 1);
    catch();
    log_event(LOG_NOTICE_LEVEL, "cut", KV_TEXT("a", text), KV_TEXT("b", text), KV_TEXT("c", text));
    line = caught();
    assert_int_equal(strlen(written), 4096);
    assert_ptr_equal(strchr(line, '\n'), written + 4095);
}

static void times_are_rfc3339(void **state)
{
    char text[CLOCK_TEXT];

    (void)state;
    clock_to_text(1772366400007, text);
    assert_string_equal(text, "2026-03-01T12:00:00.007Z");
    clock_to_text(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    clock_to_text(UINT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_written_by_type),
        cmocka_unit_test(a_value_cannot_break_out_of_its_line),
        cmocka_unit_test(lower_levels_are_left_out),
        cmocka_unit_test(a_long_line_is_cut_and_still_ends),
        cmocka_unit_test(times_are_rfc3339),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}

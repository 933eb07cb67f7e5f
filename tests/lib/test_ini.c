#include "gateway/lib/ini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/types.h"
#include "gateway/lib/file.h"

#define LONG_80 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* want: the entries as "section.key=value@line;", or, when refused, a part of the error. */
static const struct ini_case { const char *name, *text, *want; enum err_code code; } cases[] = {
    { "entries come with section and line",   "[api]\nlisten = a:1\n\n# c\n; c\n[chain]\nid=5\n",
      "api.listen=a:1@2;chain.id=5@7;", ERR_NONE },
    { "a value may be empty",                 "[a]\nk =\n",             "a.k=@2;", ERR_NONE },
    { "a value keeps its equal signs",        "[a]\nk = b=c#d\n",       "a.k=b=c#d@2;", ERR_NONE },
    { "an indented entry is an entry",        "[a]\nk = 1\n  l = 2\n",  "a.k=1@2;a.l=2@3;", ERR_NONE },
    { "Windows line ends are fine",           "[a]\r\nk = 1\r\n",       "a.k=1@2;", ERR_NONE },
    { "the last line needs no end",           "[a]\nk = 1",             "a.k=1@2;", ERR_NONE },
    { "an empty file is fine",                "",                       "", ERR_NONE },
    { "a line that is no entry is refused",   "[a]\nk = 1\nnonsense\n", ":3: neither", ERR_CONFIG },
    { "an open section is refused",           "[a\nk = 1\n",            ":1: neither", ERR_CONFIG },
    { "a line over 198 bytes is refused",     "[a]\nk = " LONG_80 LONG_80 LONG_80 "\n",
      ":2: the line is too long", ERR_CONFIG },
    { "the reader of entries may stop",       "[a]\nk = 1\nstop = 1\nnonsense\n", "stopped at 3", ERR_INVALID },
};

static bool collect(void *self, const char *section, const char *key, const char *value, int line, struct err *err)
{
    if (strcmp(key, "stop") == 0)
        return err_set(err, ERR_INVALID, "stopped at %d", line);
    return buf_printf(self, "%s.%s=%s@%d;", section, key, value, line);
}

static void file_is_read(void **state)
{
    const struct ini_case *c = *state;
    char path[] = "/tmp/quittance-ini-XXXXXX";
    struct err err = { 0 };
    struct buf seen;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    assert_true(file_write(path, c->text, strlen(c->text), 0600, &err));
    buf_init(&seen);
    assert_int_equal(ini_read_file(path, collect, &seen, &err), c->code == ERR_NONE);
    assert_int_equal(err.code, c->code);
    if (c->code == ERR_NONE)
        assert_string_equal(buf_text(&seen), c->want);
    else
        assert_non_null(strstr(err.text, c->want));
    buf_clear(&seen);
    unlink(path);
}

static void a_missing_file_is_an_error(void **state)
{
    struct err err = { 0 };

    (void)state;
    assert_false(ini_read_file("/nonexistent.ini", collect, NULL, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 1];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ cases[i].name, file_is_read, NULL, NULL, (void *)(uintptr_t)&cases[i] };
    tests[ARRAY_LEN(cases)] = (struct CMUnitTest)cmocka_unit_test(a_missing_file_is_an_error);
    return cmocka_run_group_tests_name("ini", tests, NULL, NULL);
}

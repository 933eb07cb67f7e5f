#include "gateway/core/csv.h"

#include "tests/support/fixture.h"

/* Rows are told as cells in [] one after the other, a row a line. */
static const struct csv_case { const char *name, *text, *want, *error; } cases[] = {
    { "no rows",                                 "",                          "",                           NULL },
    { "cells, and empty ones",                   "a,,b\n,\n",                 "[a][][b]\n[][]\n",           NULL },
    { "an empty line is one empty cell",         "a\n\nb\n",                  "[a]\n[]\n[b]\n",             NULL },
    { "the last line needs no end",              "a,b\nc,d",                  "[a][b]\n[c][d]\n",           NULL },
    { "CRLF ends lines too",                     "a\r\nb\r\n",                "[a]\n[b]\n",                 NULL },
    { "a CR within a cell is part of it",        "a\rb\n",                    "[a\rb]\n",                   NULL },
    { "quotes hold commas, line ends, quotes",   "\"a,b\",\"c\nd\",\"e\"\"f\"\n", "[a,b][c\nd][e\"f]\n",     NULL },
    { "an empty cell in quotes",                 "\"\",\"\"\n",               "[][]\n",                     NULL },
    { "a comma at the end leaves a cell",        "a,",                        "[a][]\n",                    NULL },
    { "a quote that is not closed",              "a\n\"b,c\n",                NULL, "row 2: a quote is not closed" },
    { "text behind a closing quote",             "\"a\"b\n",                  NULL, "row 1: text behind a closing quote" },
    { "a quote in the middle",                   "a\"b\n",                    NULL, "row 1: a quote within a cell that has none around it" },
};

static void rows_are_read(void **state)
{
    const struct csv_case *c = *state;
    struct err err = { 0 };
    bool row = true, ok;
    struct csv csv;
    struct buf got;

    buf_init(&got);
    csv_init(&csv, c->text, strlen(c->text));
    while ((ok = csv_next(&csv, &row, &err)) && row) {
        for (size_t i = 0; i < csv.count; i++)
            buf_printf(&got, "[%s]", csv.cell[i].text);
        buf_add_byte(&got, '\n');
    }
    assert_int_equal(ok, c->error == NULL);
    if (ok) {
        assert_string_equal(buf_text(&got), c->want);
    } else {
        assert_int_equal(err.code, ERR_INVALID);
        assert_string_equal(err.text, c->error);
    }
    csv_clear(&csv);
    buf_clear(&got);
}

static void a_row_has_at_most_so_many_cells(void **state)
{
    char text[CSV_CELLS_MAX + 1];
    struct err err = { 0 };
    struct csv csv;
    bool row;

    (void)state;
    memset(text, ',', sizeof text);
    csv_init(&csv, text, CSV_CELLS_MAX - 1);
    assert_true(csv_next(&csv, &row, &err) && row);
    assert_int_equal(csv.count, CSV_CELLS_MAX);
    csv_clear(&csv);
    csv_init(&csv, text, CSV_CELLS_MAX);
    assert_false(csv_next(&csv, &row, &err));
    csv_clear(&csv);
}

static const struct cell_case { const char *name, *text, *want; } cell_cases[] = {
    { "plain words",                       "abc",        "\"abc\"" },
    { "quotes are doubled",                "a \"b\"",    "\"a \"\"b\"\"\"" },
    { "what could be a formula",           "=1+1",       "\"'=1+1\"" },
    { "a name that begins with at",        "@small/x-1", "\"'@small/x-1\"" },
    { "a sign alone is none",              "-",          "\"-\"" },
    { "nothing",                           "",           "\"\"" },
};

static void a_cell_is_written_for_spreadsheets(void **state)
{
    const struct cell_case *c = *state;
    struct buf out;

    buf_init(&out);
    csv_add_text(&out, c->text, strlen(c->text));
    assert_string_equal(buf_text(&out), c->want);
    buf_clear(&out);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + ARRAY_LEN(cell_cases) + 1];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[n++] = (struct CMUnitTest){ cases[i].name, rows_are_read, NULL, NULL, (void *)(uintptr_t)&cases[i] };
    for (size_t i = 0; i < ARRAY_LEN(cell_cases); i++)
        tests[n++] = (struct CMUnitTest){ cell_cases[i].name, a_cell_is_written_for_spreadsheets, NULL, NULL, (void *)(uintptr_t)&cell_cases[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_row_has_at_most_so_many_cells);
    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}

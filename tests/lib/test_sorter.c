/* Records come out in the order of their keys, each once, whether they fit in memory or not. */
#include "gateway/lib/sorter.h"

#include <stdlib.h>

#include "gateway/base/mem.h"
#include "tests/support/fixture.h"

#define KEY 5
#define RECORD 12

static const struct sorter_case {
    const char *name;
    size_t count, memory;                     /* records */
} cases[] = {
    { "none",                              0,    8 },
    { "one",                               1,    8 },
    { "all fit exactly",                   8,    8 },
    { "one more than fits",                9,    8 },
    { "many runs, the last is short",      1003, 10 },
    { "memory for one",                    40,   1 },
};

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, KEY);
}

static void sorts(void **state)
{
    const struct sorter_case *c = *state;
    struct sorter *s = sorter_new(RECORD, KEY, c->memory * RECORD);
    uint8_t *all = mem_array(c->count + 1, RECORD);
    struct rng rng = { c->count };
    struct err err = { 0 };
    const void *got;

    for (size_t i = 0; i < c->count; i++) {
        uint8_t *record = all + i * RECORD;

        for (size_t k = 0; k < RECORD; k++)
            record[k] = (uint8_t)rng_below(&rng, 256);
        record[3] = (uint8_t)(i >> 8);        /* no two keys are equal */
        record[4] = (uint8_t)i;
        assert_true(sorter_add(s, record, &err));
    }
    qsort(all, c->count, RECORD, by_key);
    for (int pass = 0; pass < 3; pass++) {
        size_t read = pass == 1 ? c->count / 2 : c->count;      /* gone back to the first before the end */

        assert_true(sorter_finish(s, &err));
        for (size_t i = 0; i < read; i++) {
            assert_true(sorter_next(s, &got, &err));
            assert_non_null(got);
            assert_memory_equal(got, all + i * RECORD, RECORD);
        }
        for (int i = 0; pass != 1 && i < 2; i++) {
            assert_true(sorter_next(s, &got, &err));
            assert_null(got);
        }
    }
    sorter_free(s);
    free(all);
}

int main(void)
{
    FIXTURE_TESTS(tests, cases, sorts);

    return cmocka_run_group_tests_name("sorter", tests, NULL, NULL);
}

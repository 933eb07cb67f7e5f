/* A tree in a file gives the same proofs as one in memory. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "api/tree_file.h"
#include "gateway/base/mem.h"

static struct tree_key key_of(uint64_t number)
{
    struct tree_key key = { { 0 } };

    for (size_t i = 0; i < 8; i++)
        key.b[i] = (uint8_t)(2 * number >> (56 - 8 * i));
    return key;
}

static struct hash leaf_of(uint64_t number)
{
    struct hash h = { { 0 } };

    memcpy(h.b, &number, sizeof number);
    return tree_promise_leaf(h);
}

static void proofs_are_those_of_the_tree(void **state)
{
    static const uint64_t counts[] = { 1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 1000, 2049 };
    struct err err = { 0 };

    (void)state;
    for (size_t c = 0; c < ARRAY_LEN(counts); c++) {
        uint64_t count = counts[c], index;
        struct hash *leaves = mem_array(count, sizeof *leaves);
        struct tree_key none = key_of(0);
        struct tree_file *file;
        struct tree *tree;
        bool found;

        assert_true(tree_file_new("/tmp", &file, &err));
        for (uint64_t i = 0; i < count; i++) {
            struct tree_key key = key_of(i);

            leaves[i] = leaf_of(i);
            assert_true(tree_file_add(file, &key, leaves[i], &err));
        }
        assert_true(tree_file_end(file, &err));
        tree = tree_new(leaves, count);
        for (uint64_t i = 0; i < count; i++) {
            struct proof want, got;
            struct tree_key key = key_of(i);

            assert_true(tree_file_find(file, &key, &index, &found, &err) && found && index == i);
            assert_true(tree_file_prove(file, i, &got, &err));
            tree_prove(tree, i, &want);
            assert_int_equal(got.len, want.len);
            assert_memory_equal(got.path, want.path, want.len * sizeof want.path[0]);
        }
        none.b[7] = 1;                        /* between two, and behind all */
        assert_true(tree_file_find(file, &none, &index, &found, &err) && !found);
        none = key_of(count);
        assert_true(tree_file_find(file, &none, &index, &found, &err) && !found);
        tree_free(tree);
        tree_file_free(file);
        free(leaves);
    }
}

static void nothing_is_found_in_an_empty_one(void **state)
{
    struct tree_key key = key_of(1);
    struct err err = { 0 };
    struct tree_file *file;
    uint64_t index;
    bool found;

    (void)state;
    assert_true(tree_file_new("/tmp", &file, &err));
    assert_true(tree_file_end(file, &err));
    assert_true(tree_file_find(file, &key, &index, &found, &err) && !found);
    tree_file_free(file);
    assert_false(tree_file_new("/nowhere/at/all", &file, &err));
    assert_int_equal(err.code, ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proofs_are_those_of_the_tree), cmocka_unit_test(nothing_is_found_in_an_empty_one),
    };

    return cmocka_run_group_tests_name("tree_file", tests, NULL, NULL);
}

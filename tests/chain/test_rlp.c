#include "chain/rlp.h"

#include "tests/support/vectors.h"

#define DEPTH_MAX 64

static void add_value(const json *value, struct buf *out)
{
    struct buf inner;

    buf_init(&inner);
    if (json_kind_of(value) == JSON_KIND_ARRAY) {
        for (size_t i = 0; i < json_count(value); i++)
            add_value(json_at(value, i), &inner);
        rlp_add_list(out, &inner);
    } else {
        assert_true(json_get_bytes(value, &inner));
        rlp_add_bytes(out, inner.data, inner.len);
    }
    buf_clear(&inner);
}

/* Whether these bytes are nothing but one canonical item, all the way down. */
static bool is_canonical(const uint8_t *bytes, size_t len, int depth)
{
    struct err err = { 0 };
    struct rlp_item item;
    size_t used;

    if (depth > DEPTH_MAX || !rlp_read(bytes, len, &item, &used, &err))
        return false;
    if (used != len)
        return false;
    while (item.is_list && item.len > 0) {
        struct rlp_item inner;

        if (!rlp_read(item.data, item.len, &inner, &used, &err) || !is_canonical(item.data, used, depth + 1))
            return false;
        item.data += used;
        item.len -= used;
    }
    return true;
}

static void a_value_is_written_and_read(void **state)
{
    struct buf want = vector_bytes(*state, "rlp"), got;

    buf_init(&got);
    add_value(vector_member(*state, "value"), &got);
    assert_bytes_are(&got, &want);
    assert_true(is_canonical(want.data, want.len, 0));
    buf_clear(&got);
    buf_clear(&want);
}

static void a_number_is_written_without_leading_zeros(void **state)
{
    struct buf want = vector_bytes(*state, "rlp"), got;

    buf_init(&got);
    rlp_add_u256(&got, vector_u256(*state, "uint"));
    assert_bytes_are(&got, &want);
    buf_clear(&got);
    buf_clear(&want);
}

static void what_is_not_canonical_is_refused(void **state)
{
    struct buf bytes = vector_bytes(*state, "rlp");

    assert_false(is_canonical(bytes.data, bytes.len, 0));
    buf_clear(&bytes);
}

/* The vectors' own deep lists are nested deeper than our JSON reader goes. */
static void lists_nest_as_deep_as_they_like(void **state)
{
    struct buf inner, outer;

    (void)state;
    buf_init(&inner);
    for (int i = 0; i < DEPTH_MAX; i++) {
        buf_init(&outer);
        rlp_add_list(&outer, &inner);
        buf_clear(&inner);
        inner = outer;
    }
    assert_true(is_canonical(inner.data, inner.len, 0));
    assert_int_equal(inner.data[inner.len - 1], 0xc0);
    buf_clear(&inner);
}

int main(void)
{
    static const struct CMUnitTest own[] = { cmocka_unit_test(lists_nest_as_deep_as_they_like) };
    static const struct vector_group groups[] = {
        { "vectors", a_value_is_written_and_read },
        { "uints",   a_number_is_written_without_leading_zeros },
        { "reject",  what_is_not_canonical_is_refused },
    };

    return vectors_run("rlp", groups, ARRAY_LEN(groups), NULL, NULL) + cmocka_run_group_tests_name("rlp", own, NULL, NULL);
}

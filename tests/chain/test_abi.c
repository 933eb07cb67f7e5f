#include "chain/abi.h"

#include <stdlib.h>

#include "gateway/base/mem.h"
#include "tests/support/vectors.h"

/* ---- which rows are about what we encode: words, bytes, and lists of words ---- */

static bool type_is(const json *type, const char *name)
{
    const char *text;
    size_t len;

    return json_get_text(type, &text, &len) && strcmp(text, name) == 0;
}

static bool is_uint(const json *type)
{
    return type_is(type, "uint256") || type_is(type, "uint128") || type_is(type, "uint64") || type_is(type, "uint8");
}

static bool can_read(const json *type)
{
    return type_is(type, "uint256") || type_is(type, "uint64") || type_is(type, "address") || type_is(type, "bytes32")
        || type_is(type, "bool") || type_is(type, "bytes");
}

static bool can_write(const json *type)
{
    return can_read(type) || is_uint(type) || type_is(type, "string") || type_is(type, "address[]")
        || type_is(type, "uint256[]") || type_is(type, "bytes32[]");
}

static bool all_types(const json *row, bool (*can)(const json *type))
{
    const json *types = vector_member(row, "types");

    for (size_t i = 0; i < json_count(types); i++)
        if (!can(json_at(types, i)))
            return false;
    return true;
}

/* ---- writing ---- */

static void add_list(struct abi_out *a, const json *type, const json *list)
{
    size_t count = json_count(list);
    struct address *addresses = mem_array(count + 1, sizeof *addresses);
    struct amount *amounts = mem_array(count + 1, sizeof *amounts);
    struct hash *hashes = mem_array(count + 1, sizeof *hashes);

    for (size_t i = 0; i < count; i++)
        assert_true(json_get_address(json_at(list, i), &addresses[i]) || json_get_amount(json_at(list, i), &amounts[i])
                    || json_get_hash(json_at(list, i), &hashes[i]));
    if (type_is(type, "address[]"))
        abi_add_addresses(a, addresses, count);
    else if (type_is(type, "uint256[]"))
        abi_add_amounts(a, amounts, count);
    else
        abi_add_hashes(a, hashes, count);
    free(addresses);
    free(amounts);
    free(hashes);
}

static void add_value(struct abi_out *a, const json *type, const json *value)
{
    struct address address;
    struct amount amount;
    struct hash hash;
    struct buf bytes;
    const char *text;
    size_t len;
    bool flag;

    buf_init(&bytes);
    if (json_kind_of(value) == JSON_KIND_ARRAY)
        add_list(a, type, value);
    else if (is_uint(type) && json_get_amount(value, &amount))
        abi_add_u256(a, amount.base_units);
    else if (type_is(type, "address") && json_get_address(value, &address))
        abi_add_address(a, address);
    else if (type_is(type, "bytes32") && json_get_hash(value, &hash))
        abi_add_hash(a, hash);
    else if (type_is(type, "bool") && json_get_bool(value, &flag))
        abi_add_bool(a, flag);
    else if (type_is(type, "bytes") && json_get_bytes(value, &bytes))
        abi_add_bytes(a, bytes.data, bytes.len);
    else if (type_is(type, "string") && json_get_text(value, &text, &len))
        abi_add_bytes(a, text, len);
    else
        fail_msg("a value that does not fit its type");
    buf_clear(&bytes);
}

static void assert_encodes(const json *row, const char *signature, const struct buf *want)
{
    const json *types = vector_member(row, "types"), *values = vector_member(row, "values");
    struct abi_out a;
    struct buf got;

    buf_init(&got);
    if (signature != NULL)
        abi_add_selector(&got, signature);
    abi_begin(&a, json_count(types));
    for (size_t i = 0; i < json_count(types); i++)
        add_value(&a, json_at(types, i), json_at(values, i));
    abi_finish(&a, &got);
    assert_bytes_are(&got, want);
    buf_clear(&got);
}

/* ---- reading ---- */

/* Reads one value and, where out is given, writes it again. */
static bool copy_value(struct abi_in *in, const json *type, struct abi_out *out)
{
    const uint8_t *bytes;
    struct address address;
    struct hash hash;
    struct u256 wide;
    uint64_t narrow;
    size_t len;
    bool flag;

    if (type_is(type, "uint256"))
        return abi_get_u256(in, &wide) && (abi_add_u256(out, wide), true);
    if (type_is(type, "uint64"))
        return abi_get_u64(in, &narrow) && (abi_add_u64(out, narrow), true);
    if (type_is(type, "address"))
        return abi_get_address(in, &address) && (abi_add_address(out, address), true);
    if (type_is(type, "bytes32"))
        return abi_get_hash(in, &hash) && (abi_add_hash(out, hash), true);
    if (type_is(type, "bool"))
        return abi_get_bool(in, &flag) && (abi_add_bool(out, flag), true);
    return abi_get_bytes(in, &bytes, &len) && (abi_add_bytes(out, bytes, len), true);
}

/* False: some value is refused.  True: *copy holds them, encoded again. */
static bool copy_all(const json *row, const struct buf *data, struct buf *copy)
{
    const json *types = vector_member(row, "types");
    struct abi_in in = { .data = data->data, .len = data->len };
    struct abi_out out;
    bool ok = true;

    abi_begin(&out, json_count(types));
    for (size_t i = 0; ok && i < json_count(types); i++)
        ok = copy_value(&in, json_at(types, i), &out);
    if (ok) {
        abi_finish(&out, copy);
        return true;
    }
    buf_clear(&out.head);
    buf_clear(&out.tail);
    return false;
}

/* ---- the tests ---- */

static void values_are_encoded_and_read_back(void **state)
{
    struct buf want = vector_bytes(*state, "encoded"), copy;

    assert_encodes(*state, NULL, &want);
    buf_init(&copy);
    if (all_types(*state, can_read)) {
        assert_true(copy_all(*state, &want, &copy));
        assert_bytes_are(&copy, &want);
    }
    buf_clear(&copy);
    buf_clear(&want);
}

static void a_call_is_encoded(void **state)
{
    struct buf want = vector_bytes(*state, "data");

    assert_encodes(*state, vector_text(*state, "signature"), &want);
    buf_clear(&want);
}

static void an_event_has_its_topic(void **state)
{
    assert_hash_is(abi_topic(vector_text(*state, "event")), vector_hash(*state, "topic0"));
}

static void bad_data_is_refused(void **state)
{
    struct buf data = vector_bytes(*state, "data"), copy;

    buf_init(&copy);
    assert_false(copy_all(*state, &data, &copy));
    buf_clear(&copy);
    buf_clear(&data);
}

/* Which rows of a group are run, and how many there have to be: a filter must not quietly let all through. */
static const struct part {
    const char *group;
    bool (*can)(const json *type);      /* NULL: every row */
    CMUnitTestFunction test;
    size_t at_least;
} parts[] = {
    { "vectors", can_write, values_are_encoded_and_read_back, 50 },
    { "calls",   can_write, a_call_is_encoded,                20 },
    { "topics",  NULL,      an_event_has_its_topic,           5 },
    { "reject",  can_read,  bad_data_is_refused,              8 },
};

int main(void)
{
    int failed = 0;

    for (size_t p = 0; p < ARRAY_LEN(parts); p++) {
        const json *rows = vectors_group("abi", parts[p].group);
        struct CMUnitTest tests[200];
        size_t n = 0;

        for (size_t i = 0; i < json_count(rows) && n < ARRAY_LEN(tests); i++)
            if (parts[p].can == NULL || all_types(json_at(rows, i), parts[p].can))
                tests[n++] = (struct CMUnitTest){ parts[p].group, parts[p].test, NULL, NULL,
                                                  (void *)(uintptr_t)json_at(rows, i) };
        if (n < parts[p].at_least)
            bug("only %zu rows of %s", n, parts[p].group);
        failed += _cmocka_run_group_tests(parts[p].group, tests, n, NULL, NULL);
    }
    return failed;
}

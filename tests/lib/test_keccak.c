#include "gateway/lib/keccak.h"

#include "tests/support/vectors.h"

static void message_hashes(void **state)
{
    const json *row = *state;
    struct buf message = vector_bytes(row, "msg");
    struct keccak k;

    assert_int_equal(message.len, vector_u64(row, "len"));
    assert_hash_is(keccak256(message.data, message.len), vector_hash(row, "hash"));
    /* In parts of another length, so that blocks are filled across calls. */
    keccak_init(&k);
    for (size_t i = 0; i < message.len; i += 7)
        keccak_update(&k, message.data + i, message.len - i < 7 ? message.len - i : 7);
    assert_hash_is(keccak_final(&k), vector_hash(row, "hash"));
    buf_clear(&message);
}

static void repeated_byte_hashes(void **state)
{
    const json *row = *state;
    uint8_t byte = (uint8_t)vector_u64(row, "byte");
    struct keccak k;

    keccak_init(&k);
    for (uint64_t i = 0; i < vector_u64(row, "repeat"); i++)
        keccak_update(&k, &byte, 1);
    assert_hash_is(keccak_final(&k), vector_hash(row, "hash"));
}

static void a_pair_is_hashed_in_order(void **state)
{
    const struct hash left = { { 1 } }, right = { { 2 } };
    uint8_t both[64] = { 0 };

    (void)state;
    both[0] = 1;
    both[32] = 2;
    assert_hash_is(keccak256_pair(left, right), keccak256(both, sizeof both));
}

int main(void)
{
    static const struct vector_group groups[] = {
        { "vectors", message_hashes },
        { "repeat",  repeated_byte_hashes },
    };
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_pair_is_hashed_in_order) };

    return vectors_run("keccak256", groups, ARRAY_LEN(groups), NULL, NULL)
         + cmocka_run_group_tests_name("keccak", tests, NULL, NULL);
}

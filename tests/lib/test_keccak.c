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

/* Every length over three blocks and every count over two widths: each digest is that of the message alone. */
static void many_are_hashed_as_each_alone(void **state)
{
    enum { MOST = 19, LONGEST = 3 * KECCAK_RATE, STRIDE = LONGEST + 3 };
    static uint8_t messages[MOST * STRIDE];
    struct hash digests[MOST + 1];

    (void)state;
    for (size_t i = 0; i < sizeof messages; i++)
        messages[i] = (uint8_t)(i * 2654435761u >> 24);
    for (size_t len = 0; len <= LONGEST; len += len < 70 ? 1 : 13)
        for (size_t count = 0; count <= MOST; count++) {
            memset(digests, 0xee, sizeof digests);
            keccak256_many(messages, STRIDE, len, count, digests);
            for (size_t i = 0; i < count; i++)
                assert_hash_is(digests[i], keccak256(messages + i * STRIDE, len));
            assert_int_equal(digests[count].b[0], 0xee);
        }
}

int main(void)
{
    static const struct vector_group groups[] = {
        { "vectors", message_hashes },
        { "repeat",  repeated_byte_hashes },
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_is_hashed_in_order),
        cmocka_unit_test(many_are_hashed_as_each_alone),
    };

    return vectors_run("keccak256", groups, ARRAY_LEN(groups), NULL, NULL)
         + cmocka_run_group_tests_name("keccak", tests, NULL, NULL);
}

/* The leaves of the three kinds of trees (tree.h, design 5). */
#include "gateway/core/tree.h"

#include "gateway/core/word.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/keccak.h"

/* Hashed twice: 64 bytes of an inner node can then never pass for a leaf's content. */
static struct hash hash_twice(const void *bytes, size_t len)
{
    struct hash once = keccak256(bytes, len);

    return keccak256(once.b, sizeof once.b);
}

struct hash tree_rewards_leaf(struct address account, struct address token, struct amount claimable)
{
    uint8_t words[3 * WORD];

    word_address(words, account);
    word_address(words + WORD, token);
    u256_to_be(claimable.base_units, words + 2 * WORD);
    return hash_twice(words, sizeof words);
}

#define RECEIPTS_LEAF_WORDS (5 * WORD)
#define LEAVES_AT_ONCE 64u

static void receipts_words(uint64_t index, const struct receipts_leaf *leaf, uint8_t words[RECEIPTS_LEAF_WORDS])
{
    word_u64(words, index);
    word_job_id(words + WORD, leaf->job_id);
    word_address(words + 2 * WORD, leaf->provider);
    word_hash(words + 3 * WORD, leaf->salt);
    word_hash(words + 4 * WORD, leaf->struct_hash);
}

struct hash tree_receipts_leaf(uint64_t index, struct job_id job_id, struct address provider, struct hash salt, struct hash struct_hash)
{
    const struct receipts_leaf leaf = { job_id, provider, salt, struct_hash };
    uint8_t words[RECEIPTS_LEAF_WORDS];

    receipts_words(index, &leaf, words);
    return hash_twice(words, sizeof words);
}

void tree_receipts_leaves(const struct receipts_leaf *of, size_t count, uint64_t first_index, struct hash *leaves)
{
    uint8_t words[LEAVES_AT_ONCE * RECEIPTS_LEAF_WORDS];

    for (size_t at = 0; at < count; at += LEAVES_AT_ONCE) {
        size_t some = count - at < LEAVES_AT_ONCE ? count - at : LEAVES_AT_ONCE;
        struct hash once[LEAVES_AT_ONCE];

        for (size_t i = 0; i < some; i++)
            receipts_words(first_index + at + i, &of[at + i], words + i * RECEIPTS_LEAF_WORDS);
        keccak256_many(words, RECEIPTS_LEAF_WORDS, RECEIPTS_LEAF_WORDS, some, once);
        keccak256_many(once, sizeof *once, sizeof *once, some, leaves + at);
    }
}

struct hash tree_promise_leaf(struct hash struct_hash)
{
    return keccak256(struct_hash.b, sizeof struct_hash.b);
}

void tree_promise_leaves(const struct hash *struct_hashes, size_t count, struct hash *leaves)
{
    keccak256_many(struct_hashes, sizeof *struct_hashes, sizeof *struct_hashes, count, leaves);
}

struct hash receipt_salt(const uint8_t secret[32], struct job_id job_id, struct address provider)
{
    uint8_t bytes[16 + 20];

    memcpy(bytes, job_id.b, 16);
    memcpy(bytes + 16, provider.b, 20);
    return hmac_sha256(secret, 32, bytes, sizeof bytes);
}

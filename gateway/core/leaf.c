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

struct hash tree_receipts_leaf(uint64_t index, struct job_id job_id, struct address provider, struct hash salt, struct hash struct_hash)
{
    uint8_t words[5 * WORD];

    word_u64(words, index);
    word_job_id(words + WORD, job_id);
    word_address(words + 2 * WORD, provider);
    word_hash(words + 3 * WORD, salt);
    word_hash(words + 4 * WORD, struct_hash);
    return hash_twice(words, sizeof words);
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

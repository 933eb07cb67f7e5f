#include "gateway/core/header.h"

#include "gateway/core/word.h"
#include "gateway/lib/keccak.h"

struct hash header_first(uint64_t chain_id, struct address contract, struct address token)
{
    uint8_t words[3 * WORD];

    word_u64(words, chain_id);
    word_address(words + WORD, contract);
    word_address(words + 2 * WORD, token);
    return keccak256(words, sizeof words);
}

struct hash header_next(struct hash parent, const struct settlement_content *content, uint64_t timestamp_s)
{
    uint8_t words[8 * WORD];

    word_hash(words, parent);
    word_u64(words + WORD, content->sequence);
    word_hash(words + 2 * WORD, content->receipts_root);
    word_hash(words + 3 * WORD, content->rewards_root);
    word_hash(words + 4 * WORD, content->archive);
    u256_to_be(content->total.base_units, words + 5 * WORD);
    word_u64(words + 6 * WORD, content->receipts);
    word_u64(words + 7 * WORD, timestamp_s);
    return keccak256(words, sizeof words);
}

struct hash header_cancelled(struct hash header)
{
    /* abi.encode(bytes32, string): the header, where the text starts, its length, the text. */
    static const char text[] = "cancelled";
    uint8_t words[4 * WORD] = { 0 };

    word_hash(words, header);
    word_u64(words + WORD, 2 * WORD);
    word_u64(words + 2 * WORD, sizeof text - 1);
    memcpy(words + 3 * WORD, text, sizeof text - 1);
    return keccak256(words, sizeof words);
}

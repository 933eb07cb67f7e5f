#include "gateway/core/typed.h"

#include "gateway/core/word.h"
#include "gateway/lib/keccak.h"

#include <pthread.h>

enum type { TYPE_DOMAIN, TYPE_RECEIPT, TYPE_BUNDLE, TYPE_MODEL, TYPE_LINEAGE, TYPE_QUOTE, TYPE_PROMISE, TYPE_ACCESS, TYPE_DELEGATION,
            TYPE_REVOCATION, TYPE_PAYOUT, TYPE_CAPACITY, TYPE_CHARGE, TYPE_SAVINGS };

#define HASHED_AT_ONCE 32u                    /* messages side by side, on the stack */

#define LINEAGE_TYPE "Lineage(bytes32 parent,uint16 shareBps)"

static const char *const type_strings[] = {
    [TYPE_DOMAIN]  = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
    [TYPE_RECEIPT] = "UsageReceipt(bytes16 jobId,address provider,bytes32 model,address consumer,uint64 inputTokens,"
                     "uint64 cachedTokens,uint64 outputTokens,uint64 units,uint64 computeMs,uint64 startedAt,"
                     "uint64 finishedAt,bytes32 quote,bytes32 evidence)",
    [TYPE_BUNDLE]  = "ReceiptBundle(address provider,bytes32 root,uint64 count)",
    /* EIP-712: the types a type refers to follow it. */
    [TYPE_MODEL]   = "ModelRegistration(bytes32 model,address creator,string name,Lineage[] parents,uint64 registeredAt)"
                     LINEAGE_TYPE,
    [TYPE_LINEAGE] = LINEAGE_TYPE,
    [TYPE_QUOTE]   = "Quote(bytes32 model,address provider,address consumer,uint64 priceVersion,uint64 validUntil)",
    [TYPE_PROMISE] = "InclusionPromise(bytes32 root,uint64 count,uint64 acceptedAt,uint64 settleBy)",
    [TYPE_ACCESS]  = "Access(address account,uint64 expires)",
    [TYPE_DELEGATION] = "Delegation(address provider,address key,uint64 validFrom,uint64 validUntil)",
    [TYPE_REVOCATION] = "Revocation(address provider,address key,uint64 at)",
    [TYPE_PAYOUT]  = "Payout(address provider,address payout,uint64 at)",
    [TYPE_CAPACITY] = "Capacity(address provider,bytes32 model,uint64 unitsPerSecond,uint64 validFrom,uint64 validUntil)",
    [TYPE_CHARGE]  = "ChargeStatement(address consumer,uint64 from,uint64 until,uint256 charged,bytes32 digest)",
    [TYPE_SAVINGS] = "SavingsStatement(address consumer,uint64 from,uint64 until,bytes32 charges,uint256 charged,uint256 compared,"
                     "bytes32 list,string listDate,uint256 tokenPrice,uint8 decimals,uint256 referenceCost,bytes32 digest)",
};

static struct hash type_hashes[ARRAY_LEN(type_strings)];
static pthread_once_t type_hashes_once = PTHREAD_ONCE_INIT;

static void hash_types(void)
{
    for (size_t i = 0; i < ARRAY_LEN(type_strings); i++)
        type_hashes[i] = keccak256(type_strings[i], strlen(type_strings[i]));
}

static struct hash hash_struct(enum type type, const uint8_t *words, size_t len)
{
    struct keccak k;

    pthread_once(&type_hashes_once, hash_types);
    keccak_init(&k);
    keccak_update(&k, type_hashes[type].b, sizeof type_hashes[type].b);
    keccak_update(&k, words, len);
    return keccak_final(&k);
}

void domain_init(struct domain *d, uint64_t chain_id, struct address contract)
{
    uint8_t words[4 * WORD];

    word_hash(words, keccak256("Quittance", 9));
    word_hash(words + WORD, keccak256("1", 1));
    word_u64(words + 2 * WORD, chain_id);
    word_address(words + 3 * WORD, contract);
    *d = (struct domain){ chain_id, contract, hash_struct(TYPE_DOMAIN, words, sizeof words) };
}

struct hash typed_digest(const struct domain *d, struct hash struct_hash)
{
    uint8_t bytes[2 + 32 + 32] = { 0x19, 0x01 };

    memcpy(bytes + 2, d->separator.b, 32);
    memcpy(bytes + 34, struct_hash.b, 32);
    return keccak256(bytes, sizeof bytes);
}

void typed_digests(const struct domain *d, const struct hash *struct_hashes, size_t count, struct hash *digests)
{
    uint8_t messages[HASHED_AT_ONCE][2 + 32 + 32];
    size_t part;

    for (size_t i = 0; i < HASHED_AT_ONCE && i < count; i++) {
        messages[i][0] = 0x19;
        messages[i][1] = 0x01;
        memcpy(messages[i] + 2, d->separator.b, 32);
    }
    for (; count > 0; count -= part, struct_hashes += part, digests += part) {
        part = count < HASHED_AT_ONCE ? count : HASHED_AT_ONCE;
        for (size_t i = 0; i < part; i++)
            memcpy(messages[i] + 34, struct_hashes[i].b, 32);
        keccak256_many(messages, sizeof *messages, sizeof *messages, part, digests);
    }
}

struct hash receipt_words_hash(const uint8_t words[RECEIPT_WORDS])
{
    return hash_struct(TYPE_RECEIPT, words, RECEIPT_WORDS);
}

void receipt_words_hashes(const uint8_t *words, size_t count, struct hash *hashes)
{
    uint8_t messages[HASHED_AT_ONCE][WORD + RECEIPT_WORDS];
    size_t part;

    pthread_once(&type_hashes_once, hash_types);
    for (size_t i = 0; i < HASHED_AT_ONCE && i < count; i++)
        memcpy(messages[i], type_hashes[TYPE_RECEIPT].b, WORD);
    for (; count > 0; count -= part, words += part * RECEIPT_WORDS, hashes += part) {
        part = count < HASHED_AT_ONCE ? count : HASHED_AT_ONCE;
        for (size_t i = 0; i < part; i++)
            memcpy(messages[i] + WORD, words + i * RECEIPT_WORDS, RECEIPT_WORDS);
        keccak256_many(messages, sizeof *messages, sizeof *messages, part, hashes);
    }
}

struct hash receipt_struct_hash(const struct receipt *r)
{
    uint8_t words[RECEIPT_WORDS];

    receipt_to_words(r, words);
    return receipt_words_hash(words);
}

struct hash bundle_struct_hash(const struct receipt_bundle *b)
{
    uint8_t words[3 * WORD];

    word_address(words, b->provider);
    word_hash(words + WORD, b->root);
    word_u64(words + 2 * WORD, b->count);
    return hash_struct(TYPE_BUNDLE, words, sizeof words);
}

static struct hash parents_hash(const struct model *m)
{
    uint8_t hashes[MODEL_PARENTS_MAX * WORD];

    for (size_t i = 0; i < m->parent_count; i++) {
        uint8_t words[2 * WORD];

        word_hash(words, m->parents[i].model);
        word_u64(words + WORD, m->parents[i].share_bps);
        word_hash(hashes + i * WORD, hash_struct(TYPE_LINEAGE, words, sizeof words));
    }
    return keccak256(hashes, m->parent_count * WORD);
}

struct hash model_struct_hash(const struct model *m)
{
    uint8_t words[5 * WORD];

    word_hash(words, m->model);
    word_address(words + WORD, m->creator);
    word_hash(words + 2 * WORD, keccak256(m->name, strlen(m->name)));
    word_hash(words + 3 * WORD, parents_hash(m));
    word_u64(words + 4 * WORD, m->registered_at_ms);
    return hash_struct(TYPE_MODEL, words, sizeof words);
}

struct hash quote_struct_hash(const struct quote *q)
{
    uint8_t words[5 * WORD];

    word_hash(words, q->model);
    word_address(words + WORD, q->provider);
    word_address(words + 2 * WORD, q->consumer);
    word_u64(words + 3 * WORD, q->price_version);
    word_u64(words + 4 * WORD, q->valid_until_ms);
    return hash_struct(TYPE_QUOTE, words, sizeof words);
}

struct hash promise_struct_hash(const struct inclusion_promise *p)
{
    uint8_t words[4 * WORD];

    word_hash(words, p->root);
    word_u64(words + WORD, p->count);
    word_u64(words + 2 * WORD, p->accepted_at_ms);
    word_u64(words + 3 * WORD, p->settle_by_ms);
    return hash_struct(TYPE_PROMISE, words, sizeof words);
}

struct hash access_struct_hash(const struct access *a)
{
    uint8_t words[2 * WORD];

    word_address(words, a->account);
    word_u64(words + WORD, a->expires_ms);
    return hash_struct(TYPE_ACCESS, words, sizeof words);
}

static struct hash hash_pair(enum type type, struct address a, struct address b, const uint64_t *times, size_t count)
{
    uint8_t words[4 * WORD];

    word_address(words, a);
    word_address(words + WORD, b);
    for (size_t i = 0; i < count; i++)
        word_u64(words + (2 + i) * WORD, times[i]);
    return hash_struct(type, words, (2 + count) * WORD);
}

struct hash payout_struct_hash(const struct payout *p)
{
    return hash_pair(TYPE_PAYOUT, p->provider, p->payout, &p->at_ms, 1);
}

struct hash delegation_struct_hash(struct address provider, struct address key, uint64_t valid_from_ms, uint64_t valid_until_ms)
{
    return hash_pair(TYPE_DELEGATION, provider, key, (const uint64_t[]){ valid_from_ms, valid_until_ms }, 2);
}

struct hash revocation_struct_hash(struct address provider, struct address key, uint64_t at_ms)
{
    return hash_pair(TYPE_REVOCATION, provider, key, &at_ms, 1);
}

struct hash capacity_struct_hash(const struct capacity *c)
{
    uint8_t words[5 * WORD];

    word_address(words, c->provider);
    word_hash(words + WORD, c->model);
    word_u64(words + 2 * WORD, c->units_per_second);
    word_u64(words + 3 * WORD, c->valid_from_ms);
    word_u64(words + 4 * WORD, c->valid_until_ms);
    return hash_struct(TYPE_CAPACITY, words, sizeof words);
}

struct hash charge_struct_hash(const struct charge_statement *c)
{
    uint8_t words[5 * WORD];

    word_address(words, c->consumer);
    word_u64(words + WORD, c->from_ms);
    word_u64(words + 2 * WORD, c->until_ms);
    u256_to_be(c->charged.base_units, words + 3 * WORD);
    word_hash(words + 4 * WORD, c->digest);
    return hash_struct(TYPE_CHARGE, words, sizeof words);
}

struct hash savings_struct_hash(const struct savings_statement *s)
{
    uint8_t words[12 * WORD];

    word_address(words, s->consumer);
    word_u64(words + WORD, s->from_ms);
    word_u64(words + 2 * WORD, s->until_ms);
    word_hash(words + 3 * WORD, s->charges);
    u256_to_be(s->charged.base_units, words + 4 * WORD);
    u256_to_be(s->compared.base_units, words + 5 * WORD);
    word_hash(words + 6 * WORD, s->list);
    word_hash(words + 7 * WORD, keccak256(s->list_date, strlen(s->list_date)));
    u256_to_be(s->token_price.atto, words + 8 * WORD);
    word_u64(words + 9 * WORD, s->decimals);
    u256_to_be(s->reference_cost.atto, words + 10 * WORD);
    word_hash(words + 11 * WORD, s->digest);
    return hash_struct(TYPE_SAVINGS, words, sizeof words);
}

#include "chain/abi.h"

#include "gateway/lib/keccak.h"

#define WORD 32u

/* ---- out ---- */

void abi_begin(struct abi_out *a, size_t head_words)
{
    buf_init(&a->head);
    buf_init(&a->tail);
    a->head_words = head_words;
}

static void add_word(struct buf *out, struct u256 v)
{
    uint8_t word[WORD];

    u256_to_be(v, word);
    buf_add(out, word, sizeof word);
}

/* Left-padded, as all but bytesN are. */
static void add_address_word(struct buf *out, struct address v)
{
    buf_add_zeros(out, WORD - sizeof v.b);
    buf_add(out, v.b, sizeof v.b);
}

void abi_add_u256(struct abi_out *a, struct u256 v)
{
    add_word(&a->head, v);
}

void abi_add_u64(struct abi_out *a, uint64_t v)
{
    add_word(&a->head, u256_from_u64(v));
}

void abi_add_address(struct abi_out *a, struct address v)
{
    add_address_word(&a->head, v);
}

void abi_add_hash(struct abi_out *a, struct hash v)
{
    buf_add(&a->head, v.b, sizeof v.b);
}

void abi_add_bool(struct abi_out *a, bool v)
{
    abi_add_u64(a, v ? 1 : 0);
}

/* The head of a dynamic argument: where its tail begins, counted from the start of the list; then its length. */
static void begin_dynamic(struct abi_out *a, size_t count)
{
    abi_add_u64(a, a->head_words * WORD + a->tail.len);
    add_word(&a->tail, u256_from_u64(count));
}

void abi_add_bytes(struct abi_out *a, const void *bytes, size_t len)
{
    begin_dynamic(a, len);
    buf_add(&a->tail, bytes, len);
    buf_add_zeros(&a->tail, (WORD - len % WORD) % WORD);
}

void abi_add_addresses(struct abi_out *a, const struct address *list, size_t count)
{
    begin_dynamic(a, count);
    for (size_t i = 0; i < count; i++)
        add_address_word(&a->tail, list[i]);
}

void abi_add_amounts(struct abi_out *a, const struct amount *list, size_t count)
{
    begin_dynamic(a, count);
    for (size_t i = 0; i < count; i++)
        add_word(&a->tail, list[i].base_units);
}

void abi_add_hashes(struct abi_out *a, const struct hash *list, size_t count)
{
    begin_dynamic(a, count);
    for (size_t i = 0; i < count; i++)
        buf_add(&a->tail, list[i].b, sizeof list[i].b);
}

void abi_finish(struct abi_out *a, struct buf *out)
{
    bool failed = a->head.failed || a->tail.failed;

    if (!failed && a->head.len != a->head_words * WORD)
        bug("ABI head of %zu words has %zu bytes", a->head_words, a->head.len);
    buf_add(out, a->head.data, a->head.len);
    buf_add(out, a->tail.data, a->tail.len);
    out->failed |= failed;
    buf_clear(&a->head);
    buf_clear(&a->tail);
}

void abi_add_selector(struct buf *out, const char *signature)
{
    buf_add(out, abi_topic(signature).b, 4);
}

struct hash abi_topic(const char *event_signature)
{
    return keccak256(event_signature, strlen(event_signature));
}

/* ---- in ---- */

/* The next word; NULL at the end. */
static const uint8_t *next_word(struct abi_in *a)
{
    const uint8_t *word;

    if (a->at > a->len || a->len - a->at < WORD)
        return NULL;
    word = a->data + a->at;
    a->at += WORD;
    return word;
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

bool abi_get_u256(struct abi_in *a, struct u256 *v)
{
    const uint8_t *word = next_word(a);

    if (word == NULL)
        return false;
    *v = u256_from_be(word);
    return true;
}

bool abi_get_u64(struct abi_in *a, uint64_t *v)
{
    struct u256 wide;

    return abi_get_u256(a, &wide) && u256_to_u64(wide, v);
}

bool abi_get_address(struct abi_in *a, struct address *v)
{
    const uint8_t *word = next_word(a);

    if (word == NULL || !all_zero(word, WORD - sizeof v->b))
        return false;
    memcpy(v->b, word + WORD - sizeof v->b, sizeof v->b);
    return true;
}

bool abi_get_hash(struct abi_in *a, struct hash *v)
{
    const uint8_t *word = next_word(a);

    if (word == NULL)
        return false;
    memcpy(v->b, word, sizeof v->b);
    return true;
}

bool abi_get_bool(struct abi_in *a, bool *v)
{
    uint64_t number;

    if (!abi_get_u64(a, &number) || number > 1)
        return false;
    *v = number == 1;
    return true;
}

bool abi_get_bytes(struct abi_in *a, const uint8_t **bytes, size_t *len)
{
    struct abi_in tail = *a;
    uint64_t offset, count, padding;

    /* Every comparison is against what is left, so a length of 2^64 - 1 cannot wrap around. */
    if (!abi_get_u64(a, &offset) || offset > a->len)
        return false;
    tail.at = (size_t)offset;
    if (!abi_get_u64(&tail, &count) || count > tail.len - tail.at)
        return false;
    padding = (WORD - count % WORD) % WORD;
    if (padding > tail.len - tail.at - count || !all_zero(tail.data + tail.at + count, (size_t)padding))
        return false;
    *bytes = tail.data + tail.at;
    *len = (size_t)count;
    return true;
}

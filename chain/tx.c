#include "chain/tx.h"

#include "gateway/lib/keccak.h"

#define FIELD_BYTES_MAX 512u               /* all fields but the data, with their headers */

void tx_init(struct tx *t)
{
    *t = (struct tx){ 0 };
    buf_init(&t->data);
}

void tx_clear(struct tx *t)
{
    buf_clear(&t->data);
    tx_init(t);
}

static void add_call(const struct tx *t, struct buf *items)
{
    rlp_add_u64(items, t->gas);
    rlp_add_bytes(items, t->to.b, t->creates ? 0 : sizeof t->to.b);
    rlp_add_u256(items, t->value.v);
    rlp_add_bytes(items, t->data.data, t->data.len);
}

/* r and s as numbers, so without leading zeros. */
static void add_r_and_s(const struct signature *sig, struct buf *items)
{
    rlp_add_u256(items, u256_from_be(sig->b));
    rlp_add_u256(items, u256_from_be(sig->b + 32));
}

static void add_dynamic_fee(const struct tx *t, const struct signature *sig, struct buf *items)
{
    struct buf none;

    rlp_add_u64(items, t->chain_id);
    rlp_add_u64(items, t->nonce);
    rlp_add_u256(items, t->max_priority_fee.v);
    rlp_add_u256(items, t->max_fee.v);
    add_call(t, items);
    buf_init(&none);
    rlp_add_list(items, &none);            /* the access list (EIP-2930): ours is always empty */
    if (sig == NULL)
        return;
    rlp_add_u64(items, (uint64_t)sig->b[64] - 27);      /* y parity, where our signatures carry 27 or 28 */
    add_r_and_s(sig, items);
}

static void add_legacy(const struct tx *t, const struct signature *sig, struct buf *items)
{
    struct u256 v;

    rlp_add_u64(items, t->nonce);
    rlp_add_u256(items, t->max_fee.v);
    add_call(t, items);
    if (sig == NULL) {                     /* EIP-155: what is signed names the chain and two zeros */
        rlp_add_u64(items, t->chain_id);
        rlp_add_u64(items, 0);
        rlp_add_u64(items, 0);
        return;
    }
    if (!u256_mul_u64(u256_from_u64(t->chain_id), 2, &v)
        || !u256_add(v, u256_from_u64(TX_LEGACY_V + (uint64_t)sig->b[64] - 27), &v))
        bug("65 bits are within 256");
    rlp_add_u256(items, v);
    add_r_and_s(sig, items);
}

/* sig NULL: the bytes that are signed. */
static void add_envelope(const struct tx *t, const struct signature *sig, struct buf *raw)
{
    struct buf items;

    buf_init_max(&items, t->data.len + FIELD_BYTES_MAX);
    if (t->legacy) {
        add_legacy(t, sig, &items);
    } else {
        add_dynamic_fee(t, sig, &items);
        buf_add_byte(raw, TX_TYPE_DYNAMIC_FEE);
    }
    rlp_add_list(raw, &items);
    buf_clear(&items);
}

void tx_unsigned(const struct tx *t, struct buf *bytes)
{
    add_envelope(t, NULL, bytes);
}

struct hash tx_digest(const struct tx *t)
{
    struct buf bytes;
    struct hash digest;

    buf_init_max(&bytes, t->data.len + 2 * FIELD_BYTES_MAX);
    add_envelope(t, NULL, &bytes);
    if (bytes.failed)
        bug("no memory for a transaction of %zu bytes", t->data.len);
    digest = keccak256(bytes.data, bytes.len);
    buf_clear(&bytes);
    return digest;
}

struct tx_hash tx_encode(const struct tx *t, const struct signature *sig, struct buf *raw)
{
    size_t start = raw->len;

    add_envelope(t, sig, raw);
    if (raw->failed)
        return (struct tx_hash){ { { 0 } } };      /* the caller sees raw->failed */
    return (struct tx_hash){ keccak256(raw->data + start, raw->len - start) };
}

struct tx_hash tx_hash_of(const struct buf *raw)
{
    return (struct tx_hash){ keccak256(raw->data, raw->len) };
}

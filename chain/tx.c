#include "chain/tx.h"

#include "gateway/lib/keccak.h"
#include "gateway/lib/secp.h"

#define TYPE_DYNAMIC_FEE 0x02              /* EIP-1559 */
#define FIELD_BYTES_MAX 512u               /* all fields but the data, with their headers */

/* Yellow paper, appendix G, as changed by EIP-2, EIP-2028, EIP-3860 and EIP-7623. */
#define GAS_TRANSACTION 21000u
#define GAS_CREATE 32000u
#define GAS_DATA_ZERO 4u
#define GAS_DATA_NONZERO 16u
#define GAS_INITCODE_WORD 2u
#define GAS_FLOOR_TOKEN 10u
#define TOKENS_NONZERO 4u

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

static void add_fields(const struct tx *t, struct buf *items)
{
    struct buf none;

    rlp_add_u64(items, t->chain_id);
    rlp_add_u64(items, t->nonce);
    rlp_add_u256(items, t->max_priority_fee.v);
    rlp_add_u256(items, t->max_fee.v);
    rlp_add_u64(items, t->gas);
    rlp_add_bytes(items, t->to.b, t->creates ? 0 : sizeof t->to.b);
    rlp_add_u256(items, t->value.v);
    rlp_add_bytes(items, t->data.data, t->data.len);
    buf_init(&none);
    rlp_add_list(items, &none);            /* the access list (EIP-2930): ours is always empty */
}

/* sig NULL: the bytes that are signed. */
static void add_envelope(const struct tx *t, const struct signature *sig, struct buf *raw)
{
    struct buf items;

    buf_init_max(&items, t->data.len + FIELD_BYTES_MAX);
    add_fields(t, &items);
    if (sig != NULL) {
        /* y parity, where our signatures carry 27 or 28; r and s as numbers, so without leading zeros */
        rlp_add_u64(&items, (uint64_t)sig->b[64] - 27);
        rlp_add_u256(&items, u256_from_be(sig->b));
        rlp_add_u256(&items, u256_from_be(sig->b + 32));
    }
    buf_add_byte(raw, TYPE_DYNAMIC_FEE);
    rlp_add_list(raw, &items);
    buf_clear(&items);
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

/* ---- reading back ---- */

/* What is left of a list's payload. */
struct fields { const uint8_t *at; size_t left; };

static bool next_item(struct fields *f, bool want_list, const char *name, struct rlp_item *item, struct err *err)
{
    size_t used;

    if (!rlp_read(f->at, f->left, item, &used, err))
        return err_prefix(err, "transaction's %s", name);
    if (item->is_list != want_list)
        return err_set(err, ERR_INVALID, "transaction's %s is %s list", name, item->is_list ? "a" : "no");
    f->at += used;
    f->left -= used;
    return true;
}

static bool next_u256(struct fields *f, const char *name, struct u256 *v, struct err *err)
{
    struct rlp_item item;
    uint8_t be[32] = { 0 };

    if (!next_item(f, false, name, &item, err))
        return false;
    if (item.len > sizeof be || (item.len > 0 && item.data[0] == 0))
        return err_set(err, ERR_INVALID, "transaction's %s is no minimal number of at most 256 bits", name);
    memcpy(be + sizeof be - item.len, item.data, item.len);
    *v = u256_from_be(be);
    return true;
}

static bool next_u64(struct fields *f, const char *name, uint64_t *v, struct err *err)
{
    struct u256 wide;

    if (!next_u256(f, name, &wide, err))
        return false;
    return u256_to_u64(wide, v) || err_set(err, ERR_INVALID, "transaction's %s is over 64 bits", name);
}

static bool next_to(struct fields *f, struct tx *t, struct err *err)
{
    struct rlp_item item;

    if (!next_item(f, false, "to", &item, err))
        return false;
    if (item.len != 0 && item.len != sizeof t->to.b)
        return err_set(err, ERR_INVALID, "transaction's to has %zu bytes", item.len);
    t->creates = item.len == 0;
    memcpy(t->to.b, item.data, item.len);
    return true;
}

static bool next_data(struct fields *f, struct tx *t, struct err *err)
{
    struct rlp_item item;

    if (!next_item(f, false, "data", &item, err))
        return false;
    return buf_add(&t->data, item.data, item.len) || err_set(err, ERR_INVALID, "transaction's data is too long");
}

static bool next_empty_access_list(struct fields *f, struct err *err)
{
    struct rlp_item item;

    if (!next_item(f, true, "access list", &item, err))
        return false;
    return item.len == 0 || err_set(err, ERR_INVALID, "transaction's access list is not empty");
}

static bool next_signature(struct fields *f, struct signature *sig, struct err *err)
{
    uint64_t parity;
    struct u256 r, s;

    if (!next_u64(f, "y parity", &parity, err) || !next_u256(f, "r", &r, err) || !next_u256(f, "s", &s, err))
        return false;
    if (parity > 1)
        return err_set(err, ERR_INVALID, "transaction's y parity is not 0 or 1");
    u256_to_be(r, sig->b);
    u256_to_be(s, sig->b + 32);
    sig->b[64] = (uint8_t)(27 + parity);
    return true;
}

static bool read_fields(struct fields *f, struct tx *t, struct signature *sig, struct err *err)
{
    return next_u64(f, "chain id", &t->chain_id, err)
        && next_u64(f, "nonce", &t->nonce, err)
        && next_u256(f, "priority fee", &t->max_priority_fee.v, err)
        && next_u256(f, "max fee", &t->max_fee.v, err)
        && next_u64(f, "gas", &t->gas, err)
        && next_to(f, t, err)
        && next_u256(f, "value", &t->value.v, err)
        && next_data(f, t, err)
        && next_empty_access_list(f, err)
        && next_signature(f, sig, err)
        && (f->left == 0 || err_set(err, ERR_INVALID, "a transaction with more than 12 fields"));
}

bool tx_decode(const uint8_t *raw, size_t len, struct tx *t, struct signature *sig, struct err *err)
{
    struct rlp_item list;
    struct fields fields;
    struct signature read_sig;
    struct address signer;
    struct tx read;
    size_t used;

    if (len == 0 || raw[0] != TYPE_DYNAMIC_FEE)
        return err_set(err, ERR_INVALID, "not a transaction of type 2");
    if (!rlp_read(raw + 1, len - 1, &list, &used, err))
        return err_prefix(err, "transaction");
    if (!list.is_list || used != len - 1)
        return err_set(err, ERR_INVALID, "a transaction is one list and nothing after it");
    tx_init(&read);
    fields = (struct fields){ list.data, list.len };
    if (!read_fields(&fields, &read, &read_sig, err))
        goto fail;
    /* r, s in range and s low (EIP-2); a node would refuse the rest too */
    if (!secp_recover(&read_sig, tx_digest(&read), &signer, err)) {
        err->code = ERR_INVALID;
        goto fail;
    }
    tx_clear(t);
    *t = read;
    *sig = read_sig;
    return true;
fail:
    tx_clear(&read);
    return false;
}

/* ---- gas ---- */

static uint64_t zero_bytes(const struct buf *data)
{
    uint64_t count = 0;

    for (size_t i = 0; i < data->len; i++)
        count += data->data[i] == 0;
    return count;
}

uint64_t tx_intrinsic_gas(const struct tx *t)
{
    uint64_t zero = zero_bytes(&t->data), nonzero = t->data.len - zero;
    uint64_t gas = GAS_TRANSACTION + zero * GAS_DATA_ZERO + nonzero * GAS_DATA_NONZERO;      /* EIP-2028 */

    if (t->creates)                                                                         /* EIP-2, EIP-3860 */
        gas += GAS_CREATE + GAS_INITCODE_WORD * ((t->data.len + 31) / 32);
    return gas;
}

uint64_t tx_floor_gas(const struct tx *t)
{
    uint64_t zero = zero_bytes(&t->data), nonzero = t->data.len - zero;

    return GAS_TRANSACTION + GAS_FLOOR_TOKEN * (zero + TOKENS_NONZERO * nonzero);            /* EIP-7623 */
}

struct address tx_created_address(struct address sender, uint64_t nonce)
{
    struct buf items, list;
    struct address created;
    struct hash h;

    /* Yellow paper, section 7: the last 20 bytes of keccak256(rlp([sender, nonce])). */
    buf_init(&items);
    buf_init(&list);
    rlp_add_bytes(&items, sender.b, sizeof sender.b);
    rlp_add_u64(&items, nonce);
    rlp_add_list(&list, &items);
    if (list.failed)
        bug("no memory for %zu bytes", list.len);
    h = keccak256(list.data, list.len);
    memcpy(created.b, h.b + sizeof h.b - sizeof created.b, sizeof created.b);
    buf_clear(&items);
    buf_clear(&list);
    return created;
}

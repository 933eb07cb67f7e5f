/* Transactions read back: part of tx.h. */
#include "chain/tx.h"

#include "gateway/lib/secp.h"

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

static bool take_signature(struct fields *f, uint64_t parity, struct signature *sig, struct err *err)
{
    struct u256 r, s;

    if (!next_u256(f, "r", &r, err) || !next_u256(f, "s", &s, err))
        return false;
    u256_to_be(r, sig->b);
    u256_to_be(s, sig->b + 32);
    sig->b[64] = (uint8_t)(27 + parity);
    return true;
}

static bool next_signature(struct fields *f, struct signature *sig, struct err *err)
{
    uint64_t parity;

    if (!next_u64(f, "y parity", &parity, err))
        return false;
    if (parity > 1)
        return err_set(err, ERR_INVALID, "transaction's y parity is not 0 or 1");
    return take_signature(f, parity, sig, err);
}

/* v = 35 + 2 * chain id + y parity (EIP-155).  The older 27 and 28 are of every chain at once: refused. */
static bool next_chain_signature(struct fields *f, uint64_t *chain_id, struct signature *sig, struct err *err)
{
    struct u256 v, half;
    uint64_t parity;

    if (!next_u256(f, "v", &v, err))
        return false;
    if (!u256_sub(v, u256_from_u64(TX_LEGACY_V), &v))
        return err_set(err, ERR_INVALID, "transaction's v names no chain");
    half = u256_div_u64(v, 2, &parity);
    if (!u256_to_u64(half, chain_id))
        return err_set(err, ERR_INVALID, "transaction's chain id is over 64 bits");
    return take_signature(f, parity, sig, err);
}

static bool next_call(struct fields *f, struct tx *t, struct err *err)
{
    return next_u64(f, "gas", &t->gas, err)
        && next_to(f, t, err)
        && next_u256(f, "value", &t->value.v, err)
        && next_data(f, t, err);
}

static bool read_dynamic_fee(struct fields *f, struct tx *t, struct signature *sig, struct err *err)
{
    return next_u64(f, "chain id", &t->chain_id, err)
        && next_u64(f, "nonce", &t->nonce, err)
        && next_u256(f, "priority fee", &t->max_priority_fee.v, err)
        && next_u256(f, "max fee", &t->max_fee.v, err)
        && next_call(f, t, err)
        && next_empty_access_list(f, err)
        && next_signature(f, sig, err)
        && (f->left == 0 || err_set(err, ERR_INVALID, "a transaction with more than 12 fields"));
}

static bool read_legacy(struct fields *f, struct tx *t, struct signature *sig, struct err *err)
{
    t->legacy = true;
    if (!next_u64(f, "nonce", &t->nonce, err)
        || !next_u256(f, "gas price", &t->max_fee.v, err)
        || !next_call(f, t, err)
        || !next_chain_signature(f, &t->chain_id, sig, err))
        return false;
    t->max_priority_fee = t->max_fee;
    return f->left == 0 || err_set(err, ERR_INVALID, "a legacy transaction with more than 9 fields");
}

#define RLP_LIST 0xc0                      /* the first byte of every list is this or more: a legacy transaction */

bool tx_decode(const uint8_t *raw, size_t len, struct tx *t, struct signature *sig, struct err *err)
{
    struct rlp_item list;
    struct fields fields;
    struct signature read_sig;
    struct address signer;
    struct tx read;
    size_t type, used;

    if (len == 0 || (raw[0] != TX_TYPE_DYNAMIC_FEE && raw[0] < RLP_LIST))
        return err_set(err, ERR_INVALID, "a transaction neither of type 2 nor legacy");
    type = raw[0] < RLP_LIST;              /* bytes before the list (EIP-2718) */
    if (!rlp_read(raw + type, len - type, &list, &used, err))
        return err_prefix(err, "transaction");
    if (!list.is_list || used != len - type)
        return err_set(err, ERR_INVALID, "a transaction is one list and nothing after it");
    tx_init(&read);
    fields = (struct fields){ list.data, list.len };
    if (!(type == 0 ? read_legacy : read_dynamic_fee)(&fields, &read, &read_sig, err))
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

#include "chain/rpc_fees.h"

#include "chain/abi.h"
#include "chain/rpc_parts.h"

/* The predeploy of the OP stack: specs.optimism.io, "Predeploys", GasPriceOracle. */
static const struct address price_oracle = { { 0x42, [19] = 0x0f } };

/* Clients' words for a method they do not have; JSON-RPC 2.0 names the code -32601, but not all give it. */
static bool says_no_method(const char *text)
{
    static const char *const words[] = { "does not exist/is not available", "ethod not found", "is not supported",
                                         "nsupported method", "not implemented", "code -32601" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strstr(text, words[i]) != NULL)
            return true;
    return false;
}

static bool gas_price(struct rpc *rpc, struct wei *price, struct err *err)
{
    struct rpc_question q = rpc_question(rpc, &rpc_type_wei, "eth_gasPrice", rpc_params(NULL, NULL));
    bool ok = rpc_ask(rpc, &q, price, err);

    rpc_question_clear(&q);
    return ok;
}

bool rpc_fee_market(struct rpc *rpc, struct fee_market *market, struct err *err)
{
    struct fee_market m = { .legacy = false };
    struct block latest;

    if (!rpc_block(rpc, BLOCK_LATEST, &latest, err))
        return false;
    m.legacy = !latest.has_base_fee;
    if (!m.legacy && !rpc_fee_history(rpc, FEE_BLOCKS, FEE_PERCENTILE, &m.history, err)) {
        if (err->code != ERR_CHAIN || rpc_last_class(rpc) != RPC_UNKNOWN || !says_no_method(err->text))
            return false;
        m.legacy = true;
    }
    if (m.legacy && !gas_price(rpc, &m.gas_price, err))
        return false;
    *market = m;
    return true;
}

bool rpc_data_fee(struct rpc *rpc, const struct buf *unsigned_bytes, struct wei *fee, struct err *err)
{
    struct buf call, result;
    struct abi_out args;
    bool ok;

    buf_init(&call);
    buf_init(&result);
    abi_add_selector(&call, "getL1Fee(bytes)");
    abi_begin(&args, 1);
    abi_add_bytes(&args, unsigned_bytes->data, unsigned_bytes->len);
    abi_finish(&args, &call);
    ok = (!call.failed || err_set(err, ERR_LIMIT, "a call of %zu bytes", call.len))
      && rpc_call(rpc, NULL, price_oracle, &call, &result, err);
    if (ok && result.len == 0)                 /* nobody there: data costs nothing of its own */
        *fee = (struct wei){ U256_ZERO };
    else if (ok)
        ok = abi_get_u256(&(struct abi_in){ .data = result.data, .len = result.len }, &fee->v)
          || err_set(err, ERR_INVALID, "getL1Fee answers with %zu bytes", result.len);
    buf_clear(&call);
    buf_clear(&result);
    return ok || err_prefix(err, "the chain's data fee");
}

/* ---- whose transaction ---- */

struct wanted { struct address from; uint64_t nonce; };
struct seen { bool found; struct tx_hash hash; };

static bool is_wanted(const json *tx, const struct wanted *w)
{
    struct address sender;
    struct u256 wide;
    uint64_t number;

    return json_get_address(json_member(tx, "from"), &sender) && address_eq(sender, w->from)
        && json_get_quantity(json_member(tx, "nonce"), &wide) && u256_to_u64(wide, &number) && number == w->nonce;
}

static bool read_seen(struct rpc *rpc, const struct rpc_question *q, const json *reply, void *value, struct err *err)
{
    struct seen seen = { .found = false };
    const json *block, *list;

    if (!rpc_result(rpc, reply, q->id, &block, err))
        return false;
    list = json_member(block, "transactions");
    for (size_t i = 0; !seen.found && list != NULL && i < json_count(list); i++)
        if (is_wanted(json_at(list, i), q->of)) {
            if (!json_get_hash(json_member(json_at(list, i), "hash"), &seen.hash.h))
                return err_set(err, ERR_INVALID, "a transaction without its hash");
            seen.found = true;
        }
    *(struct seen *)value = seen;
    return true;
}

static const struct rpc_type type_seen = { sizeof(struct seen), read_seen, NULL, NULL, NULL };

bool rpc_tx_in_block(struct rpc *rpc, uint64_t number, struct address from, uint64_t nonce, struct tx_hash *hash,
                     bool *found, struct err *err)
{
    struct rpc_question q = rpc_question(rpc, &type_seen, "eth_getBlockByNumber",
                                         rpc_params(rpc_quantity(number), json_new_bool(true)));      /* whole, not hashes */
    struct wanted wanted = { from, nonce };
    struct seen seen;
    bool ok;

    q.of = &wanted;
    ok = rpc_ask(rpc, &q, &seen, err);
    rpc_question_clear(&q);
    if (ok) {
        *found = seen.found;
        *hash = seen.hash;
    }
    return ok;
}

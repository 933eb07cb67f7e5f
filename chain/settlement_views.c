#include <stddef.h>
#include <stdlib.h>

#include "chain/settlement.h"
#include "gateway/base/mem.h"

/* ---- all views of the contract in one batch of requests ---- */

enum word { WORD_ADDRESS, WORD_HASH, WORD_AMOUNT, WORD_U64 };

/* One row a view that returns a single word: its name, the word's kind, the field it fills. */
static const struct view_row { const char *signature; enum word kind; size_t field; } view_rows[] = {
    { "token()",           WORD_ADDRESS, offsetof(struct settlement_view, token) },
    { "owner()",           WORD_ADDRESS, offsetof(struct settlement_view, owner) },
    { "operator()",        WORD_ADDRESS, offsetof(struct settlement_view, operator_) },
    { "guardian()",        WORD_ADDRESS, offsetof(struct settlement_view, guardian) },
    { "funder()",          WORD_ADDRESS, offsetof(struct settlement_view, funder) },
    { "sequence()",        WORD_U64,     offsetof(struct settlement_view, sequence) },
    { "activeRoot()",      WORD_HASH,    offsetof(struct settlement_view, active_root) },
    { "previousRoot()",    WORD_HASH,    offsetof(struct settlement_view, previous_root) },
    { "total()",           WORD_AMOUNT,  offsetof(struct settlement_view, total) },
    { "totalClaimed()",    WORD_AMOUNT,  offsetof(struct settlement_view, total_claimed) },
    { "cap()",             WORD_AMOUNT,  offsetof(struct settlement_view, cap) },
    { "capAvailable()",    WORD_AMOUNT,  offsetof(struct settlement_view, cap_available) },
    { "activationDelay()", WORD_U64,     offsetof(struct settlement_view, activation_delay_s) },
    { "roleDelay()",       WORD_U64,     offsetof(struct settlement_view, role_delay_s) },
    { "capWindow()",       WORD_U64,     offsetof(struct settlement_view, cap_window_s) },
    { "pausedUntil()",     WORD_U64,     offsetof(struct settlement_view, paused_until_s) },
};
#define VIEW_ROWS ARRAY_LEN(view_rows)
#define VIEW_PENDING VIEW_ROWS              /* pending() stands behind them: four words */
#define VIEW_CALLS (VIEW_ROWS + 1)

static struct abi_in words_of(const struct buf *result)
{
    return (struct abi_in){ .data = result->data, .len = result->len };
}

static bool read_word(struct abi_in *in, enum word kind, void *field)
{
    switch (kind) {
    case WORD_ADDRESS: return abi_get_address(in, field);
    case WORD_HASH:    return abi_get_hash(in, field);
    case WORD_AMOUNT:  return abi_get_u256(in, &((struct amount *)field)->base_units);
    case WORD_U64:     return abi_get_u64(in, field);
    }
    bug("kind of word %d", (int)kind);
}

static bool read_pending(struct abi_in in, struct settlement_view *view)
{
    struct u256 total;

    if (!abi_get_u64(&in, &view->pending_sequence) || !abi_get_hash(&in, &view->pending_root)
        || !abi_get_u256(&in, &total) || !abi_get_u64(&in, &view->pending_active_at_s))
        return false;
    view->has_pending = view->pending_sequence != 0;      /* sequences count from 1 */
    return true;
}

static bool no_such_view(const char *signature, struct err *err)
{
    return err_set(err, ERR_CHAIN, "%s gives no usable answer: is this a Settlement contract?", signature);
}

bool settlement_read(struct rpc *rpc, struct address contract, struct settlement_view *view, struct err *err)
{
    struct buf calls[VIEW_CALLS], results[VIEW_CALLS];
    struct settlement_view read = { 0 };
    bool ok;

    for (size_t i = 0; i < VIEW_CALLS; i++) {
        buf_init(&calls[i]);
        abi_add_selector(&calls[i], i == VIEW_PENDING ? "pending()" : view_rows[i].signature);
    }
    ok = rpc_call_many(rpc, contract, calls, VIEW_CALLS, results, err);
    for (size_t i = 0; ok && i < VIEW_ROWS; i++) {
        struct abi_in in = words_of(&results[i]);

        ok = read_word(&in, view_rows[i].kind, (char *)&read + view_rows[i].field)
            || no_such_view(view_rows[i].signature, err);
    }
    if (ok && !read_pending(words_of(&results[VIEW_PENDING]), &read))
        ok = no_such_view("pending()", err);
    for (size_t i = 0; i < VIEW_CALLS; i++) {
        buf_clear(&calls[i]);
        buf_clear(&results[i]);
    }
    if (ok)
        *view = read;
    return ok;
}

/* ---- one word ---- */

/* block NULL: the latest. */
static bool call_word_at(struct rpc *rpc, struct address contract, const char *signature, enum word kind,
                         const struct buf *call, const uint64_t *block, void *value, struct err *err)
{
    struct buf result;
    struct abi_in in;
    bool ok;

    buf_init(&result);
    ok = block != NULL ? rpc_call_at(rpc, contract, call, *block, &result, err)
                       : rpc_call(rpc, NULL, contract, call, &result, err);
    if (ok) {
        in = words_of(&result);
        ok = read_word(&in, kind, value)
            || err_set(err, ERR_CHAIN, "%s gives no usable answer", signature);
    }
    buf_clear(&result);
    return ok;
}

static bool call_word(struct rpc *rpc, struct address contract, const char *signature, enum word kind,
                      const struct buf *call, void *value, struct err *err)
{
    return call_word_at(rpc, contract, signature, kind, call, NULL, value, err);
}

static bool header_at(struct rpc *rpc, struct address contract, uint64_t sequence, const uint64_t *block,
                      struct hash *header, struct err *err)
{
    struct buf call;
    bool ok;

    buf_init(&call);
    settlement_u256_call("header(uint64)", u256_from_u64(sequence), &call);
    ok = call_word_at(rpc, contract, "header(uint64)", WORD_HASH, &call, block, header, err);
    buf_clear(&call);
    return ok;
}

bool settlement_header(struct rpc *rpc, struct address contract, uint64_t sequence, struct hash *header,
                       struct err *err)
{
    return header_at(rpc, contract, sequence, NULL, header, err);
}

bool settlement_header_at(struct rpc *rpc, struct address contract, uint64_t sequence, uint64_t block,
                          struct hash *header, struct err *err)
{
    return header_at(rpc, contract, sequence, &block, header, err);
}

bool settlement_total_claimed_at(struct rpc *rpc, struct address contract, uint64_t block, struct amount *claimed,
                                 struct err *err)
{
    struct buf call;
    bool ok;

    buf_init(&call);
    abi_add_selector(&call, "totalClaimed()");
    ok = call_word_at(rpc, contract, "totalClaimed()", WORD_AMOUNT, &call, &block, claimed, err);
    buf_clear(&call);
    return ok;
}

bool settlement_distributed(const struct buf *result, struct amount *paid, struct amount *skipped)
{
    struct abi_in in = words_of(result);
    struct amount first, second;

    if (!abi_get_u256(&in, &first.base_units) || !abi_get_u256(&in, &second.base_units))
        return false;
    *paid = first;
    *skipped = second;
    return true;
}

bool token_balance(struct rpc *rpc, struct address token, struct address account, struct amount *balance,
                   struct err *err)
{
    struct buf call;
    bool ok;

    buf_init(&call);
    settlement_address_call("balanceOf(address)", account, &call);
    ok = call_word(rpc, token, "balanceOf(address)", WORD_AMOUNT, &call, balance, err);
    buf_clear(&call);
    return ok;
}

bool token_allowance(struct rpc *rpc, struct address token, struct address account, struct address spender,
                     struct amount *allowance, struct err *err)
{
    struct abi_out args;
    struct buf call;
    bool ok;

    buf_init(&call);
    abi_add_selector(&call, "allowance(address,address)");
    abi_begin(&args, 2);
    abi_add_address(&args, account);
    abi_add_address(&args, spender);
    abi_finish(&args, &call);
    ok = call_word(rpc, token, "allowance(address,address)", WORD_AMOUNT, &call, allowance, err);
    buf_clear(&call);
    return ok;
}

/* ---- claimed, for many ---- */

bool settlement_claimed(struct rpc *rpc, struct address contract, const struct address *accounts, size_t count,
                        struct amount *claimed, struct err *err)
{
    struct buf *calls, *results;
    struct amount *read;
    bool ok;

    if (count == 0)
        return true;
    calls = mem_array(count, sizeof *calls);
    results = mem_array(count, sizeof *results);
    read = mem_array(count, sizeof *read);
    for (size_t i = 0; i < count; i++) {
        buf_init(&calls[i]);
        settlement_address_call("claimed(address)", accounts[i], &calls[i]);
    }
    ok = rpc_call_many(rpc, contract, calls, count, results, err);
    for (size_t i = 0; ok && i < count; i++) {
        struct abi_in in = words_of(&results[i]);

        ok = abi_get_u256(&in, &read[i].base_units) || no_such_view("claimed(address)", err);
    }
    if (ok)
        memcpy(claimed, read, count * sizeof *read);
    for (size_t i = 0; i < count; i++) {
        buf_clear(&calls[i]);
        buf_clear(&results[i]);
    }
    free(calls);
    free(results);
    free(read);
    return ok;
}

/* ---- the token ---- */

#define SYMBOL_MAX 32u

/* A string, or 32 bytes as tokens older than the standard have it (MKR).  Only printable ASCII is kept: this comes
 * from a stranger's contract and goes to logs and pages. */
static bool read_symbol(const struct buf *result, char symbol[SYMBOL_MAX + 1])
{
    struct abi_in in = words_of(result);
    const uint8_t *text = result->data;
    size_t len = result->len, kept = 0;

    if (result->len != 32 && !abi_get_bytes(&in, &text, &len))
        return false;
    for (size_t i = 0; i < len && kept < SYMBOL_MAX; i++)
        if (text[i] >= 0x20 && text[i] < 0x7f)
            symbol[kept++] = (char)text[i];
    symbol[kept] = '\0';
    return true;
}

bool token_describe(struct rpc *rpc, struct address token, char symbol[33], uint8_t *decimals, struct err *err)
{
    struct buf call, result;
    char read_text[SYMBOL_MAX + 1];
    uint64_t read_decimals = 0;
    bool ok = false;

    buf_init(&call);
    buf_init(&result);
    abi_add_selector(&call, "symbol()");
    if (!rpc_call(rpc, NULL, token, &call, &result, err))
        goto out;
    if (!read_symbol(&result, read_text)) {
        err_set(err, ERR_CHAIN, "symbol() gives no usable answer: is this a token?");
        goto out;
    }
    buf_reset(&call);
    abi_add_selector(&call, "decimals()");
    if (!call_word(rpc, token, "decimals()", WORD_U64, &call, &read_decimals, err))
        goto out;
    if (read_decimals > UINT8_MAX) {
        err_set(err, ERR_CHAIN, "decimals() is over 255");
        goto out;
    }
    memcpy(symbol, read_text, sizeof read_text);
    *decimals = (uint8_t)read_decimals;
    ok = true;
out:
    buf_clear(&call);
    buf_clear(&result);
    return ok;
}

/* One transaction to every endpoint: who has it passes it on, whatever the others think of it. */
#include "chain/rpc_parts.h"

#include <stdio.h>

/* The hash is computed here, from the bytes that were sent: there is no other. */
static bool other_hash(struct rpc *rpc, struct rpc_endpoint *endpoint, struct err *err)
{
    rpc_judge(rpc, endpoint, ENDPOINT_LYING, "eth_sendRawTransaction: another hash than ours");
    return err_set(err, ERR_UNKNOWN, "the node answers with another hash than ours");
}

/* Whether this endpoint has taken the transaction.  False with ERR_UNKNOWN: it may have. */
static bool send_to(struct rpc *rpc, struct rpc_endpoint *endpoint, const json *request, uint64_t id,
                    struct tx_hash expected, struct err *err)
{
    const json *result;
    struct hash got;
    json *reply;
    bool ok;

    if (!rpc_exchange(rpc, endpoint, request, RPC_TIMEOUT_MS, &reply, err)) {
        /* An answer that is too long or no JSON says nothing about what the node did before. */
        if (err->code == ERR_LIMIT || err->code == ERR_INVALID)
            err->code = ERR_UNKNOWN;
        return false;
    }
    ok = rpc_result(rpc, reply, id, &result, err);
    if (ok && !json_get_hash(result, &got))
        ok = err_set(err, ERR_UNKNOWN, "the node answers with no hash");
    else if (ok && !hash_eq(got, expected.h))
        ok = other_hash(rpc, endpoint, err);
    else if (!ok && err->code == ERR_CHAIN && rpc->last_class == RPC_KNOWN)
        ok = true;                                        /* same bytes: as good as taken */
    else if (!ok && (err->code == ERR_INVALID || (err->code == ERR_CHAIN && rpc->last_class == RPC_UNKNOWN)))
        err->code = ERR_UNKNOWN;
    json_free(reply);
    return ok || err_prefix(err, "%s", endpoint->name);
}

/* Whether a no is of the one node alone: a limit of its own, or bytes that another may still take. */
static bool another_may_take(const struct err *err, enum rpc_class class)
{
    if (err->code != ERR_CHAIN)
        return true;
    switch (class) {
    case RPC_POOL_FULL:
    case RPC_FEE_CAP:
    case RPC_BAD_GAS:
    case RPC_MALFORMED:
        return true;
    case RPC_UNKNOWN:
    case RPC_KNOWN:
    case RPC_NONCE_USED:
    case RPC_NONCE_AHEAD:
    case RPC_BUMP_NEEDED:
    case RPC_PRICE_LOW:
    case RPC_FUNDS:
    case RPC_DELEGATED:
    case RPC_REVERT:
    case RPC_DOWN:
        return false;
    }
    bug("RPC class %d", (int)class);
}

/* All that the endpoints said, and the answer that stands for it: taken by any; else open where any is silent; else a no
 * that holds for all; else not sent, where any could not be reached; else a no of each one's own.  Settlement gives a
 * nonce another content only on the last. */
struct verdict { int rank; struct err err; enum rpc_class class; };
#define RANK_TAKEN 4

static int rank_of(const struct err *err, enum rpc_class class)
{
    return err->code == ERR_UNKNOWN ? 3 : !another_may_take(err, class) ? 2 : err->code != ERR_CHAIN ? 1 : 0;
}

static void hear(struct verdict *v, bool taken, const struct err *err, enum rpc_class class)
{
    int rank = taken ? RANK_TAKEN : rank_of(err, class);

    if (rank > v->rank)
        *v = (struct verdict){ rank, *err, class };
}

static void note_answer(struct rpc *rpc, const struct rpc_endpoint *e, bool taken, const struct err *err)
{
    size_t len = strlen(rpc->sent), name = strlen(e->name);
    const char *said = taken ? "taken" : strncmp(err->text, e->name, name) == 0 ? err->text + name + 2 : err->text;

    snprintf(rpc->sent + len, sizeof rpc->sent - len, "%s%s: %.150s", len > 0 ? "; " : "", e->name, said);
}

const char *rpc_send_answers(const struct rpc *rpc)
{
    return rpc->sent;
}

static void send_one(struct rpc *rpc, struct rpc_endpoint *e, const json *request, uint64_t id, struct tx_hash expected,
                     struct verdict *v)
{
    uint64_t start_ms = rpc_now(rpc);
    struct err why = { 0 };
    bool taken;

    rpc->last_class = RPC_UNKNOWN;
    rpc->retry_after_s = 0;
    taken = send_to(rpc, e, request, id, expected, &why);
    if (taken || why.code == ERR_CHAIN)
        rpc_note_success(rpc, e, rpc_now(rpc) - start_ms);
    else
        rpc_note_failure(rpc, e, rpc_now(rpc) - start_ms, &why);
    if (taken && v->rank != RANK_TAKEN)
        rpc->current = (size_t)(e - rpc->endpoints);
    note_answer(rpc, e, taken, &why);
    hear(v, taken, &why, rpc->last_class);
}

bool rpc_send_raw(struct rpc *rpc, const struct buf *raw, struct tx_hash expected, struct err *err)
{
    uint64_t id = rpc->next_id++;
    json *params = json_new_array(), *request;
    struct verdict v = { .rank = -1 };
    size_t first = rpc->current;

    json_add(params, json_new_hex(raw->data, raw->len));
    request = rpc_request(id, "eth_sendRawTransaction", params);
    buf_reset(&rpc->revert);
    rpc->waits = false;
    rpc->sent[0] = '\0';
    for (size_t i = 0; i < rpc->endpoint_count; i++) {
        struct rpc_endpoint *e = &rpc->endpoints[(first + i) % rpc->endpoint_count];

        if (rpc_is_usable(rpc, e))
            send_one(rpc, e, request, id, expected, &v);
    }
    json_free(request);
    if (v.rank < 0)
        return rpc_nobody(rpc, "not sent: no endpoint is asked now", (const bool[RPC_URLS_MAX]){ 0 }, err)
            || err_prefix(err, "eth_sendRawTransaction");
    rpc->last_class = v.class;
    if (v.rank == RANK_TAKEN)
        return true;
    *err = v.err;
    return err_prefix(err, "eth_sendRawTransaction");
}

/* tests/settle/fees_world.h - what fees are in a settle_world, and a node between that lies about them or is an old one. */
#ifndef QUITTANCE_TESTS_SETTLE_FEES_WORLD_H
#define QUITTANCE_TESTS_SETTLE_FEES_WORLD_H

#include "chain/tx.h"
#include "gateway/lib/json.h"
#include "tests/settle/slots_world.h"

#define GWEI UINT64_C(1000000000)

/* The next block has this base fee; later ones go down from it, as they are empty. */
static inline void base_fee(struct settle_world *w, unsigned gwei)
{
    char params[40];

    snprintf(params, sizeof params, "[\"0x%llx\"]", (unsigned long long)(gwei * GWEI));
    anvil_do(&w->anvil, "anvil_setNextBlockBaseFeePerGas", params);
    anvil_do(&w->anvil, "evm_mine", "[]");
}

static inline bool is_sent(struct settle_session *s, uint64_t id)
{
    struct transaction_row t;
    struct err err = { 0 };
    bool found = false;

    assert_true(store_tx_find(s->db, id, &t, &found, &err));
    return found;
}

struct all_attempts { unsigned count; struct attempt_row last; bool legacy; };

static inline bool note_attempt(void *self, const struct attempt_row *a, struct err *err)
{
    struct all_attempts *all = self;
    struct signature ignored;
    struct tx tx;

    tx_init(&tx);
    assert_true(tx_decode(a->raw.data, a->raw.len, &tx, &ignored, err));
    all->legacy = tx.legacy;
    all->count++;
    all->last = *a;
    all->last.raw = (struct buf){ 0 };
    tx_clear(&tx);
    return true;
}

static inline struct all_attempts attempts_of_tx(struct settle_session *s, uint64_t tx)
{
    struct all_attempts all = { 0 };
    struct err err = { 0 };

    assert_true(store_attempts(s->db, tx, note_attempt, &all, &err));
    return all;
}

static inline struct wei run_cost(struct settle_session *s, uint64_t sequence)
{
    struct wei cost;
    struct err err = { 0 };

    assert_true(store_cost_of_sequence(s->db, sequence, 0, &cost, &err));
    return cost;
}

static inline struct settle_report held(struct settle_session *s, enum settle_waits waits, const char *detail)
{
    struct settle_report r = step_well(s);

    assert_int_equal(r.waits, waits);
    if (strstr(r.waits_detail, detail) == NULL)
        fail_msg("%s", r.waits_detail);
    return r;
}

/* ---- a node between ---- */

struct fee_node {
    struct settle_world *world;
    struct fake_http *proxy;
    const char *history;            /* its answer to eth_feeHistory; NULL: the chain's */
    const char *data_fee;           /* the word that the chain's oracle for data answers; NULL: there is none */
    const char *refused;            /* hex of an account that the token refuses; NULL: nobody */
    bool old;                       /* no eth_feeHistory, and no transactions but legacy ones */
};

#define ABSURD "0x8000000000000000000000000000000000000000000000000000000000000000"

static inline unsigned long long id_of(const json *request)
{
    uint64_t id = 0;

    return json_get_u64(json_member(request, "id"), &id) ? id : 0;
}

/* Each transfer of a batch of calls: the one to the refused account reverts. */
static inline void answer_transfers(const struct fee_node *n, const json *requests, struct buf *out)
{
    struct buf one;

    for (size_t i = 0; i < json_count(requests); i++) {
        buf_init(&one);
        json_write(json_at(requests, i), &one);
        buf_printf(out, "%s{\"id\":%llu,%s}", i > 0 ? "," : "[", id_of(json_at(requests, i)),
                   strstr(buf_text(&one), n->refused) != NULL
                   ? "\"error\":{\"code\":3,\"message\":\"execution reverted\"}"
                   : "\"result\":\"0x0000000000000000000000000000000000000000000000000000000000000001\"");
        buf_clear(&one);
    }
    buf_add_text(out, "]");
}

static inline bool judge(const struct fee_node *n, const char *text, const json *request, struct buf *out)
{
    bool sends = strstr(text, "eth_sendRawTransaction") != NULL, asks = strstr(text, "eth_feeHistory") != NULL;

    if (n->old && (asks || (sends && strstr(text, "\"0x02") != NULL)))
        return buf_printf(out, "{\"id\":%llu,\"error\":{\"code\":-32601,\"message\":\"%s\"}}", id_of(request),
                          asks ? "the method eth_feeHistory does not exist/is not available" : "transaction type not supported");
    if (n->history != NULL && asks)
        return buf_printf(out, "{\"id\":%llu,\"result\":%s}", id_of(request), n->history);
    if (n->data_fee != NULL && strstr(text, "\"0x49948e0e") != NULL)        /* getL1Fee(bytes) */
        return buf_printf(out, "{\"id\":%llu,\"result\":\"%s\"}", id_of(request), n->data_fee);
    if (n->refused == NULL || json_kind_of(request) != JSON_KIND_ARRAY || strstr(text, "\"0xa9059cbb") == NULL)
        return false;
    answer_transfers(n, request, out);         /* transfer(address,uint256) */
    return true;
}

static inline bool answers(void *self, const char *text, struct buf *out)
{
    struct err err = { 0 };
    json *request;
    bool done;

    if (!json_read(text, strlen(text), &request, &err))
        return false;
    done = judge(self, text, request, out);
    json_free(request);
    return done;
}

static inline struct fee_node *node_new(void)
{
    struct fee_node *n = mem_new(sizeof *n);

    n->world = world_new(FUNDS, 0);
    n->proxy = fake_http_new_proxy(n->world->anvil.url, answers, n);
    n->world->rpc_url = fake_http_url(n->proxy);
    return n;
}

static inline void node_free(struct fee_node *n)
{
    fake_http_free(n->proxy);
    world_free(n->world);
    free(n);
}

#endif

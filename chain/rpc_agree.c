/* One endpoint's answer, or the answer that two give.
 *
 * Two are asked, one of them another each time; while no two agree, the next.  What agrees is believed, and whoever said
 * otherwise is left out by name.  A "no" of one (no such receipt yet, no state so old) is never a lie, and never undoes
 * what two say. */
#include "chain/rpc_parts.h"

#include <stdlib.h>

#include "gateway/base/mem.h"

struct rpc_question rpc_question(struct rpc *rpc, const struct rpc_type *type, const char *method, json *owned_params)
{
    struct rpc_question q = { .method = method, .type = type, .id = rpc->next_id++, .timeout_ms = RPC_TIMEOUT_MS };

    q.body = rpc_request(q.id, method, owned_params);
    return q;
}

void rpc_question_clear(struct rpc_question *q)
{
    json_free(q->body);
}

/* ---- one endpoint ---- */

/* Whether the endpoint did its part: it answered, if with a no. */
static bool is_answer(const struct err *err)
{
    return err->code == ERR_CHAIN || err->code == ERR_LIMIT;
}

bool rpc_ask_at(struct rpc *rpc, struct rpc_endpoint *e, const struct rpc_question *q, void *value, struct err *err)
{
    uint64_t start_ms = rpc_now(rpc);
    json *reply;
    bool ok;

    rpc->last_class = RPC_UNKNOWN;
    rpc->retry_after_s = 0;
    buf_reset(&rpc->revert);
    ok = rpc_exchange(rpc, e, q->body, q->timeout_ms, &reply, err);
    if (ok) {
        ok = q->type->read(rpc, q, reply, value, err);
        json_free(reply);
        if (!ok)
            err_prefix(err, "%s", e->name);
    }
    if (ok || is_answer(err))
        rpc_note_success(rpc, e, rpc_now(rpc) - start_ms);
    else
        rpc_note_failure(rpc, e, rpc_now(rpc) - start_ms, err);
    /* What changes nothing can be asked again, whether or not it arrived. */
    if (!ok && err->code == ERR_UNKNOWN)
        err->code = ERR_AGAIN;
    return ok;
}

/* What one said, kept while others are asked. */
struct answer {
    struct rpc_endpoint *endpoint;
    bool ok;
    void *value;                   /* owned; of the question's type where ok */
    struct err err;
    enum rpc_class class;
    struct buf revert;
};

static void ask_one(struct rpc *rpc, struct rpc_endpoint *e, const struct rpc_question *q, struct answer *a)
{
    *a = (struct answer){ .endpoint = e, .value = mem_new(q->type->size) };
    buf_init(&a->revert);
    a->ok = rpc_ask_at(rpc, e, q, a->value, &a->err);
    a->class = rpc->last_class;
    buf_add(&a->revert, rpc->revert.data, rpc->revert.len);
}

/* Its value is kept by the caller where `keep` is true. */
static void answer_clear(const struct rpc_question *q, struct answer *a, bool keep)
{
    if (a->ok && !keep && q->type->clear != NULL)
        q->type->clear(q, a->value);
    free(a->value);
    buf_clear(&a->revert);
}

/* The no that is passed on, as if it were the last thing said. */
static bool pass_on(struct rpc *rpc, const struct answer *a, struct err *err)
{
    rpc->last_class = a->class;
    buf_reset(&rpc->revert);
    buf_add(&rpc->revert, a->revert.data, a->revert.len);
    *err = a->err;
    return false;
}

/* ---- whom to ask ---- */

static bool takes_part(const struct rpc *rpc, const struct rpc_question *q, const struct rpc_endpoint *e)
{
    return rpc_is_usable(rpc, e) && (!q->at_head || e->at_head);
}

/* The one that answered last, then the others, from another one on each turn; who was away comes last. */
static size_t order_of(struct rpc *rpc, const struct rpc_question *q, size_t turn, struct rpc_endpoint *order[RPC_URLS_MAX])
{
    size_t others = rpc->endpoint_count - 1, count = 0;

    for (int away = 0; away <= 1; away++)
        for (size_t i = 0; i < rpc->endpoint_count; i++) {
            size_t step = i == 0 ? 0 : 1 + (turn + i - 1) % others;
            struct rpc_endpoint *e = &rpc->endpoints[(rpc->current + step) % rpc->endpoint_count];

            if (rpc_is_up(e) == (away == 0) && takes_part(rpc, q, e))
                order[count++] = e;
        }
    return count;
}

static void prefer(struct rpc *rpc, const struct rpc_endpoint *e)
{
    rpc->current = (size_t)(e - rpc->endpoints);
}

/* ---- the first answer ---- */

/* Whether the next may do better.  Of several, no single one's no is believed: a second one is heard. */
static bool is_last_word(const struct rpc *rpc, const struct answer *a, size_t refusals)
{
    return a->err.code == ERR_CHAIN && a->class != RPC_UNKNOWN && (rpc->endpoint_count == 1 || refusals > 1);
}

bool rpc_ask(struct rpc *rpc, const struct rpc_question *q, void *value, struct err *err)
{
    struct rpc_endpoint *order[RPC_URLS_MAX];
    struct answer no = { 0 }, a;
    size_t count, refusals = 0;
    bool ok = false, has_no = false, done = false;

    rpc_look_behind(rpc);
    rpc->waits = false;
    count = order_of(rpc, q, 0, order);
    if (count == 0)
        return rpc_nobody(rpc, "no endpoint is asked now", (const bool[RPC_URLS_MAX]){ 0 }, err);
    for (size_t i = 0; i < count && !ok && !done; i++) {
        ask_one(rpc, order[i], q, &a);
        ok = a.ok;
        refusals += !ok && a.err.code == ERR_CHAIN;
        done = !ok && is_last_word(rpc, &a, refusals);
        if (ok)
            memcpy(value, a.value, q->type->size);
        if (ok || done)
            prefer(rpc, order[i]);
        /* A refusal tells more than a silence; of several the first, of silences the last. */
        if (!ok && (!has_no || no.err.code != ERR_CHAIN || no.class == RPC_UNKNOWN)) {
            if (has_no)
                answer_clear(q, &no, false);
            no = a;
            has_no = true;
        } else {
            answer_clear(q, &a, ok);
        }
    }
    if (!ok)
        pass_on(rpc, &no, err);
    if (has_no)
        answer_clear(q, &no, false);
    return ok || err_prefix(err, "%s", q->method);
}

/* ---- two that agree ---- */

struct answers { struct answer list[RPC_URLS_MAX]; size_t count; };

static bool refuses(const struct answer *a)
{
    return !a->ok && is_answer(&a->err);
}

static bool is_revert(const struct answer *a)
{
    return refuses(a) && a->class == RPC_REVERT;
}

/* The same no: of one class, and where it is the contract's own, with the same data. */
static bool refuse_alike(const struct answer *a, const struct answer *b)
{
    return refuses(a) && refuses(b) && a->err.code == b->err.code && a->class == b->class
        && a->revert.len == b->revert.len
        && (a->revert.len == 0 || memcmp(a->revert.data, b->revert.data, a->revert.len) == 0);
}

/* The field in which two differ; NULL: they say the same, or one of them cannot tell. */
static const char *difference(const struct rpc_question *q, const struct answer *a, const struct answer *b)
{
    if (a->ok && b->ok)
        return q->type->differs(q, a->value, b->value);
    if ((a->ok && is_revert(b)) || (is_revert(a) && b->ok))
        return "whether it reverts";
    return is_revert(a) && is_revert(b) && !refuse_alike(a, b) ? "revert data" : NULL;
}

static bool agree(const struct rpc_question *q, const struct answer *a, const struct answer *b)
{
    return a->ok && b->ok ? q->type->differs(q, a->value, b->value) == NULL : refuse_alike(a, b);
}

/* What the others said against two that agree. */
static void judge_others(struct rpc *rpc, const struct rpc_question *q, const struct answers *all, const struct answer *first,
                         const struct answer *second)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct answer *a = &all->list[i];
        const char *field = difference(q, a, first);
        struct err none = { 0 };

        if (a == first || a == second || field == NULL)
            continue;
        if (a->ok && q->type->is_negative != NULL && q->type->is_negative(a->value)) {
            err_set(&none, ERR_NOT_FOUND, "%s: it has nothing where %s and %s have", q->method, first->endpoint->name,
                    second->endpoint->name);
            rpc_note_failure(rpc, a->endpoint, 0, &none);
        } else {
            rpc_judge(rpc, a->endpoint, ENDPOINT_LYING, "%s: another %s than %s and %s", q->method, field,
                      first->endpoint->name, second->endpoint->name);
        }
    }
}

/* No two agree: the first pair that differs is named; else a no that is none of the contract's is passed on, as it says
 * that one of two cannot tell; else it is told who is missing. */
static bool no_agreement(struct rpc *rpc, const struct rpc_question *q, const struct answers *all, struct err *err)
{
    bool answered[RPC_URLS_MAX] = { false };
    const struct answer *no = NULL;
    size_t heard = 0;

    for (size_t i = 0; i < all->count; i++) {
        const struct answer *a = &all->list[i];

        for (size_t j = 0; j < i; j++) {
            const char *field = difference(q, &all->list[j], a);

            if (field == NULL)
                continue;
            rpc->waits = true;
            rpc->last_class = RPC_UNKNOWN;
            return err_set(err, ERR_AGAIN, "money waits: %s and %s differ in %s", all->list[j].endpoint->name,
                           a->endpoint->name, field);
        }
        if (a->ok || refuses(a)) {
            answered[a->endpoint - rpc->endpoints] = true;
            heard++;
        }
        if (refuses(a) && !is_revert(a))
            no = a;
    }
    if (heard >= 2 && no != NULL)
        return pass_on(rpc, no, err);
    return rpc_too_few(rpc, answered, err);
}

/* The pair that agrees, if the newest answer makes one. */
static const struct answer *partner(const struct rpc_question *q, const struct answers *all)
{
    const struct answer *newest = &all->list[all->count - 1];

    for (size_t i = 0; i + 1 < all->count; i++)
        if (agree(q, &all->list[i], newest))
            return &all->list[i];
    return NULL;
}

bool rpc_agree(struct rpc *rpc, const struct rpc_question *q, void *value, struct err *err)
{
    struct rpc_endpoint *order[RPC_URLS_MAX];
    const struct answer *first = NULL;
    struct answers all = { 0 };
    size_t count;
    bool ok;

    if (rpc->endpoint_count == 1)
        return rpc_ask(rpc, q, value, err);
    rpc_look_behind(rpc);
    rpc->waits = false;
    count = order_of(rpc, q, rpc->turn++, order);
    for (size_t i = 0; i < count && first == NULL; i++) {
        ask_one(rpc, order[i], q, &all.list[all.count++]);
        first = partner(q, &all);
    }
    ok = first != NULL && first->ok;
    if (first != NULL) {
        judge_others(rpc, q, &all, first, &all.list[all.count - 1]);
        prefer(rpc, first->endpoint);
        if (ok)
            memcpy(value, first->value, q->type->size);
        else
            pass_on(rpc, first, err);
    } else {
        no_agreement(rpc, q, &all, err);
    }
    for (size_t i = 0; i < all.count; i++)
        answer_clear(q, &all.list[i], ok && &all.list[i] == first);
    return ok || err_prefix(err, "%s", q->method);
}

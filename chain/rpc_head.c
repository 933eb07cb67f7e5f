/* The block that two endpoints have, and agree on: what "latest" means where there are several.
 *
 * A node that is a block behind is no liar, so what money hangs on is asked as of the highest block that two have.  Right
 * at the tip they may see different blocks for a moment; then it is one of the few blocks below. */
#include "chain/rpc_parts.h"

#define RPC_HEAD_MS 500u           /* so long one head serves the reads of one step */

/* What one endpoint said of its own head, and of the height that is compared. */
struct tip { struct rpc_endpoint *endpoint; struct block head, at; bool has_at; };
struct tips { struct tip list[RPC_URLS_MAX]; size_t count; };

static bool ask_block(struct rpc *rpc, struct rpc_endpoint *e, json *owned_which, struct rpc_block_value *value,
                      struct err *err)
{
    struct rpc_question q = rpc_question(rpc, &rpc_type_block, "eth_getBlockByNumber",
                                         rpc_params(owned_which, json_new_bool(false)));
    bool ok;

    q.timeout_ms = RPC_PROBE_MS;
    ok = rpc_ask_at(rpc, e, &q, value, err);
    rpc_question_clear(&q);
    return ok;
}

static bool is_looked_at(const struct rpc *rpc, const struct rpc_endpoint *e)
{
    return rpc_is_usable(rpc, e) || e->health.state == ENDPOINT_STALE || e->health.state == ENDPOINT_FORKED;
}

/* The heads of all that answer, highest first. */
static void ask_tips(struct rpc *rpc, struct tips *tips)
{
    tips->count = 0;
    for (size_t i = 0; i < rpc->endpoint_count; i++) {
        struct rpc_endpoint *e = &rpc->endpoints[i];
        struct rpc_block_value value;
        struct err why = { 0 };
        size_t at = tips->count;

        if (!is_looked_at(rpc, e) || !ask_block(rpc, e, json_new_text("latest"), &value, &why) || !value.found)
            continue;
        for (; at > 0 && tips->list[at - 1].head.number < value.block.number; at--)
            tips->list[at] = tips->list[at - 1];
        tips->list[at] = (struct tip){ .endpoint = e, .head = value.block };
        tips->count++;
    }
}

/* Takes out who is behind.  Behind what two of three have; of two, behind the other. */
static void leave_stale_out(struct rpc *rpc, struct tips *tips)
{
    uint64_t best = tips->list[tips->count > 2 ? 1 : 0].head.number;
    size_t kept = 0;

    for (size_t i = 0; i < tips->count; i++) {
        struct rpc_endpoint *e = tips->list[i].endpoint;
        uint64_t head = tips->list[i].head.number;

        rpc_note_head(rpc, e, head, best);
        if (head + RPC_LAG_MAX < best)
            rpc_judge(rpc, e, ENDPOINT_STALE, "block %llu is %llu behind", (unsigned long long)head,
                      (unsigned long long)(best - head));
        else
            tips->list[kept++] = tips->list[i];
    }
    tips->count = kept;
}

static bool too_few(struct rpc *rpc, const struct tips *tips, struct err *err)
{
    bool answered[RPC_URLS_MAX] = { false };

    for (size_t i = 0; i < tips->count; i++)
        answered[tips->list[i].endpoint - rpc->endpoints] = true;
    return rpc_too_few(rpc, answered, err);
}

static void ask_height(struct rpc *rpc, struct tips *tips, uint64_t height)
{
    for (size_t i = 0; i < tips->count; i++) {
        struct tip *t = &tips->list[i];
        struct rpc_block_value value;
        struct err why = { 0 };

        t->has_at = t->head.number == height;
        t->at = t->head;
        if (t->has_at || t->head.number < height)
            continue;
        t->has_at = ask_block(rpc, t->endpoint, rpc_quantity(height), &value, &why) && value.found
                 && value.block.number == height;
        t->at = value.block;
    }
}

static size_t votes_for(const struct tips *tips, const struct tip *t)
{
    size_t votes = 0;

    for (size_t i = 0; i < tips->count; i++)
        votes += tips->list[i].has_at && hash_eq(tips->list[i].at.hash, t->at.hash);
    return votes;
}

/* The block of more than any other block has, and of two at least; NULL: there is none. */
static const struct tip *winner(const struct tips *tips)
{
    const struct tip *best = NULL;
    size_t most = 1;
    bool tied = false;

    for (size_t i = 0; i < tips->count; i++) {
        const struct tip *t = &tips->list[i];
        size_t votes = t->has_at ? votes_for(tips, t) : 0;

        if (votes > most) {
            most = votes;
            best = t;
            tied = false;
        } else if (best != NULL && votes == most && !hash_eq(t->at.hash, best->at.hash)) {
            tied = true;
        }
    }
    return tied ? NULL : best;
}

/* Another block at the tip passes; one that differs so far below it does not. */
static void judge_fork(struct rpc *rpc, const struct tip *t, const struct tip *won)
{
    uint64_t height = won->at.number > RPC_LAG_MAX ? won->at.number - RPC_LAG_MAX : 0;
    struct rpc_block_value theirs, ours;
    struct err why = { 0 };

    if (ask_block(rpc, t->endpoint, rpc_quantity(height), &theirs, &why) && theirs.found
        && ask_block(rpc, won->endpoint, rpc_quantity(height), &ours, &why) && ours.found
        && !hash_eq(theirs.block.hash, ours.block.hash))
        rpc_judge(rpc, t->endpoint, ENDPOINT_FORKED, "another block %llu than the others", (unsigned long long)height);
}

static void take_head(struct rpc *rpc, const struct tips *tips, const struct tip *won)
{
    for (size_t i = 0; i < rpc->endpoint_count; i++)
        rpc->endpoints[i].at_head = false;
    for (size_t i = 0; i < tips->count; i++) {
        const struct tip *t = &tips->list[i];

        enum endpoint_state state = t->endpoint->health.state;

        t->endpoint->at_head = t->has_at && hash_eq(t->at.hash, won->at.hash);
        if (t->has_at && !t->endpoint->at_head)
            judge_fork(rpc, t, won);
        else if (state == ENDPOINT_STALE || (state == ENDPOINT_FORKED && t->endpoint->at_head))
            rpc_judge(rpc, t->endpoint, ENDPOINT_UP, "%s", "");
    }
    rpc->head = won->at;
    rpc->has_head = true;
    rpc->head_at_ms = rpc_now(rpc);
}

static bool is_fresh(const struct rpc *rpc)
{
    size_t have = 0;

    for (size_t i = 0; i < rpc->endpoint_count; i++)
        have += rpc->endpoints[i].at_head;
    return rpc->has_head && have >= 2 && rpc_now(rpc) < rpc->head_at_ms + RPC_HEAD_MS;
}

static bool find_head(struct rpc *rpc, struct err *err)
{
    const struct tip *won = NULL;
    struct tips tips;
    uint64_t top;

    ask_tips(rpc, &tips);
    if (tips.count >= 2)
        leave_stale_out(rpc, &tips);
    if (tips.count < 2)
        return too_few(rpc, &tips, err);
    top = tips.list[1].head.number;
    for (uint64_t down = 0; won == NULL && down <= RPC_LAG_MAX && down <= top; down++) {
        ask_height(rpc, &tips, top - down);
        won = winner(&tips);
    }
    if (won != NULL) {
        take_head(rpc, &tips, won);
        return true;
    }
    rpc->waits = true;
    rpc->last_class = RPC_UNKNOWN;
    return err_set(err, ERR_AGAIN, "money waits: %s and %s differ in blocks below %llu", tips.list[0].endpoint->name,
                   tips.list[1].endpoint->name, (unsigned long long)top);
}

bool rpc_agreed_head(struct rpc *rpc, struct block *head, struct err *err)
{
    rpc->waits = false;
    if (!is_fresh(rpc) && !find_head(rpc, err))
        return err_prefix(err, "latest block");
    *head = rpc->head;
    return true;
}

void rpc_look_behind(struct rpc *rpc)
{
    struct err ignored = { 0 };
    size_t usable = 0, looked_at = 0;

    for (size_t i = 0; i < rpc->endpoint_count; i++) {
        usable += rpc_is_usable(rpc, &rpc->endpoints[i]);
        looked_at += is_looked_at(rpc, &rpc->endpoints[i]);
    }
    if (usable >= 2 || looked_at == usable || rpc_now(rpc) < rpc->behind_at_ms + RPC_HEAD_MS)
        return;
    rpc->behind_at_ms = rpc_now(rpc);
    (void)!find_head(rpc, &ignored);           /* whoever asks finds out who is back */
}

bool rpc_latest(struct rpc *rpc, json **owned, bool *at_head, struct err *err)
{
    struct block head;

    *at_head = rpc->endpoint_count > 1;
    if (*at_head && !rpc_agreed_head(rpc, &head, err))
        return false;
    *owned = *at_head ? rpc_quantity(head.number) : json_new_text("latest");
    return true;
}

/* ---- a number of each ---- */

static void sort_in(uint64_t list[RPC_URLS_MAX], size_t *count, uint64_t number)
{
    size_t at = (*count)++;

    for (; at > 0 && list[at - 1] < number; at--)
        list[at] = list[at - 1];
    list[at] = number;
}

bool rpc_second_highest(struct rpc *rpc, const struct rpc_question *q, uint64_t *number, struct err *err)
{
    uint64_t list[RPC_URLS_MAX];
    bool answered[RPC_URLS_MAX] = { false };
    size_t count = 0;

    rpc_look_behind(rpc);
    rpc->waits = false;
    for (size_t i = 0; i < rpc->endpoint_count; i++) {
        struct err why = { 0 };
        uint64_t got;

        if (!rpc_is_usable(rpc, &rpc->endpoints[i]) || !rpc_ask_at(rpc, &rpc->endpoints[i], q, &got, &why))
            continue;
        answered[i] = true;
        sort_in(list, &count, got);
    }
    if (count < 2)
        return rpc_too_few(rpc, answered, err)
            || err_prefix(err, "%s", q->method);
    *number = list[1];
    return true;
}

/* ---- finalized ---- */

/* What is final stays so: an endpoint that takes it back is not believed any more. */
static bool is_monotonic(struct rpc *rpc, struct rpc_endpoint *e, uint64_t number)
{
    if (number < e->health.finalized) {
        rpc_judge(rpc, e, ENDPOINT_LYING, "its finalized block went back from %llu to %llu",
                  (unsigned long long)e->health.finalized, (unsigned long long)number);
        return false;
    }
    rpc_note_finalized(rpc, e, number);
    return true;
}

static bool find_finalized(struct rpc *rpc, struct block *block, struct err *err)
{
    uint64_t list[RPC_URLS_MAX];
    bool answered[RPC_URLS_MAX] = { false };
    size_t count = 0, without = 0;

    for (size_t i = 0; i < rpc->endpoint_count; i++) {
        struct rpc_endpoint *e = &rpc->endpoints[i];
        struct rpc_block_value value;
        struct err why = { 0 };
        bool ok = rpc_is_usable(rpc, e) && ask_block(rpc, e, json_new_text("finalized"), &value, &why);

        without += why.code == ERR_CHAIN || (ok && !value.found);
        answered[i] = ok && value.found && is_monotonic(rpc, e, value.block.number);
        if (answered[i])
            sort_in(list, &count, value.block.number);
    }
    if (count >= 2)
        return rpc_block_at(rpc, list[1], block, err);
    if (without >= 2)
        return err_set(err, ERR_NOT_FOUND, "the nodes have no finalized block");
    return rpc_too_few(rpc, answered, err) || err_prefix(err, "finalized block");
}

bool rpc_agreed_finalized(struct rpc *rpc, struct block *block, struct err *err)
{
    rpc_look_behind(rpc);
    rpc->waits = false;
    if (!rpc->has_finalized || rpc_now(rpc) >= rpc->finalized_at_ms + RPC_HEAD_MS) {
        if (!find_finalized(rpc, &rpc->finalized, err))
            return false;
        rpc->has_finalized = true;
        rpc->finalized_at_ms = rpc_now(rpc);
    }
    *block = rpc->finalized;
    return true;
}

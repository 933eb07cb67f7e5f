#include "gateway/audit/chain_view.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/base/mem.h"
#include "gateway/core/header.h"

#define BLOCKS_A_CALL 2000u

void chain_view_clear(struct chain_view *view)
{
    free(view->list);
    *view = (struct chain_view){ 0 };
}

static bool take_all(const struct logs *logs, log_fn *take, void *self, struct err *err)
{
    for (size_t i = 0; i < logs->count; i++)
        if (!logs->list[i].removed && !take(self, &logs->list[i], err))
            return false;
    return true;
}

bool chain_logs(struct rpc *rpc, struct address address, const struct hash *const *topics, size_t topic_count, uint64_t from,
                uint64_t to, log_fn *take, void *self, struct err *err)
{
    uint64_t step = BLOCKS_A_CALL;

    while (from <= to) {
        uint64_t last = to - from < step ? to : from + step - 1;
        struct logs logs = { 0 };
        bool ok;

        if (!rpc_logs(rpc, address, topics, topic_count, from, last, &logs, err)) {
            /* Nodes bound the answer too, each in its own words: fewer blocks, until a single one is refused. */
            if ((err->code != ERR_CHAIN && err->code != ERR_LIMIT) || step == 1)
                return err_prefix(err, "logs of blocks %" PRIu64 " to %" PRIu64, from, last);
            step /= 2;
            continue;
        }
        ok = take_all(&logs, take, self, err);
        logs_clear(&logs);
        if (!ok)
            return false;
        from = last + 1;
    }
    return true;
}

static bool take_committed(void *self, const struct log_entry *log, struct err *err)
{
    struct chain_view *view = self;
    struct committed_event event;

    if (!settlement_committed(log, view->contract, &event))
        return err_set(err, ERR_CHAIN, "a Committed event in block %" PRIu64 " cannot be read", log->block);
    if (event.sequence != view->count + 1)
        return err_set(err, ERR_CHAIN, "the node gives settlement %" PRIu64 " where %zu was expected: is deploy_block right?",
                       event.sequence, view->count + 1);
    if ((view->count & (view->count - 1)) == 0)
        view->list = mem_grow(view->list, view->count == 0 ? 1 : view->count * 2, sizeof *view->list);
    view->list[view->count++] = (struct chain_settlement){ .event = event, .block = log->block };
    return true;
}

static bool take_cancelled(void *self, const struct log_entry *log, struct err *err)
{
    struct chain_view *view = self;
    uint64_t sequence;

    if (!settlement_cancelled(log, view->contract, &sequence) || sequence == 0 || sequence > view->count)
        return err_set(err, ERR_CHAIN, "a Cancelled event in block %" PRIu64 " names no settlement", log->block);
    view->list[sequence - 1].cancelled = true;
    return true;
}

static bool read_events(struct rpc *rpc, uint64_t from, uint64_t to, struct chain_view *view, struct err *err)
{
    struct hash committed = settlement_committed_topic(), cancelled = settlement_cancelled_topic();
    const struct hash *topics[1] = { &committed };

    if (!chain_logs(rpc, view->contract, topics, 1, from, to, take_committed, view, err))
        return false;
    topics[0] = &cancelled;
    return chain_logs(rpc, view->contract, topics, 1, from, to, take_cancelled, view, err);
}

static bool read_headers(struct rpc *rpc, struct chain_view *view, struct err *err)
{
    if (!settlement_header(rpc, view->contract, 0, &view->first_header, err))
        return false;
    for (size_t i = 0; i < view->count; i++) {
        struct chain_settlement *s = &view->list[i];
        struct block block;

        if (!rpc_block_at(rpc, s->block, &block, err)
            || !settlement_header(rpc, view->contract, s->event.sequence, &s->header, err))
            return false;
        s->timestamp_s = block.timestamp_s;
    }
    return true;
}

bool chain_view_read(struct rpc *rpc, uint64_t chain_id, struct address contract, uint64_t deploy_block, struct chain_view *view,
                     struct err *err)
{
    struct chain_view read = { .chain_id = chain_id, .contract = contract };
    struct settlement_view now;
    struct block latest;

    if (!settlement_read(rpc, contract, &now, err) || !rpc_block(rpc, BLOCK_LATEST, &latest, err))
        return false;
    read.token = now.token;
    read.active_root = now.active_root;
    if (!read_events(rpc, deploy_block, latest.number, &read, err) || !read_headers(rpc, &read, err))
        goto failed;
    if (read.count < now.sequence) {
        err_set(err, ERR_CHAIN, "the contract is at settlement %" PRIu64 " but the node has events of %zu: is deploy_block right?",
                now.sequence, read.count);
        goto failed;
    }
    *view = read;
    return true;
failed:
    chain_view_clear(&read);
    return false;
}

bool chain_view_check(struct chain_view *view, struct err *err)
{
    struct hash header = header_first(view->chain_id, view->contract, view->token);

    if (!hash_eq(header, view->first_header))
        return differs_hash(err, DIFFERS_HEADER, (struct place){ 0, "header(0)" }, header, view->first_header);
    for (size_t i = 0; i < view->count; i++) {
        struct chain_settlement *s = &view->list[i];
        const struct committed_event *e = &s->event;
        struct settlement_content content = { e->sequence, e->receipts_root, e->rewards_root, e->archive, e->total, e->receipts };

        s->parent = header;
        header = header_next(header, &content, s->timestamp_s);
        if (!hash_eq(header, e->header))
            return differs_hash(err, DIFFERS_HEADER, (struct place){ e->sequence, "Committed event" }, header, e->header);
        if (s->cancelled)
            header = header_cancelled(header);
        if (!hash_eq(header, s->header))
            return differs_hash(err, DIFFERS_HEADER, (struct place){ e->sequence, "the contract's header" }, header, s->header);
    }
    return true;
}

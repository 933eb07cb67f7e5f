#include "tests/histories/chain.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/settle/behind.h"

#define SETTLEMENTS_MAX 64u

static struct chain_view view;
static struct hash head;

void chain_begin(uint64_t chain_id, struct address contract, struct address token)
{
    head = header_first(chain_id, contract, token);
    view = (struct chain_view){ .chain_id = chain_id, .contract = contract, .token = token, .first_header = head,
                                .list = mem_array(SETTLEMENTS_MAX, sizeof *view.list) };
}

void chain_end(void)
{
    chain_view_clear(&view);
}

void chain_commit(struct settlement_row *row, uint64_t now_s)
{
    const struct settlement_content *c = &row->content;
    struct chain_settlement *s;

    if (view.count == SETTLEMENTS_MAX)
        bug("a history with too many settlements");
    s = &view.list[view.count++];
    head = header_next(head, c, now_s);
    *s = (struct chain_settlement){
        .event = { c->sequence, c->receipts, now_s, c->receipts_root, c->rewards_root, c->archive, head, c->total },
        .block = 10 * c->sequence, .timestamp_s = now_s, .header = head,
    };
    view.active_root = c->rewards_root;
    row->has_header = true;
    row->header = head;
    row->committed_at_s = row->active_at_s = now_s;
    row->commit_block = s->block;
}

void chain_cancel_last(void)
{
    struct chain_settlement *last = &view.list[view.count - 1];

    last->header = head = header_cancelled(head);
    last->cancelled = true;
    memset(&view.active_root, 0, sizeof view.active_root);
    for (size_t i = 0; i < view.count; i++)
        if (!view.list[i].cancelled)
            view.active_root = view.list[i].event.rewards_root;
}

const struct chain_view *chain_now(void)
{
    return &view;
}

/* ---- in place of what settling and catching up ask a node ---- */

/* What the linker calls instead of `function`. */
#define WRAPPED(function, ...)                  \
    bool __wrap_##function(__VA_ARGS__);        \
    bool __wrap_##function(__VA_ARGS__)

WRAPPED(behind_look, const struct settle_config *config, struct rpc *rpc, struct db *db, struct behind *behind, struct err *err)
{
    struct settlement_row last;
    bool found;

    (void)config, (void)rpc;
    if (!store_settlement_last(db, &last, &found, err))
        return false;
    *behind = (struct behind){ .known = found ? last.sequence : 0, .used = view.count };
    behind->is_behind = behind->known < behind->used;
    return true;
}

WRAPPED(settlement_header, struct rpc *rpc, struct address contract, uint64_t sequence, struct hash *header, struct err *err)
{
    (void)rpc, (void)contract;
    if (sequence != view.count)
        return err_set(err, ERR_BUG, "the header of another settlement than the last is asked for");
    *header = head;
    return true;
}

WRAPPED(settlement_header_at, struct rpc *rpc, struct address contract, uint64_t sequence, uint64_t block, struct hash *header,
        struct err *err)
{
    (void)rpc, (void)contract, (void)block;
    if (sequence == 0 || sequence > view.count)
        return err_set(err, ERR_BUG, "the header of a settlement that was never committed is asked for");
    *header = view.list[sequence - 1].header;
    return true;
}

WRAPPED(chain_view_read, struct rpc *rpc, uint64_t chain_id, struct address contract, uint64_t deploy_block, struct chain_view *copy,
        struct err *err)
{
    (void)rpc, (void)chain_id, (void)contract, (void)deploy_block, (void)err;
    *copy = view;
    copy->list = mem_array(SETTLEMENTS_MAX, sizeof *copy->list);
    memcpy(copy->list, view.list, view.count * sizeof *view.list);
    return true;
}

WRAPPED(settlement_read, struct rpc *rpc, struct address contract, struct settlement_view *now, struct err *err)
{
    (void)rpc, (void)contract, (void)err;
    *now = (struct settlement_view){ .token = view.token, .sequence = view.count, .active_root = view.active_root };
    return true;
}

WRAPPED(confirmed_block, struct rpc *rpc, uint64_t confirmations, uint64_t *height, bool *any, struct err *err)
{
    (void)rpc, (void)confirmations, (void)err;
    *height = UINT64_MAX;
    *any = true;
    return true;
}

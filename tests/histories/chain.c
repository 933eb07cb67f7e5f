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

/* ---- in place of the two questions that preparing a batch asks of a node ---- */

bool __wrap_behind_look(const struct settle_config *config, struct rpc *rpc, struct db *db, struct behind *behind, struct err *err);
bool __wrap_settlement_header(struct rpc *rpc, struct address contract, uint64_t sequence, struct hash *header, struct err *err);

bool __wrap_behind_look(const struct settle_config *config, struct rpc *rpc, struct db *db, struct behind *behind, struct err *err)
{
    struct settlement_row last;
    bool found;

    (void)config, (void)rpc;
    if (!store_settlement_last(db, &last, &found, err))
        return false;
    *behind = (struct behind){ .known = found ? last.sequence : 0, .used = view.count };
    return true;
}

bool __wrap_settlement_header(struct rpc *rpc, struct address contract, uint64_t sequence, struct hash *header, struct err *err)
{
    (void)rpc, (void)contract;
    if (sequence != view.count)
        return err_set(err, ERR_BUG, "the header of another settlement than the last is asked for");
    *header = head;
    return true;
}

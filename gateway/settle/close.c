/* open -> closed: a number goes up, receipts keep the batch they were given on arrival. */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"
#include "gateway/pool/pool.h"
#include "store/sums.h"

struct closing { uint64_t number; struct address next_protocol_account; bool done; };

static bool close_open(void *self, struct group *group, struct err *err)
{
    struct closing *c = self;
    struct batch_row open;

    if (!store_batch_open(group->db, &open, err))
        return false;
    c->done = open.number == c->number;        /* else the intake closed it a moment ago, because it was full */
    /* Its archive names the epochs of the pool that had begun by now. */
    return !c->done || (pool_open_epochs(group->db, group->now_ms, err)
                        && store_batch_close(group->db, group->now_ms, c->next_protocol_account, err));
}

static bool nothing(void *self, struct group *group, struct err *err)
{
    (void)self, (void)group, (void)err;
    return true;
}

/* What groups beside others have accepted is in the open batch as soon as anybody had a turn. */
static bool fold_sums(struct settle *s, struct err *err)
{
    bool waiting;

    return store_sums_wait(s->db, &waiting, err) && (!waiting || settle_do(s, nothing, NULL, err));
}

bool settle_close(struct settle *s, bool *closed, struct err *err)
{
    struct closing closing = { .next_protocol_account = s->config.protocol_account };
    struct batch_row work, open;
    bool found, has_leaves, empty;

    *closed = false;
    if (!work_may_begin(s, err) || !work_find(s, &work, &found, err))
        return false;
    if (found)
        return true;
    popularity_book(s);
    if (!fold_sums(s, err) || !store_batch_open(s->db, &open, err) || !work_has_leaves(s, &open, &has_leaves, err)
        || !work_is_empty(s, &open, &empty, err))
        return false;
    if (empty || !has_leaves)
        return true;
    closing.number = open.number;
    if (!settle_do(s, close_open, &closing, err))
        return false;
    if (closing.done)
        log_event(LOG_NOTICE_LEVEL, "batch_closed", KV_U64("batch", open.number), KV_U64("count", open.receipts));
    settle_crash_point("closed");
    *closed = true;
    return true;
}

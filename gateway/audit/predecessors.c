#include "gateway/audit/predecessors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/base/mem.h"
#include "gateway/lib/address_text.h"

#define STEPS_MAX 16u              /* from one contract to ours; also ends any circle */

struct last_word { struct address contract; struct retired_event event; bool any; };

static bool take(void *self, const struct log_entry *log, struct err *err)
{
    struct last_word *w = self;

    w->any = settlement_retired(log, w->contract, &w->event);
    return w->any || err_set(err, ERR_CHAIN, "a Retired event in block %" PRIu64 " cannot be read", log->block);
}

/* *leads false: why. */
static bool follow(struct rpc *rpc, const struct chain_view *view, uint64_t from_block, uint64_t to_block, struct address contract,
                   bool *leads, char why[200], struct err *err)
{
    const struct hash topic = settlement_retired_topic();
    const struct hash *topics[] = { &topic };
    struct last_word w = { .contract = contract, .any = true };
    char text[ADDRESS_TEXT];

    for (unsigned i = 0; i < STEPS_MAX && w.any && !address_eq(w.contract, view->contract); i++) {
        w.any = false;
        if (!chain_logs(rpc, w.contract, topics, 1, from_block, to_block, take, &w, err))
            return false;
        if (w.any)
            w.contract = w.event.successor;
    }
    *leads = address_eq(w.contract, view->contract);
    address_to_text(w.contract, text);
    if (!*leads)
        snprintf(why, 200, w.any ? "one that leads to %s" : "%s, which has named no successor since block %" PRIu64, text, from_block);
    return true;
}

bool predecessors_check(struct rpc *rpc, const struct chain_view *view, uint64_t from_block, const struct rows *rows, struct err *err)
{
    struct address *known = NULL;
    struct foreign_row row;
    size_t cursor = 0, count = 0, i;
    struct block latest = { 0 };
    bool ok = true, leads = true;
    char why[200];

    while (ok && leads && rows_next_foreign(rows, &cursor, &row)) {
        for (i = 0; i < count && !address_eq(known[i], row.contract); i++)
            continue;
        if (i < count)
            continue;
        ok = (latest.number != 0 || rpc_block(rpc, BLOCK_LATEST, &latest, err))
          && follow(rpc, view, from_block, latest.number, row.contract, &leads, why, err);
        if (ok && !leads)
            ok = differs(err, DIFFERS_CATALOG, (struct place){ 0, row.name }, "one signed for a contract that retires to this one", why);
        known = mem_grow(known, count + 1, sizeof *known);
        known[count++] = row.contract;
    }
    free(known);
    return ok;
}

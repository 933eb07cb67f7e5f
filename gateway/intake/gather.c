/* The state of the commit group under way: begun by its first task, taken back with a task that fails, emptied at its end. */
#include "gateway/intake/inside.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/base/mem.h"

void gather_close(struct intake *intake)
{
    struct gathered *g = &intake->gathered;

    snapshot_release(g->snapshot);
    g->snapshot = NULL;
    parties_forget(&g->parties);
    paging_forget(intake);
    tally_reset(&g->postings);
    tally_reset(&g->batches);
    tally_reset(&g->days);
    tally_reset(&g->measures);
    tally_reset(&g->caches);
    tally_reset(&g->fees);
    tally_reset(&g->demand);
    tally_reset(&g->consumer_days);
    tally_reset(&g->credit);
    tally_reset(&g->bases);
    g->leaf_count = 0;
    g->submission_count = 0;
    g->recharge_count = 0;
    g->open = false;
}

void gather_lost(struct intake *intake)
{
    gather_close(intake);
    atomic_store(&intake->market_due_ms, 0);
    intake->held_known = false;     /* it counted rows that are not there */
}

/* The catalog for the group.  Where prices moved with it, a copy of our own: nobody else may see what is not kept yet. */
static bool take_snapshot(struct intake *intake, struct group *group, struct err *err)
{
    struct gathered *g = &intake->gathered;
    const struct snapshot *own;

    if (!snapshots_refresh(intake->snapshots, group->db, err))
        return false;
    g->snapshot = snapshot_take(intake->snapshots);
    if (!market_run(intake, group, g->snapshot->catalog, &g->stepped, err) || (g->stepped && !snapshot_load(group->db, &own, err))) {
        snapshot_release(g->snapshot);
        g->snapshot = NULL;
        return false;
    }
    if (g->stepped) {
        snapshot_release(g->snapshot);
        g->snapshot = own;
    }
    return true;
}

static bool read_store(struct intake *intake, struct group *group, struct err *err)
{
    struct gathered *g = &intake->gathered;

    /* Who else closes a batch, settling or a release of its own, has a group of its own too. */
    return pool_epoch_now(group->db, group->now_ms, &g->epoch, &g->epoch_running, &g->epoch_stored, err)
        && (!g->epoch_running || g->epoch_stored || in_turn(group, "an epoch begins", err))
        && store_batch_open(group->db, &g->stored, err) && take_snapshot(intake, group, err);
}

/* The catalog stays the same for a whole group: changes of it have groups of their own. */
static bool begin(struct intake *intake, struct group *group, struct err *err)
{
    struct gathered *g = &intake->gathered;

    if (g->open && g->number == group->number && g->now_ms == group->now_ms) {
        g->stepped = false;
        return true;
    }
    if (g->open)
        gather_lost(intake);        /* the group before ended without our seal: it was not kept */
    if (intake->others != group->others)
        intake->held_known = false;
    intake->others = group->others;
    beside_begin(intake, group);
    if (!intake->held_known && !store_receipts_of_strangers(group->db, &intake->held, err))
        return false;
    intake->held_known = true;
    g->stepped = false;
    if (kept_take(intake, group))
        g->snapshot = snapshot_take(intake->snapshots);
    else if (!read_store(intake, group, err))
        return false;
    g->number = group->number;
    g->now_ms = group->now_ms;
    pthread_mutex_lock(&intake->lock);
    g->batch_amount_max = intake->config.batch_amount_max;
    pthread_mutex_unlock(&intake->lock);
    g->open = true;
    return true;
}

/* The batch that takes the next receipt: the store's open one with what the group added, or the one after it that this
 * group began (its row is made by the seal). */
static bool find_batch(struct intake *intake, struct err *err)
{
    struct gathered *g = &intake->gathered;
    const struct tally_row *newest = NULL;

    g->batch = g->stored;
    for (size_t i = 0; i < g->batches.count; i++) {
        const struct tally_row *b = &g->batches.list[i];

        if (b->count != 0 && (newest == NULL || b->key.number > newest->key.number))
            newest = b;
    }
    if (newest == NULL || newest->key.number < g->batch.number)
        return true;
    if (newest->key.number > g->batch.number)
        g->batch = (struct batch_row){ .number = newest->key.number, .state = BATCH_OPEN, .protocol_account = intake->config.protocol_account };
    g->batch.receipts += newest->count;
    return amount_add(g->batch.amount, newest->amount, &g->batch.amount)
        || err_set(err, ERR_OVERFLOW, "batch %" PRIu64 " is over 256 bits", g->batch.number);
}

bool gather_enter(struct intake *intake, struct group *group, struct err *err)
{
    struct gathered *g = &intake->gathered;

    if (!begin(intake, group, err))
        return false;
    g->marked.stored = g->stored;
    g->marked.leaves = g->leaf_count;
    g->marked.submissions = g->submission_count;
    g->marked.recharges = g->recharge_count;
    g->marked.held = intake->held;
    tally_mark(&g->postings);
    tally_mark(&g->batches);
    tally_mark(&g->days);
    tally_mark(&g->measures);
    tally_mark(&g->caches);
    tally_mark(&g->fees);
    tally_mark(&g->demand);
    tally_mark(&g->consumer_days);
    tally_mark(&g->credit);
    return find_batch(intake, err);
}

void gather_undo(struct intake *intake)
{
    struct gathered *g = &intake->gathered;

    if (!g->open)
        return;
    if (g->stepped) {
        gather_lost(intake);        /* the steps are undone with the task that began the group: the next task begins it anew */
        return;
    }
    paging_forget(intake);          /* nothing waits but in a group that is lost with this task */
    tally_undo(&g->postings);
    tally_undo(&g->batches);
    tally_undo(&g->days);
    tally_undo(&g->measures);
    tally_undo(&g->caches);
    g->stored = g->marked.stored;
    tally_undo(&g->fees);
    tally_undo(&g->demand);
    tally_undo(&g->consumer_days);
    tally_undo(&g->credit);
    g->leaf_count = g->marked.leaves;
    g->submission_count = g->marked.submissions;
    g->recharge_count = g->marked.recharges;
    intake->held = g->marked.held;
}

void gather_leaf(struct intake *intake, struct hash receipt, struct hash leaf)
{
    struct gathered *g = &intake->gathered;

    if (g->leaf_count == g->leaf_capacity) {
        g->leaf_capacity = g->leaf_capacity == 0 ? 256 : g->leaf_capacity * 2;
        g->receipts = mem_grow(g->receipts, g->leaf_capacity, sizeof *g->receipts);
        g->leaves = mem_grow(g->leaves, g->leaf_capacity, sizeof *g->leaves);
    }
    g->receipts[g->leaf_count] = receipt;
    g->leaves[g->leaf_count++] = leaf;
}

void gather_submission(struct intake *intake, struct submission *s)
{
    struct gathered *g = &intake->gathered;

    if (g->submission_count == g->submission_capacity) {
        g->submission_capacity = g->submission_capacity == 0 ? 64 : g->submission_capacity * 2;
        g->submissions = mem_grow(g->submissions, g->submission_capacity, sizeof *g->submissions);
    }
    g->submissions[g->submission_count++] = (struct promised){ s, g->marked.leaves, g->leaf_count - g->marked.leaves };
}

void gather_recharge(struct intake *intake, const struct recharge *r)
{
    struct gathered *g = &intake->gathered;

    if (g->recharge_count == g->recharge_capacity) {
        g->recharge_capacity = g->recharge_capacity == 0 ? 16 : g->recharge_capacity * 2;
        g->recharges = mem_grow(g->recharges, g->recharge_capacity, sizeof *g->recharges);
    }
    g->recharges[g->recharge_count++] = *r;
}

/* As store_receipts_of_strangers counts them: anybody with a key can send these, so they alone are bounded. */
static bool is_strangers(enum receipt_code code)
{
    return code == CODE_UNKNOWN_PROVIDER;
}

void gather_held(struct intake *intake, enum receipt_code code, uint64_t weight)
{
    if (is_strangers(code))
        intake->held += weight;
}

void gather_let_go(struct intake *intake, const struct receipt_row *row, enum receipt_code from, enum receipt_code to)
{
    if (is_strangers(from) == is_strangers(to))
        return;
    /* Whether it was the last that its bundle was kept for, the store counts at the next group. */
    if (row->has_bundle)
        intake->held_known = false;
    else if (is_strangers(to))
        intake->held++;
    else
        intake->held--;
}

bool gather_is_full(const struct intake *intake, enum receipt_code code, uint64_t weight)
{
    return is_strangers(code) && intake->held + weight > intake->config.quarantine_max;
}

/* The end of a commit group: its sums written, one InclusionPromise signed over all it accepted. */
#include "gateway/intake/inside.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "store/ledger.h"

/* The two sides of one batch and what its receipts are worth; nothing is written that does not balance. */
static bool check_batch(const struct tally *postings, const struct tally_row *batch, struct err *err)
{
    struct amount credits = AMOUNT_ZERO, debits = AMOUNT_ZERO;

    for (size_t i = 0; i < postings->count; i++) {
        const struct tally_row *p = &postings->list[i];
        struct amount *side = role_is_credit((enum role)p->key.role) ? &credits : &debits;

        if (p->key.number == batch->key.number && !amount_add(*side, p->amount, side))
            return err_set(err, ERR_OVERFLOW, "the postings of batch %" PRIu64 " are over 256 bits", batch->key.number);
    }
    if (amount_cmp(credits, debits) != 0 || amount_cmp(credits, batch->amount) != 0)
        return err_set(err, ERR_BUG, "the postings of batch %" PRIu64 " do not balance", batch->key.number);
    return true;
}

/* Batches in order of their number; one that this group began is opened by closing the one before it. */
static bool flush_batches(struct intake *intake, struct group *group, struct err *err)
{
    struct gathered *g = &intake->gathered;
    struct batch_row *open = &g->stored;

    for (size_t i = 0; i < g->batches.count; i++) {
        const struct tally_row *b = &g->batches.list[i];

        if (b->count == 0)
            continue;
        if (!check_batch(&g->postings, b, err))
            return false;
        if (b->key.number > open->number
            && (!store_batch_close(group->db, group->now_ms, intake->config.protocol_account, err)
                || !store_batch_open(group->db, open, err)))
            return false;
        if (b->key.number != open->number)
            return err_set(err, ERR_BUG, "batch %" PRIu64 " is not the open one", b->key.number);
        if (!store_batch_add_to(group->db, open, b->count, b->amount, err))
            return false;
    }
    return true;
}

/* Counted in the epoch of acceptance, which is not booked before this batch is closed and settled. */
static bool count_recharge(struct group *group, const struct recharge *r, struct err *err)
{
    struct epoch_row epoch;
    bool found;

    if (!store_epoch_of_time(group->db, r->accepted_at_ms, &epoch, &found, err))
        return false;
    return !found || amount_is_zero(r->fee.fees) || store_pool_fee_add(group->db, epoch.terms.epoch, r->batch, &r->fee, err);
}

/* After the postings: what is moved may have been posted by this very group. */
static bool flush_recharges(const struct gathered *g, struct group *group, struct err *err)
{
    for (size_t i = 0; i < g->recharge_count; i++) {
        const struct recharge *r = &g->recharges[i];

        if (!store_posting_take(group->db, r->batch, &r->from, err) || !store_posting_add(group->db, r->batch, &r->to, 1, err)
            || !count_recharge(group, r, err))
            return false;
    }
    return true;
}

/* What the group adds, and what is read for all of it in one round trip, as the keys of all are known. */
struct sums {
    struct posting *postings;                 /* these two are owned */
    struct batch_fee *fees;
    size_t posting_count, fee_count;
};

static struct sums sums_of(struct gathered *g)
{
    struct sums s = {
        .postings = mem_array(g->postings.count + 1, sizeof *s.postings), .fees = mem_array(g->fees.count + 1, sizeof *s.fees),
    };

    for (size_t i = 0; i < g->postings.count; i++) {
        const struct tally_row *p = &g->postings.list[i];

        if (p->count != 0)
            s.postings[s.posting_count++] = (struct posting){
                p->key.number, { p->key.account, (enum role)p->key.role, p->key.model, p->amount }, p->count,
            };
    }
    for (size_t i = 0; i < g->fees.count; i++) {
        const struct tally_row *f = &g->fees.list[i];

        if (f->count != 0)
            s.fees[s.fee_count++] = (struct batch_fee){ f->key.number, { f->key.model, f->key.account, f->amount } };
    }
    return s;
}

static bool flush_read_sums(struct intake *intake, struct group *group, struct err *err)
{
    struct gathered *g = &intake->gathered;
    struct sums s = sums_of(g);
    uint64_t epoch = g->epoch.epoch;
    bool ok = store_postings_add_soon(group->db, s.postings, s.posting_count, err)
           && store_pool_fees_add_soon(group->db, epoch, s.fees, s.fee_count, err) && measure_flush(intake, group, err)
           && store_postings_add(group->db, s.postings, s.posting_count, err)
           && store_pool_fees_add(group->db, epoch, s.fees, s.fee_count, err);

    free(s.postings);
    free(s.fees);
    return ok;
}

/* Beside others what the sums gained is left, to be folded in; batches are opened and closed in turns only. */
static bool leave_sums(struct intake *intake, struct group *group, struct err *err)
{
    const struct gathered *g = &intake->gathered;

    for (size_t i = 0; i < g->batches.count; i++) {
        const struct tally_row *b = &g->batches.list[i];

        if (b->count == 0)
            continue;
        if (b->key.number != g->stored.number)
            return err_set(err, ERR_BUG, "batch %" PRIu64 " is not the open one", b->key.number);
        if (!check_batch(&g->postings, b, err))
            return false;
    }
    return beside_leave_sums(intake, group, err);
}

static bool flush_sums(struct intake *intake, struct group *group, struct err *err)
{
    struct gathered *g = &intake->gathered;
    bool ok;

    tally_sort(&g->batches);
    tally_sort(&g->postings);
    tally_sort(&g->days);
    tally_sort(&g->demand);
    tally_sort(&g->consumer_days);
    tally_sort(&g->fees);
    /* First: the row of an epoch stands before anything of it, and before a batch that was open in it is closed. */
    ok = (!g->epoch_running || g->epoch_stored || pool_open_epochs(group->db, group->now_ms, err)) && flush_batches(intake, group, err);
    ok = ok && flush_read_sums(intake, group, err);
    for (size_t i = 0; ok && i < g->days.count; i++) {
        const struct tally_row *d = &g->days.list[i];

        /* The first addition was what the store had. */
        ok = d->count < 2 || store_provider_day_set(group->db, d->key.account, d->key.number, d->amount, err);
    }
    for (size_t i = 0; ok && i < g->consumer_days.count; i++) {
        const struct tally_row *d = &g->consumer_days.list[i];

        ok = d->count < 2 || store_consumer_day_set(group->db, d->key.account, d->key.number, d->amount, err);
    }
    return ok && flush_recharges(g, group, err) && market_flush(intake, group, err);
}

/* A bundle's tree is of the same leaves; where all of it was accepted in its order it stands in the promise's.  The pool's threads
 * made it, the seal is on the one writer's. */
static struct tree *promise_tree(const struct gathered *g)
{
    struct tree_known *known = mem_array(g->submission_count + 1, sizeof *known);
    struct tree *tree;
    size_t count = 0;

    for (size_t i = 0; i < g->submission_count; i++) {
        const struct promised *p = &g->submissions[i];
        const struct work *work = p->s->work;

        if (work->tree != NULL && tree_is_over(work->tree, g->leaves + p->first_leaf, p->leaves))
            known[count++] = (struct tree_known){ p->first_leaf, work->tree };
    }
    tree = tree_new_of(g->leaves, g->leaf_count, known, count);
    free(known);
    return tree;
}

static bool make_promise(const struct intake *intake, struct group *group, struct group_promise *p, struct err *err)
{
    const struct gathered *g = &intake->gathered;
    struct promise_row *row = &p->row;

    p->tree = promise_tree(g);
    row->id = group->number;
    row->promise = (struct inclusion_promise){
        .root = tree_top(p->tree), .count = g->leaf_count,
        .accepted_at_ms = group->now_ms, .settle_by_ms = group->clock_ms + intake->config.settle_within_ms,
    };
    row->signer = signer_address(intake->signer);
    if (!buf_add(&row->leaves, g->receipts, g->leaf_count * sizeof *g->receipts))
        return err_set(err, ERR_LIMIT, "a promise over %zu receipts", g->leaf_count);
    return signer_sign_digest(intake->signer, typed_digest(&intake->config.domain, promise_struct_hash(&row->promise)),
                              &row->signature, err)
        && store_promise_insert(group->db, row, err) && store_promise_nodes_insert(group->db, row->id, p->tree, err);
}

static bool promise_group(struct intake *intake, struct group *group, struct err *err)
{
    struct gathered *g = &intake->gathered;
    struct group_promise *p = mem_new(sizeof *p);

    buf_init(&p->row.leaves);
    p->references = 1;
    if (!make_promise(intake, group, p, err)) {
        group_promise_release(p);
        return false;
    }
    p->references += (int)g->submission_count;
    for (size_t i = 0; i < g->submission_count; i++)
        g->submissions[i].s->promises[intake->is_predecessor] = p;
    group_promise_release(p);                 /* ours: a group of releases alone has nobody to answer */
    return true;
}

void group_promise_release(struct group_promise *promise)
{
    if (promise == NULL || __atomic_sub_fetch(&promise->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    tree_free(promise->tree);
    buf_clear(&promise->row.leaves);
    free(promise);
}

bool seal_group(void *seal_self, struct group *group, struct err *err)
{
    struct intake *intake = seal_self;
    bool ok;

    group->again = !paging_write(intake, group, err);
    ok = !group->again && (group->beside ? leave_sums(intake, group, err) : flush_sums(intake, group, err))
      && (intake->gathered.leaf_count == 0 || promise_group(intake, group, err));
    if (ok) {
        kept_note(intake, group);
        gather_close(intake);
    } else {
        gather_lost(intake);
    }
    return ok;
}

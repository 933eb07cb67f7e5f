/* The receipts of one settlement: each as its archive says, wherever the store had it, and its postings. */
#include "gateway/rebuild/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/base/mem.h"
#include "gateway/rebuild/rows.h"
#include "store/ledger.h"
#include "store/market.h"
#include "store/popularity.h"

static struct place place(const struct filling *f, const char *where)
{
    return (struct place){ f->s->event.sequence, where };
}

/* -- postings -- */

static bool post(struct filling *f, uint64_t batch, const struct share *share, struct err *err)
{
    return amount_is_zero(share->amount) || store_posting_add(f->db, batch, share, 1, err);
}

/* All that is summed of a batch, before it is booked anew. */
static bool clear_sums(struct filling *f, uint64_t batch, struct err *err)
{
    return store_postings_clear(f->db, batch, err) && store_pool_fees_drop_batch(f->db, batch, err);
}

/* Both sides of one receipt. */
static bool book(struct filling *f, uint64_t batch, struct address protocol_account, const struct receipt_row *row, struct err *err)
{
    const struct receipt *r = &row->signed_.receipt;
    const struct price_version *price = catalog_price_version(f->catalog, row->price_version);
    struct share charge = { row->charged, row->has_charged ? ROLE_CONSUMER : ROLE_TREASURY, r->model, row->amount };
    struct shares credits = { 0 };
    bool ok;

    if (price == NULL)
        return differs_u64(err, DIFFERS_PRICE, place(f, "price version that no line tells"), 0, row->price_version);
    ok = ledger_split(f->catalog, r, price, row->amount, protocol_account, row->accepted_at_ms, &credits, err);
    for (size_t i = 0; ok && i < credits.count; i++)
        ok = post(f, batch, &credits.list[i], err);
    shares_clear(&credits);
    return ok && post(f, batch, &charge, err) && pool_count(f, batch, row, price, err);
}

/* Only today's sums still bound anybody. */
static bool count_day(struct filling *f, const struct archive_receipt *a, struct err *err)
{
    uint64_t day = a->accepted_at_ms / DAY_MS;

    return day < f->now_ms / DAY_MS || store_provider_day_add(f->db, a->receipt.receipt.provider, day, a->amount, err);
}

/* Windows that are judged already need no demand, but which those are the next archive tells. */
static bool count_demand(struct filling *f, const struct archive_receipt *a, struct err *err)
{
    const struct price_version *price = catalog_price_version(f->catalog, a->price_version), *base;

    if (price == NULL || (price->market.window_s == 0 && price->step.base == 0))
        return true;
    base = price->step.base == 0 ? price : catalog_price_version(f->catalog, price->step.base);
    return base != NULL && base->market.window_s != 0
        ? store_demand_add(f->db, base->version, market_window_of(&base->market, a->accepted_at_ms),
                           amount_from_u64(market_units(a->receipt.receipt.count)), err)
        : differs_u64(err, DIFFERS_MARKET, place(f, "base of a price version that no line tells"), 0, price->step.base);
}

/* A credit limit may be for any number of days. */
static bool bill_day(struct filling *f, const struct receipt_row *row, struct err *err)
{
    return !row->has_charged || store_consumer_day_add(f->db, row->charged, row->accepted_at_ms / DAY_MS, row->amount, err);
}

/* -- what the store has of the same job -- */

bool rebuild_take_from(struct filling *f, uint64_t from, enum difference kind, const char *what, struct err *err)
{
    struct batch_row batch = { 0 };
    bool found;

    if (from == f->batch)
        return true;
    if (!store_batch_find(f->db, from, &batch, &found, err))
        return false;
    if (!found || (batch.state != BATCH_OPEN && batch.state != BATCH_CLOSED && batch.state != BATCH_CANCELLED))
        return differs_u64(err, kind, place(f, what), f->s->event.sequence, batch.sequence);
    receipts_moved(f, from);
    return true;
}

static bool take_from(struct filling *f, const struct receipt_row *old, struct err *err)
{
    return rebuild_take_from(f, old->batch, DIFFERS_DOUBLE_BILLING, "a job billed before", err);
}

/* A bundle's signature over one of its receipts. */
static bool prove(struct filling *f, const struct receipt_row *old, struct bundle_proof *proof, struct err *err)
{
    struct bundle_row row;
    struct hash *leaves;
    struct tree *tree;

    if (!store_bundle_find(f->db, old->bundle, &row, err))
        return false;
    leaves = mem_array(row.bundle.count, sizeof *leaves);
    memcpy(leaves, row.leaves.data, row.leaves.len);
    buf_clear(&row.leaves);
    tree = tree_new(leaves, row.bundle.count);
    free(leaves);
    *proof = (struct bundle_proof){ .bundle = row.bundle, .signature = row.signature, .index = old->bundle_index };
    tree_prove(tree, old->bundle_index, &proof->path);
    tree_free(tree);
    return true;
}

/* The provider signed both; this one was taken while the store did not know of the other, which is settled. */
static bool keep_as_evidence(struct filling *f, const struct receipt_row *old, struct err *err)
{
    struct bundle_proof proof;

    return (!old->has_bundle || prove(f, old, &proof, err))
        && store_conflict_add(f->db, old, old->has_bundle ? &proof : NULL, CONFLICTS_KEPT, err);
}

static bool same_signatures(const struct signed_receipt *a, const struct signed_receipt *b)
{
    return a->has_signature == b->has_signature && a->has_consumer_signature == b->has_consumer_signature
        && (!a->has_signature || memcmp(a->signature.b, b->signature.b, sizeof a->signature.b) == 0)
        && (!a->has_consumer_signature
            || memcmp(a->consumer_signature.b, b->consumer_signature.b, sizeof a->consumer_signature.b) == 0);
}

/* Nothing to write: the backup holds it as it was settled. */
static bool is_as_settled(const struct receipt_row *old, const struct receipt_row *row)
{
    return old->state == RECEIPT_ACCEPTED && old->batch == row->batch && hash_eq(old->hash, row->hash)
        && old->accepted_at_ms == row->accepted_at_ms && old->price_version == row->price_version
        && amount_cmp(old->amount, row->amount) == 0 && old->has_charged == row->has_charged
        && address_eq(old->charged, row->charged) && old->has_bundle == row->has_bundle && old->bundle == row->bundle
        && old->bundle_index == row->bundle_index && same_signatures(&old->signed_, &row->signed_);
}

/* Makes place for the archive's row, and keeps of the old one what no archive holds. */
static bool replace_old(struct filling *f, const struct receipt_row *old, struct receipt_row *row, struct err *err)
{
    bool same = hash_eq(old->hash, row->hash);

    if ((old->state == RECEIPT_ACCEPTED && !take_from(f, old, err)) || (!same && !keep_as_evidence(f, old, err))
        || !store_receipt_delete(f->db, old, err))
        return false;
    row->received_at_ms = old->received_at_ms;
    if (same) {
        row->promise = old->promise;
        row->promise_index = old->promise_index;
        memcpy(row->reason, old->reason, sizeof row->reason);
    }
    return true;
}

/* An operator had let it be paid although another was paid for the job; what he said of it is in no archive. */
static bool excuse_second(struct db *db, struct receipt_row *row, struct err *err)
{
    const struct receipt *r = &row->signed_.receipt;
    bool billed = false;

    if (row->reason[0] == '\0' && !store_receipt_job_billed(db, r->job_id, r->provider, &billed, err))
        return false;
    if (billed)
        snprintf(row->reason, sizeof row->reason, "another's receipt of this job is archived, too");
    return true;
}

static bool put(struct filling *f, const struct archive_receipt *a, struct receipt_row *row, struct err *err)
{
    const struct receipt *r = &row->signed_.receipt;
    struct receipt_row old;
    bool found;

    if (!store_receipt_find(f->db, r->job_id, r->provider, &old, &found, err))
        return false;
    if (found && old.state == RECEIPT_ACCEPTED && old.batch == f->batch)
        f->here++;
    if (found && is_as_settled(&old, row))
        return true;
    return (!found || replace_old(f, &old, row, err)) && excuse_second(f->db, row, err) && store_receipt_insert(f->db, row, err)
        && ((found && old.state == RECEIPT_ACCEPTED) || (count_day(f, a, err) && count_demand(f, a, err)))
        && ((found && old.state == RECEIPT_ACCEPTED && old.has_charged) || bill_day(f, row, err));
}

/* -- one receipt of the archive -- */

static bool keep_receipt(struct filling *f, const struct archive_receipt *a, struct err *err)
{
    const struct receipt *r = &a->receipt.receipt;
    struct hash salt = receipt_salt(f->r->config->secret, r->job_id, r->provider);
    struct share charge = ledger_charge(f->catalog, &a->receipt, a->amount, a->accepted_at_ms);
    struct receipt_row row = {
        .signed_ = a->receipt, .hash = receipt_struct_hash(r), .state = RECEIPT_ACCEPTED, .code = CODE_ACCEPTED,
        .has_bundle = a->has_bundle, .bundle_index = a->bundle_index, .received_at_ms = a->accepted_at_ms,
        .accepted_at_ms = a->accepted_at_ms, .batch = f->batch, .price_version = a->price_version, .amount = a->amount,
        .has_charged = charge.role == ROLE_CONSUMER, .charged = charge.account,
    };

    if (f->g->judged && !recompute_receipt(&f->judge, a, &row.hash, err))
        return false;
    if (!hash_eq(salt, a->salt))
        return err_set(err, ERR_CONFIG, "[signer] secret_file is not the one of the lost gateway: its proofs would lead nowhere");
    if (a->has_bundle)
        row.bundle = gathered_bundle_of(f->g, a)->id;
    tree_stream_add(&f->tree, tree_receipts_leaf(f->tree.count, r->job_id, r->provider, salt, row.hash));
    return put(f, a, &row, err)
        && book(f, f->batch, f->g->head.protocol_account, &row, err)
        && (amount_add(f->amount, a->amount, &f->amount) || err_set(err, ERR_OVERFLOW, "a batch over 256 bits"));
}

static bool keep_line(void *self, const char *text, size_t len, struct err *err)
{
    struct filling *f = self;
    struct archive_line line = { 0 };
    bool ok;

    if (!rebuild_read_line(text, len, f->r->config->secret, f->s->event.sequence, &line, err))
        return false;
    ok = line.type != ARCHIVE_RECEIPT || keep_receipt(f, &line.of.receipt, err);
    archive_line_clear(&line);
    return ok;
}

static bool check(struct filling *f, struct hash digest, struct err *err)
{
    const struct committed_event *e = &f->s->event;
    struct hash root = tree_stream_root(&f->tree);

    if (!hash_eq(digest, e->archive))
        return differs_hash(err, DIFFERS_ARCHIVE, place(f, "SHA-256 of the file"), e->archive, digest);
    if (f->tree.count != e->receipts)
        return differs_u64(err, DIFFERS_RECEIPT, place(f, "number of receipts"), e->receipts, f->tree.count);
    if (!hash_eq(root, e->receipts_root))
        return differs_hash(err, DIFFERS_RECEIPTS_ROOT, place(f, "over all receipts"), root, e->receipts_root);
    return !f->g->judged || bundles_check(&f->g->checked, &f->r->domain, e->sequence, err);
}

bool receipts_fill(struct filling *f, struct err *err)
{
    struct address protocol_account = f->g->head.protocol_account;
    struct hash digest;

    f->judge = (struct recompute){ .sequence = f->s->event.sequence, .domain = &f->r->domain, .catalog = f->catalog,
                                   .protocol_account = protocol_account, .bundles = &f->g->checked, .credits = &f->credits,
                                   .quotes = &f->g->quotes };
    tree_stream_init(&f->tree);
    if (f->g->judged ? !quotes_seal(&f->g->quotes, &f->r->domain, f->catalog, f->s->event.sequence, err) : false)
        return false;
    return rebuild_bundles(f->r, f->g, f->db, err)
        && clear_sums(f, f->batch, err) && pool_announce(f, err)
        && source_archive(f->r->own, f->s->event.sequence, keep_line, f, &digest, err)
        && check(f, digest, err) && pool_fill(f, err)
        && store_batch_restate(f->db, f->batch, protocol_account, f->tree.count, f->amount, err);
}

/* -- batches that others were taken out of -- */

void receipts_moved(struct filling *f, uint64_t batch)
{
    for (size_t i = 0; i < f->rebook_count; i++)
        if (f->rebook[i] == batch)
            return;
    f->rebook = mem_grow(f->rebook, f->rebook_count + 1, sizeof *f->rebook);
    f->rebook[f->rebook_count++] = batch;
}

struct rebooking { struct filling *f; struct batch_row batch; struct tree_stream tree; };

static bool book_again(void *self, const struct receipt_row *row, struct err *err)
{
    struct rebooking *b = self;

    b->batch.receipts++;
    return book(b->f, b->batch.number, b->batch.protocol_account, row, err)
        && (amount_add(b->batch.amount, row->amount, &b->batch.amount) || err_set(err, ERR_OVERFLOW, "a batch over 256 bits"));
}

static bool rebook(struct filling *f, uint64_t number, struct err *err)
{
    struct rebooking b = { .f = f };
    bool found;

    if (!store_batch_find(f->db, number, &b.batch, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_BUG, "there is no batch %" PRIu64, number);
    b.batch.receipts = 0;
    b.batch.amount = AMOUNT_ZERO;
    return clear_sums(f, number, err)
        && store_receipts_of_batch(f->db, number, book_again, &b, err) && corrections_rebook(f, number, err)
        && pool_rebook(f, number, &b.batch.amount, err)
        && store_batch_restate(f->db, number, b.batch.protocol_account, b.batch.receipts, b.batch.amount, err);
}

bool receipts_rebook(struct filling *f, struct err *err)
{
    for (size_t i = 0; i < f->rebook_count; i++)
        if (!rebook(f, f->rebook[i], err))
            return false;
    return true;
}

static bool add_leaf(void *self, const struct receipt_row *row, struct err *err)
{
    struct rebooking *b = self;
    const struct receipt *r = &row->signed_.receipt;
    struct hash salt = receipt_salt(b->f->r->config->secret, r->job_id, r->provider);

    (void)err;
    tree_stream_add(&b->tree, tree_receipts_leaf(b->tree.count, r->job_id, r->provider, salt, row->hash));
    return true;
}

bool receipts_root(struct filling *f, uint64_t batch, struct hash *root, struct err *err)
{
    struct rebooking b = { .f = f };

    tree_stream_init(&b.tree);
    if (!store_receipts_of_batch(f->db, batch, add_leaf, &b, err))
        return false;
    *root = tree_stream_root(&b.tree);
    return true;
}

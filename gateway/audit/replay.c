#include "gateway/audit/replay.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/audit/recompute.h"
#include "gateway/audit/rewards.h"
#include "gateway/audit/sealed.h"
#include "gateway/base/mem.h"
#include "gateway/core/tree.h"
#include "gateway/lib/address_text.h"

#define TELL_EVERY 256u            /* receipts */

void replay_init(struct replay *r, const struct chain_view *view)
{
    *r = (struct replay){ .view = view, .has_active = hash_is_zero(view->active_root) };
    domain_init(&r->domain, view->chain_id, view->contract);
    r->rows = rows_new(&r->domain);
    r->market = market_audit_new(&r->domain);
    seen_init(&r->seen);
    r->signatures = signatures_new();
}

void replay_clear(struct replay *r)
{
    rows_free(r->rows);
    market_audit_free(r->market);
    free(r->cancelled);
    seen_clear(&r->seen);
    pool_audit_clear(&r->pool);
    signatures_free(r->signatures);
    corrections_clear(&r->corrections);
    totals_clear(&r->charges);
    totals_clear(&r->leaves);
    totals_clear(&r->active);
    *r = (struct replay){ 0 };
}

void replay_note(struct replay *r, const struct chain_settlement *s)
{
    if (s->cancelled) {
        r->cancelled = mem_grow(r->cancelled, r->cancelled_count + 1, sizeof *r->cancelled);
        r->cancelled[r->cancelled_count++] = s->event.receipts_root;
        return;
    }
    for (size_t i = 0; i < r->cancelled_count; i++)
        if (hash_eq(r->cancelled[i], s->event.receipts_root)) {
            r->cancelled[i] = r->cancelled[--r->cancelled_count];
            return;
        }
}

/* ---- one archive; its parts come in this order ---- */

enum part { PART_NOTHING, PART_BATCH, PART_ROWS, PART_RECEIPTS, PART_ADJUSTMENTS, PART_POPULARITY, PART_REWARDS, PART_DEBTS };

struct reading {
    struct replay *replay;
    const struct chain_settlement *settlement;
    struct progress *progress;
    enum part part;
    struct recompute recompute;
    struct bundles bundles;
    struct quotes quotes;
    struct totals credits;
    struct tree_stream receipts;
    struct job_id last_job;
    struct address last_provider;
    struct corrected corrected;
    struct debts owed;             /* as recomputed; of no use where lines stay sealed */
    struct reward_walk walk;
    struct sealed sealed;
    struct err fault;              /* the first; the rest of the file is only hashed then */
};

static struct place place(const struct reading *r, const char *where)
{
    return (struct place){ r->settlement->event.sequence, where };
}

static bool check_batch(struct reading *r, const struct archive_batch *b, struct err *err)
{
    const struct committed_event *e = &r->settlement->event;
    const struct chain_view *view = r->replay->view;

    if (b->chain_id != view->chain_id)
        return differs_u64(err, DIFFERS_BATCH, place(r, "chainId"), view->chain_id, b->chain_id);
    if (!address_eq(b->contract, view->contract))
        return differs_address(err, DIFFERS_BATCH, place(r, "contract"), view->contract, b->contract);
    if (!address_eq(b->token, view->token))
        return differs_address(err, DIFFERS_BATCH, place(r, "token"), view->token, b->token);
    if (b->content.sequence != e->sequence)
        return differs_u64(err, DIFFERS_BATCH, place(r, "sequence"), e->sequence, b->content.sequence);
    if (!hash_eq(b->parent, r->settlement->parent))
        return differs_hash(err, DIFFERS_BATCH, place(r, "parent"), r->settlement->parent, b->parent);
    if (!hash_eq(b->content.receipts_root, e->receipts_root))
        return differs_hash(err, DIFFERS_BATCH, place(r, "receiptsRoot"), e->receipts_root, b->content.receipts_root);
    if (!hash_eq(b->content.rewards_root, e->rewards_root))
        return differs_hash(err, DIFFERS_BATCH, place(r, "rewardsRoot"), e->rewards_root, b->content.rewards_root);
    if (amount_cmp(b->content.total, e->total) != 0)
        return differs_amount(err, DIFFERS_BATCH, place(r, "total"), e->total, b->content.total);
    if (b->content.receipts != e->receipts)
        return differs_u64(err, DIFFERS_BATCH, place(r, "receipts"), e->receipts, b->content.receipts);
    r->recompute.protocol_account = b->protocol_account;
    return true;
}

static bool check_order(struct reading *r, const struct receipt *receipt, struct err *err)
{
    int jobs = memcmp(r->last_job.b, receipt->job_id.b, sizeof receipt->job_id.b);
    bool ordered = r->receipts.count == 0 || jobs < 0 || (jobs == 0 && address_cmp(&r->last_provider, &receipt->provider) < 0);
    char name[RECEIPT_NAME];

    if (ordered && seen_add(&r->replay->seen, receipt->job_id, receipt->provider)) {
        r->last_job = receipt->job_id;
        r->last_provider = receipt->provider;
        return true;
    }
    receipt_name(receipt, name);              /* only now: it costs a hash */
    return ordered
        ? differs(err, DIFFERS_DOUBLE_BILLING, place(r, name), "a job billed once", "it was billed in an earlier settlement")
        : differs(err, DIFFERS_RECEIPT, place(r, name), "receipts in order of (jobId, provider), each once", "one before it");
}

static bool take_receipt(struct reading *r, const struct archive_receipt *line, struct err *err)
{
    const struct receipt *receipt = &line->receipt.receipt;
    struct hash hash;

    if (!check_order(r, receipt, err) || !recompute_receipt(&r->recompute, line, &hash, err)
        || !market_audit_receipt(r->replay->market, r->recompute.catalog, line, err))
        return false;
    tree_stream_add(&r->receipts, tree_receipts_leaf(r->receipts.count, receipt->job_id, receipt->provider, line->salt, hash));
    r->progress->receipts++;
    if (r->progress->tell != NULL && r->progress->receipts % TELL_EVERY == 0)
        r->progress->tell(r->progress->self, r->settlement->event.sequence, r->progress->receipts);
    return true;
}

/* A receipt that no key opened, or whose bundle none did: its leaf is all that is known of it. */
static bool take_leaf(struct reading *r, struct hash leaf)
{
    tree_stream_add(&r->receipts, leaf);
    r->sealed.receipts++;
    r->replay->pool.blind = true;
    r->progress->receipts++;
    r->progress->sealed++;
    return true;
}

static bool enter_rewards(struct reading *r, struct err *err)
{
    if (r->sealed.receipts > 0)               /* not all credits are known: the reward lines tell the growth */
        totals_clear(&r->credits);
    else if (!totals_sort(&r->credits, err)
             || !corrected_settle(&r->corrected, &r->replay->corrections, r->recompute.protocol_account, &r->credits, &r->owed, err))
        return false;
    r->walk = (struct reward_walk){ r->settlement->event.sequence, &r->replay->leaves, &r->credits, 0 };
    return true;
}

/* What must hold before the next part's first line: rows are complete before receipts, receipts before rewards. */
static bool enter(struct reading *r, enum part part, struct err *err)
{
    const struct committed_event *e = &r->settlement->event;
    struct hash root;

    if (part == PART_RECEIPTS)
        return bundles_seal(&r->bundles, e->sequence, err)
            && rows_catalog(r->replay->rows, e->sequence, &r->recompute.catalog, err)
            && quotes_seal(&r->quotes, &r->replay->domain, r->recompute.catalog, e->sequence, err);
    if (part == PART_REWARDS)
        return enter_rewards(r, err);
    if (part == PART_DEBTS)
        return r->sealed.receipts > 0 || reward_walk_end(&r->walk, err);
    if (part != PART_ADJUSTMENTS)
        return true;
    if (!signatures_settle(r->replay->signatures, e->sequence, err)
        || !market_audit_settle(r->replay->market, r->recompute.catalog, r->replay->cancelled_count == 0 && r->progress->sealed == 0
                                ? MARKET_EXACT : MARKET_PARTLY, e->sequence, err))
        return false;
    if (r->receipts.count != e->receipts)
        return differs_u64(err, DIFFERS_RECEIPT, place(r, "number of receipts"), e->receipts, r->receipts.count);
    root = tree_stream_root(&r->receipts);
    if (!hash_eq(root, e->receipts_root))
        return differs_hash(err, DIFFERS_RECEIPTS_ROOT, place(r, "over all receipts"), root, e->receipts_root);
    return r->sealed.receipts > 0 || bundles_check(&r->bundles, &r->replay->domain, e->sequence, err);
}

static bool advance(struct reading *r, enum part part, struct err *err)
{
    if (part < r->part || (part == PART_BATCH) != (r->part == PART_NOTHING))
        return differs(err, DIFFERS_ARCHIVE, place(r, "order of lines"),
                       "one batch; prices, providers, models, consumers, delegations, revocations, capacities, epochs, quotes, bundles;"
                       " receipts; adjustments; popularity; rewards; debts", "another order");
    while (r->part < part)
        if (!enter(r, ++r->part, err))
            return false;
    return true;
}

static enum part part_of(enum archive_type type)
{
    switch (type) {
    case ARCHIVE_BATCH:    return PART_BATCH;
    case ARCHIVE_PRICE:
    case ARCHIVE_PROVIDER:
    case ARCHIVE_MODEL:
    case ARCHIVE_DELEGATION:
    case ARCHIVE_REVOCATION:
    case ARCHIVE_CONSUMER:
    case ARCHIVE_CAPACITY:
    case ARCHIVE_EPOCH:
    case ARCHIVE_QUOTE:
    case ARCHIVE_BUNDLE:
    case ARCHIVE_SEALED_CONSUMER:
    case ARCHIVE_SEALED_QUOTE:
    case ARCHIVE_SEALED_BUNDLE: return PART_ROWS;
    case ARCHIVE_RECEIPT:
    case ARCHIVE_SEALED:   return PART_RECEIPTS;
    case ARCHIVE_POPULARITY: return PART_POPULARITY;
    case ARCHIVE_ADJUSTMENT: return PART_ADJUSTMENTS;
    case ARCHIVE_REWARD:   return PART_REWARDS;
    case ARCHIVE_DEBT:     return PART_DEBTS;
    }
    bug("archive line type %d", (int)type);
}

static bool take(struct reading *r, const struct archive_line *line, struct err *err)
{
    if (!advance(r, part_of(line->type), err))
        return false;
    switch (line->type) {
    case ARCHIVE_BATCH:    return check_batch(r, &line->of.batch, err);
    case ARCHIVE_PRICE:
        market_audit_price(r->replay->market, &line->of.price);
        return rows_take(r->replay->rows, line, false, r->settlement->event.sequence, err);
    case ARCHIVE_PROVIDER:
    case ARCHIVE_MODEL:
    case ARCHIVE_DELEGATION:
    case ARCHIVE_REVOCATION:
    case ARCHIVE_CONSUMER: return rows_take(r->replay->rows, line, false, r->settlement->event.sequence, err);
    case ARCHIVE_EPOCH:    return pool_audit_announce(&r->replay->pool, &line->of.epoch, r->settlement->event.sequence, err);
    case ARCHIVE_CAPACITY: return market_audit_capacity(r->replay->market, &line->of.capacity, r->settlement->event.sequence, err);
    case ARCHIVE_QUOTE:    quotes_add(&r->quotes, &line->of.quote); return true;
    case ARCHIVE_BUNDLE:   return bundles_take(&r->bundles, &line->of.bundle, r->settlement->event.sequence, err);
    case ARCHIVE_RECEIPT:
        return sealed_leaf_fits(&r->sealed, r->receipts.count, &line->of.receipt, err)
            && (sealed_hides(&r->sealed, &line->of.receipt) ? take_leaf(r, r->sealed.leaf) : take_receipt(r, &line->of.receipt, err));
    case ARCHIVE_POPULARITY:
        return pool_audit_book(&r->replay->pool, r->recompute.catalog, &line->of.popularity, r->settlement->event.sequence,
                               &r->credits, err);
    case ARCHIVE_ADJUSTMENT: return corrected_take(&r->corrected, &r->replay->corrections, &line->of.adjustment, err);
    case ARCHIVE_DEBT:     return corrected_take_debt(&r->corrected, &r->replay->corrections, &line->of.debt, err);
    case ARCHIVE_REWARD:
        return r->sealed.receipts > 0 ? sealed_reward(&r->sealed, &r->replay->leaves, &line->of.reward, &r->credits, err)
                                      : reward_walk_next(&r->walk, &line->of.reward, err);
    case ARCHIVE_SEALED_CONSUMER: return true;
    case ARCHIVE_SEALED_QUOTE:  r->quotes.hidden = true; return true;
    case ARCHIVE_SEALED_BUNDLE: r->sealed.bundles++; return true;
    case ARCHIVE_SEALED:   return take_leaf(r, line->of.sealed.leaf);
    }
    bug("archive line type %d", (int)line->type);
}

/* Never stops the reading: whether the bytes are those of the chain is worth more than where they went wrong first. */
static bool take_text(void *self, const char *text, size_t len, struct err *err)
{
    struct reading *r = self;
    struct archive_line line = { 0 };

    (void)err;
    if (r->fault.code != ERR_NONE)
        return true;
    if (!archive_read_line(text, len, &line, &r->fault)) {
        differs(&r->fault, DIFFERS_ARCHIVE, place(r, "line"), "a line of the published form", r->fault.text);
        return true;
    }
    if ((!sealed_open(&r->sealed, r->replay->keys, &line, &r->fault) || !take(r, &line, &r->fault)) && r->fault.code == ERR_NONE)
        bug("a fault without a text");
    archive_line_clear(&line);
    return true;
}

static bool read_archive(struct reading *r, struct source *source, struct err *err)
{
    const struct committed_event *e = &r->settlement->event;
    struct err earlier = { 0 };
    struct hash digest;

    if (!source_archive(source, e->sequence, take_text, r, &digest, err))
        return false;
    /* A signature asked about before the fault is the first thing that is false. */
    if (r->fault.code != ERR_NONE && !signatures_settle(r->replay->signatures, e->sequence, &earlier))
        r->fault = earlier;
    if (!hash_eq(digest, e->archive))
        return differs_hash(err, DIFFERS_ARCHIVE, place(r, "SHA-256 of the file"), e->archive, digest);
    if (r->fault.code != ERR_NONE) {
        *err = r->fault;
        return false;
    }
    if (r->part == PART_NOTHING)
        return differs(err, DIFFERS_ARCHIVE, place(r, "file"), "a batch line", "none");
    return advance(r, PART_DEBTS, err)
        && corrected_keep(&r->corrected, &r->replay->corrections, r->recompute.protocol_account,
                          r->sealed.receipts > 0 ? NULL : &r->owed, err);
}

/* The leaves after this settlement, against roots, totals and rewards.json. */
static bool check_leaves(struct reading *r, struct source *source, const struct totals *leaves, struct err *err)
{
    const struct committed_event *e = &r->settlement->event;
    struct hash root = rewards_root(leaves, r->replay->view->token);
    struct amount total;
    json *rewards;
    bool ok;

    if (!hash_eq(root, e->rewards_root))
        return differs_hash(err, DIFFERS_REWARDS_ROOT, place(r, "over all leaves"), root, e->rewards_root);
    if (!totals_sum(leaves, &total, err))
        return false;
    if (amount_cmp(total, e->total) != 0)
        return differs_amount(err, DIFFERS_TOTAL, place(r, "sum of all leaves"), total, e->total);
    if (!source_rewards(source, e->sequence, &rewards, err))
        return false;
    ok = rewards_check_json(rewards, r->replay->view, e, &r->replay->leaves, leaves, err);
    json_free(rewards);
    return ok;
}

static bool sum_up(const struct reading *r, struct totals *leaves, struct err *err)
{
    totals_copy(&r->replay->leaves, leaves);
    for (size_t i = 0; i < r->credits.count; i++)
        if (!totals_add(leaves, r->credits.list[i].account, r->credits.list[i].amount, err))
            return false;
    return totals_sort(leaves, err);
}

bool replay_settlement(struct replay *r, const struct chain_settlement *s, struct source *source, struct progress *progress,
                       struct err *err)
{
    struct totals leaves = { 0 };
    struct reading reading = { .replay = r, .settlement = s, .progress = progress, .sealed = { .sequence = s->event.sequence },
                               .corrected = { .sequence = s->event.sequence } };
    bool ok;

    reading.recompute = (struct recompute){ .sequence = s->event.sequence, .domain = &r->domain, .signatures = r->signatures,
                                            .bundles = &reading.bundles, .credits = &reading.credits, .charges = &r->charges,
                                            .pool = &r->pool, .quotes = &reading.quotes };
    replay_note(r, s);
    tree_stream_init(&reading.receipts);
    ok = read_archive(&reading, source, err) && sum_up(&reading, &leaves, err) && check_leaves(&reading, source, &leaves, err);
    bundles_clear(&reading.bundles);
    quotes_clear(&reading.quotes);
    totals_clear(&reading.credits);
    corrected_clear(&reading.corrected);
    debts_clear(&reading.owed);
    if (!ok) {
        totals_clear(&leaves);
        return false;
    }
    replay_keep_leaves(r, s, &leaves);
    return true;
}

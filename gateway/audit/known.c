/* A settlement that an earlier audit found true (audit.h, known_sequence): only what later ones build on is taken from it.
 *
 * Its archive is still the one of the chain, byte for byte, and its leaves still lead to the rewards root. */
#include "gateway/audit/replay.h"

#include "gateway/audit/differs.h"
#include "gateway/audit/recompute.h"
#include "gateway/audit/rewards.h"

struct known {
    struct replay *replay;
    const struct chain_settlement *settlement;
    struct progress *progress;
    const struct catalog *catalog;            /* with the rows of this settlement; NULL until its first receipt */
    struct totals leaves;
    struct corrected corrected;
    struct address protocol_account;
    struct err fault;
};

/* What it paid to the protocol counts for an epoch that may be booked later. */
static bool count_job(struct known *k, const struct archive_receipt *line, struct err *err)
{
    uint64_t sequence = k->settlement->event.sequence;
    const struct price_version *price;
    char name[RECEIPT_NAME];

    if (k->catalog == NULL && !rows_catalog(k->replay->rows, sequence, &k->catalog, err))
        return false;
    price = catalog_price_version(k->catalog, line->price_version);
    if (price != NULL)
        return pool_audit_job(&k->replay->pool, k->catalog, line, price, sequence, err);
    receipt_name(&line->receipt.receipt, name);
    return differs(err, DIFFERS_PRICE, (struct place){ sequence, name }, "a price version that is published", "another");
}

static bool take_receipt(struct known *k, const struct archive_receipt *line, struct err *err)
{
    const struct receipt *r = &line->receipt.receipt;
    char name[RECEIPT_NAME];

    k->progress->receipts++;
    if ((k->catalog == NULL && !rows_catalog(k->replay->rows, k->settlement->event.sequence, &k->catalog, err))
        || !market_audit_receipt(k->replay->market, k->catalog, line, err))
        return false;
    if (seen_add(&k->replay->seen, r->job_id, r->provider))
        return count_job(k, line, err);
    receipt_name(r, name);
    return differs(err, DIFFERS_DOUBLE_BILLING, (struct place){ k->settlement->event.sequence, name }, "a job billed once",
                   "it was billed in an earlier settlement");
}

static void count_sealed(struct known *k)
{
    k->progress->receipts++;
    k->progress->sealed++;
    k->replay->pool.blind = true;
}

static bool take_reward(struct known *k, const struct archive_reward *reward, struct err *err)
{
    struct place at = { k->settlement->event.sequence, "a reward line" };
    struct amount grown, before = totals_of(&k->replay->leaves, reward->account);

    if (amount_cmp(before, reward->before) != 0)
        return differs_amount(err, DIFFERS_REWARD, at, before, reward->before);
    return amount_sub(reward->after, before, &grown) ? totals_add(&k->leaves, reward->account, grown, err)
                                                     : differs_amount(err, DIFFERS_LEAF_FELL, at, before, reward->after);
}

static bool take_text(void *self, const char *text, size_t len, struct err *err)
{
    struct known *k = self;
    struct archive_line line = { 0 };

    (void)err;                                /* the digest is told first, as in replay.c */
    if (k->fault.code != ERR_NONE || !archive_read_line(text, len, &line, &k->fault))
        return true;
    if (line.type == ARCHIVE_PRICE)
        market_audit_price(k->replay->market, &line.of.price);
    if (archive_is_row(line.type))
        (void)!rows_take(k->replay->rows, &line, false, k->settlement->event.sequence, &k->fault);
    else if (line.type == ARCHIVE_CAPACITY)
        (void)!market_audit_capacity(k->replay->market, &line.of.capacity, k->settlement->event.sequence, &k->fault);
    else if (line.type == ARCHIVE_BATCH)
        k->protocol_account = line.of.batch.protocol_account;
    else if (line.type == ARCHIVE_ADJUSTMENT)
        (void)!corrected_take(&k->corrected, &k->replay->corrections, &line.of.adjustment, &k->fault);
    else if (line.type == ARCHIVE_DEBT)
        (void)!corrected_take_debt(&k->corrected, &k->replay->corrections, &line.of.debt, &k->fault);
    else if (line.type == ARCHIVE_RECEIPT)
        (void)!take_receipt(k, &line.of.receipt, &k->fault);
    else if (line.type == ARCHIVE_EPOCH)
        (void)!pool_audit_announce(&k->replay->pool, &line.of.epoch, k->settlement->event.sequence, &k->fault);
    else if (line.type == ARCHIVE_POPULARITY)
        (void)!pool_audit_book(&k->replay->pool, k->catalog, &line.of.popularity, k->settlement->event.sequence, NULL, &k->fault);
    else if (line.type == ARCHIVE_SEALED)
        count_sealed(k);
    else if (line.type == ARCHIVE_REWARD)
        (void)!take_reward(k, &line.of.reward, &k->fault);
    archive_line_clear(&line);
    return true;
}

static bool check(struct known *k, struct hash digest, struct err *err)
{
    const struct committed_event *e = &k->settlement->event;
    struct place file = { e->sequence, "SHA-256 of the file" }, all = { e->sequence, "over all leaves" };
    struct hash root;

    if (!hash_eq(digest, e->archive))
        return differs_hash(err, DIFFERS_ARCHIVE, file, e->archive, digest);
    if (k->fault.code != ERR_NONE) {
        *err = k->fault;
        return false;
    }
    if (!totals_sort(&k->leaves, err) || !rows_catalog(k->replay->rows, e->sequence, &k->catalog, err)
        || !market_audit_settle(k->replay->market, k->catalog, MARKET_KNOWN, e->sequence, err))
        return false;
    root = rewards_root(&k->leaves, k->replay->view->token);
    return hash_eq(root, e->rewards_root) || differs_hash(err, DIFFERS_REWARDS_ROOT, all, root, e->rewards_root);
}

void replay_keep_leaves(struct replay *r, const struct chain_settlement *s, const struct totals *owned)
{
    totals_clear(&r->leaves);
    r->leaves = *owned;
    r->root = s->event.rewards_root;
    if (hash_eq(r->root, r->view->active_root)) {
        totals_copy(&r->leaves, &r->active);
        r->has_active = true;
    }
}

bool replay_known(struct replay *r, const struct chain_settlement *s, struct source *source, struct progress *progress, struct err *err)
{
    struct known k = { .replay = r, .settlement = s, .progress = progress, .corrected = { .sequence = s->event.sequence } };
    struct hash digest;
    bool ok;

    replay_note(r, s);
    totals_copy(&r->leaves, &k.leaves);
    ok = source_archive(source, s->event.sequence, take_text, &k, &digest, err) && check(&k, digest, err)
      && corrected_keep(&k.corrected, &r->corrections, k.protocol_account, NULL, err);
    corrected_clear(&k.corrected);
    if (ok)
        replay_keep_leaves(r, s, &k.leaves);
    else
        totals_clear(&k.leaves);
    return ok;
}

/* The writer's task of a submission: each item against what is kept, in the order of the rules (design 3). */
#include "gateway/intake/inside.h"

#include <stddef.h>
#include <stdlib.h>

#include "gateway/base/hex.h"
#include "gateway/base/mem.h"

static bool reject(struct intake_item *item, enum receipt_code code)
{
    item->status = ITEM_REJECTED;
    item->code = code;
    return true;
}

/* What is known already is answered without a token, and what is refused for its content takes none. */
static bool over_rate(struct run *run, struct intake_item *item)
{
    const struct intake *intake = run->intake;

    item->has_token = item->has_token
        || buckets_take(intake->buckets, item->signed_.receipt.provider, run->group->clock_ms, &item->retry_ms);
    if (item->has_token) {
        item->retry_ms = 0;
        return false;
    }
    faults_add(&item->faults, CODE_TOO_MANY, "", "over %llu receipts a second of one provider: post it again later",
               (unsigned long long)intake->config.rate_limit);
    return true;
}

static bool has_fault(const struct faults *faults, enum receipt_code code)
{
    for (size_t i = 0; i < faults->count; i++)
        if (faults->list[i].code == code)
            return true;
    return false;
}

/* What is known of a kept receipt: a held one may have an amount, an accepted one has a promise too. */
void accept_show(struct intake_item *item, const struct receipt_row *row)
{
    item->has_amount = row->price_version != 0;
    item->amount = row->amount;
    item->has_promise = row->state == RECEIPT_ACCEPTED && row->promise != 0;      /* a rebuilt store has none */
    item->promise = row->promise;
    item->promise_index = row->promise_index;
}

/* Once a batch is closed nothing of it changes: its sums and its archive say who was charged.  Nor once the pool's epoch is
 * booked, which waits for its batches: only a receipt that was moved, while a restored backup caught up, comes so late. */
static bool is_fixed(struct run *run, const struct receipt_row *row, bool *fixed, struct err *err)
{
    struct epoch_row epoch;
    struct batch_row open;
    bool found;

    if (!store_batch_open(run->group->db, &open, err) || !store_epoch_of_time(run->group->db, row->accepted_at_ms, &epoch, &found, err))
        return false;
    *fixed = row->batch < open.number || (found && epoch.batch != 0);
    return true;
}

/* A missing consumer signature that came later; what was held for the want of it is judged again.  One that would take its consumer
 * over the credit limit is left aside, and may be sent again. */
static bool complete(struct run *run, struct intake_item *item, struct receipt_row *row, struct err *err)
{
    struct verdict verdict = { 0 };
    bool ok, fixed = false, over = false;

    if (!in_turn(run->group, "a signature that came later", err))
        return false;
    if (row->state == RECEIPT_ACCEPTED && !is_fixed(run, row, &fixed, err))
        return false;
    if (fixed)
        return true;
    row->signed_.has_consumer_signature = true;
    row->signed_.consumer_signature = item->signed_.consumer_signature;
    if (row->state == RECEIPT_ACCEPTED && !book_recharge(run->intake, run->group, row, &item->faults, &over, err))
        return false;
    if (over)
        return true;
    if (!store_receipt_countersign(run->group->db, row, err))
        return false;
    if (row->state != RECEIPT_QUARANTINED || row->code != CODE_COUNTERSIGNATURE_MISSING)
        return true;
    ok = book_again(run->intake, run->group, false, row, &verdict, err);
    faults_clear(&verdict.faults);
    if (ok && row->state == RECEIPT_ACCEPTED)
        run->promised++;
    return ok;
}

static bool duplicate(struct run *run, struct intake_item *item, struct receipt_row *row, struct err *err)
{
    bool completes = item->signed_.has_consumer_signature && !row->signed_.has_consumer_signature
        && !has_fault(&item->faults, CODE_INVALID_CONSUMER_SIGNATURE);

    /* The content is known and was judged: what is wrong with this copy's signatures changes nothing. */
    item->faults.count = 0;
    if (completes && !complete(run, item, row, err))
        return false;
    item->status = ITEM_DUPLICATE;
    item->code = CODE_DUPLICATE;
    item->existing_state = row->state;
    accept_show(item, row);
    return true;
}

/* The other book has it: it stays the only one that does.  A consumer's signature is for one contract, so it adds nothing. */
static bool duplicate_elsewhere(const struct run *run, struct intake_item *item, const struct receipt_row *row)
{
    item->faults.count = 0;
    item->in_predecessor = !run->intake->is_predecessor;
    item->status = ITEM_DUPLICATE;
    item->code = CODE_DUPLICATE;
    item->existing_state = row->state;
    accept_show(item, row);
    return true;
}

static void row_of_item(const struct run *run, const struct intake_item *item, struct receipt_row *row)
{
    /* The texts stand last, and are most of it: an empty one needs its first byte only. */
    memset(row, 0, offsetof(struct receipt_row, reason));
    row->reason[0] = row->faults[0] = '\0';
    row->signed_ = item->signed_;
    row->hash = item->hash;
    row->received_at_ms = run->group->clock_ms;
}

static bool conflict(struct run *run, size_t index, const struct receipt_row *kept, struct err *err)
{
    struct intake_item *item = &run->s->items[index];
    struct bundle_proof proof;
    struct receipt_row other;
    char text[HASH_TEXT];

    if (!in_turn(run->group, "evidence of a conflict", err))
        return false;
    if (run->s->is_bundle)
        proof = bundle_prove(run, index);
    row_of_item(run, item, &other);
    hash_to_text(kept->hash, text);
    faults_add(&item->faults, CODE_CONFLICTING_RECEIPT, "/jobId", "the receipt of this job is %s", text);
    return store_conflict_add(run->group->db, &other, run->s->is_bundle ? &proof : NULL, CONFLICTS_KEPT, err)
        && reject(item, CODE_CONFLICTING_RECEIPT);
}

/* What is kept because of one more: all leaves of its bundle, with the first. */
static uint64_t weight_of_one(const struct run *run)
{
    return !run->s->is_bundle ? 1 : run->bundle == 0 ? run->s->count : 0;
}

static bool hold(struct run *run, size_t index, struct verdict *verdict, struct receipt_row *row, struct err *err)
{
    struct intake_item *item = &run->s->items[index];
    uint64_t weight = weight_of_one(run);

    if ((verdict->code == CODE_OVER_LIMIT || verdict->code == CODE_UNKNOWN_PROVIDER) && !in_turn(run->group, "what is over a limit", err))
        return false;
    item->has_amount = verdict->price != NULL;
    item->amount = verdict->amount;
    faults_clear(&item->faults);              /* there was none */
    item->faults = verdict->faults;
    verdict->faults = (struct faults){ 0 };
    if (gather_is_full(run->intake, verdict->code, weight)) {
        faults_add(&item->faults, CODE_TOO_MANY, "", "%llu receipts of strangers are held already: post it again later",
                   (unsigned long long)run->intake->held);
        return reject(item, CODE_TOO_MANY);
    }
    row->state = RECEIPT_QUARANTINED;
    row->code = verdict->code;
    if (verdict->price != NULL) {             /* what its release would add, as of now */
        row->price_version = verdict->price->version;
        row->amount = verdict->amount;
    }
    book_faults_text(&item->faults, row->faults, sizeof row->faults);
    if (!bundle_refer(run, index, row, err) || !store_receipt_insert(run->group->db, row, err))
        return false;
    gather_held(run->intake, row->code, weight);
    item->status = ITEM_QUARANTINED;
    item->code = row->code;
    return true;
}

static bool keep(struct run *run, size_t index, const struct verdict *verdict, struct receipt_row *row, struct err *err)
{
    struct intake_item *item = &run->s->items[index];
    const struct work *work = run->s->work;

    if (!bundle_refer(run, index, row, err) || !book_accept(run->intake, run->group, verdict, row, err))
        return false;
    run->promised++;
    item->status = ITEM_ACCEPTED;
    item->code = CODE_ACCEPTED;
    if (run->paging != NULL && !row->signed_.has_consumer_signature)
        return paging_add(run, index, row, err);
    book_promise(run->intake, row, work->leaves[index]);
    accept_show(item, row);
    return store_receipt_insert(run->group->db, row, err);
}

static bool judge(struct run *run, size_t index, bool job_is_new, struct err *err)
{
    const struct intake_item *item = &run->s->items[index];
    struct verdict verdict = { 0 };
    struct receipt_row row;
    bool ok;

    row_of_item(run, item, &row);
    if (!book_judge(run->intake, run->group, &item->signed_, row.received_at_ms,
                    job_is_new ? JUDGE_NEW_JOB : JUDGE_NORMAL, &verdict, err))
        return false;
    ok = verdict.code == CODE_ACCEPTED ? keep(run, index, &verdict, &row, err) : hold(run, index, &verdict, &row, err);
    faults_clear(&verdict.faults);
    return ok;
}

/* Asked here, in the order of the books, so that an audit finds the same keys in force at acceptedAt. */
static enum key_standing standing_of(const struct run *run, const struct intake_item *item, struct address key)
{
    const struct receipt *r = &item->signed_.receipt;
    const struct delegation *by;

    return keyring_standing(catalog_keys(run->intake->gathered.snapshot->catalog), r->provider, key, r->finished_at_ms,
                            run->group->now_ms, &by);
}

static void judge_key(const struct run *run, struct intake_item *item)
{
    const char *pointer = run->s->is_bundle ? "" : "/signature", *whose = run->s->is_bundle ? "the bundle's signature " : "";
    struct address key = run->s->is_bundle ? run->s->bundle_key : item->key;
    enum key_standing standing = address_is_zero(key) ? KEY_VALID : standing_of(run, item, key);

    if (standing != KEY_VALID)
        faults_add(&item->faults, CODE_INVALID_SIGNATURE, pointer, "%s%s", whose, key_standing_text(standing));
}

/* What a stranger's key signed is no bundle of this provider. */
static void judge_bundle_key(struct run *run)
{
    const struct submission *s = run->s;

    run->bundle_good = s->bundle_good;
    if (s->bundle_good && !address_is_zero(s->bundle_key) && s->count > 0)
        run->bundle_good = standing_of(run, &s->items[0], s->bundle_key) != KEY_UNKNOWN;
}

/* What was said of the items in a group that was taken back is forgotten: this is how they came.  Only the tokens stay taken, one each.  Nor is a
 * promise left whose number another group may get. */
static void begin_anew(struct submission *s, struct work *work, bool is_predecessor)
{
    group_promise_release(s->promises[is_predecessor]);
    s->promises[is_predecessor] = NULL;
    for (size_t i = 0; i < s->count; i++) {
        struct intake_item *item = &s->items[i];

        if (!work->asked)
            item->first_faults = item->faults.count;
        item->faults.count = item->first_faults;
        item->has_amount = item->has_promise = false;
    }
    work->asked = true;
    work->kept = false;
}

/* Nobody has a receipt for this job. */
static bool job_is_new(const struct run *run, size_t index, bool *is_new, struct err *err)
{
    struct job_id job = run->s->items[index].signed_.receipt.job_id;
    const struct work *work = run->s->work;
    bool known;

    if (paging_holds(run->intake, &job, 1) && !paging_write(run->intake, run->group, err))
        return false;
    if (foresee_is_done(run->intake, run->group))
        known = !foresee_is_new(run->intake, job);
    else if (work->jobs != NULL)
        known = work->known[index];
    else if (!store_receipt_job_known(run->group->db, job, &known, err))
        return false;
    *is_new = !known;
    return true;
}

bool accept_may_ask(const struct intake_item *item)
{
    enum receipt_code first = faults_first(&item->faults);

    return first == CODE_ACCEPTED || first >= CODE_DUPLICATE;
}

static bool accept_item(struct run *run, size_t index, struct err *err)
{
    struct intake_item *item = &run->s->items[index];
    enum receipt_code first;
    struct receipt_row kept;
    bool is_new, found = false, elsewhere = false;

    if (item->goes_on)
        return true;
    item->in_predecessor = run->intake->is_predecessor;
    judge_key(run, item);
    first = faults_first(&item->faults);
    if (run->s->is_bundle && !run->bundle_good)
        return reject(item, CODE_INVALID_SIGNATURE);
    if (!accept_may_ask(item))
        return reject(item, first);
    /* Rows of this group are found too, so a receipt twice in one array is seen like any other. */
    if (!job_is_new(run, index, &is_new, err))
        return false;
    if (!is_new && !store_receipt_find(run->group->db, item->signed_.receipt.job_id, item->signed_.receipt.provider, &kept, &found, err))
        return false;
    if (found && hash_eq(kept.hash, item->hash))
        return duplicate(run, item, &kept, err);
    if (!found && !pair_find(run->intake, &item->signed_.receipt, &kept, &elsewhere, err))
        return false;
    if (elsewhere && hash_eq(kept.hash, item->hash))
        return duplicate_elsewhere(run, item, &kept);
    if (first != CODE_ACCEPTED)
        return reject(item, first);
    found = found || elsewhere;
    if (!found && !pair_takes(run->intake, item))
        return reject(item, CODE_INVALID_SIGNATURE);
    if (over_rate(run, item))
        return reject(item, CODE_TOO_MANY);
    return found ? conflict(run, index, &kept, err) : judge(run, index, is_new, err);
}

/* Of an array's or a bundle's jobs, all at once. */
static bool ask_jobs(struct run *run, struct err *err)
{
    struct work *work = run->s->work;
    size_t count = run->s->count;

    if (work->jobs == NULL || foresee_is_done(run->intake, run->group))
        return true;
    return (!paging_holds(run->intake, work->jobs, count) || paging_write(run->intake, run->group, err))
        && store_receipt_jobs_known(run->group->db, work->jobs, count, work->first_job, work->last_job, work->known, err);
}

struct submission *submission_of(const struct task *task)
{
    return (struct submission *)((uintptr_t)task - offsetof(struct submission, task));
}

bool accept_run(struct task *task, struct group *group, struct err *err)
{
    struct submission *s = submission_of(task);
    struct run run = { .intake = s->intake, .group = group, .s = s };
    struct work *work = s->work;
    bool ok = gather_enter(s->intake, group, err);

    begin_anew(s, work, s->intake->is_predecessor);
    if (ok) {
        judge_bundle_key(&run);
        paging_begin(&run);
        ok = ask_jobs(&run, err);
    }
    for (size_t i = 0; ok && i < s->count; i++)
        ok = accept_item(&run, i, err);
    ok = ok && paging_end(&run, err) && db_flush(group->db, err);
    paging_free(&run);
    if (!ok) {
        gather_undo(s->intake);
        return false;
    }
    if (run.promised > 0)
        gather_submission(s->intake, s);
    work->kept = true;
    return true;
}

void accept_count(struct intake *intake, const struct submission *s)
{
    struct intake_counters *c = &intake->counters;

    for (size_t i = 0; i < s->count; i++) {
        if (s->items[i].goes_on)
            continue;
        switch (s->items[i].status) {
        case ITEM_ACCEPTED:    c->accepted++; break;
        case ITEM_DUPLICATE:   c->duplicate++; break;
        case ITEM_QUARANTINED: c->quarantined++; break;
        case ITEM_REJECTED:    c->rejected++; break;
        }
        c->by_code[s->items[i].code]++;
    }
}

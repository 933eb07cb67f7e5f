/* Two books while a contract is replaced: what goes to the predecessor's, and that no job is in both. */
#include "gateway/intake/inside.h"

#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/secp.h"

void intake_pair(const struct intake_pair *pair)
{
    pair->successor->other = pair->predecessor;
    pair->successor->other_store = pair->predecessor_store;
    pair->predecessor->other = pair->successor;
    pair->predecessor->other_store = pair->successor_store;
    pair->predecessor->is_predecessor = true;
    pair->predecessor->last_finish_ms = pair->last_finish_ms;
}

/* As it is now: what the predecessor's book accepts, its own writer says. */
static bool knows_key(const struct intake *intake, struct address provider, struct address key)
{
    const struct snapshot *snapshot = snapshot_take(intake->snapshots);
    const struct delegation *by;
    bool knows = keyring_standing(catalog_keys(snapshot->catalog), provider, key, 0, UINT64_MAX, &by) != KEY_UNKNOWN;

    snapshot_release(snapshot);
    return knows;
}

bool pair_fits_predecessor(const struct intake *intake, struct hash struct_hash, const struct signature *signature,
                           struct address signer)
{
    struct address found;
    struct err ignored = { 0 };            /* it fits nobody */

    return intake->other != NULL && !intake->is_predecessor
        && secp_recover(signature, typed_digest(&intake->other->config.domain, struct_hash), &found, &ignored)
        && (address_eq(found, signer) || knows_key(intake->other, signer, found));
}

/* No other group is under way in either store while ours is: what is read here stays true until our commit. */
bool pair_find(const struct intake *intake, const struct receipt *r, struct receipt_row *row, bool *found, struct err *err)
{
    *found = false;
    return intake->other == NULL || store_receipt_find(intake->other_store, r->job_id, r->provider, row, found, err);
}

bool pair_job_billed(const struct intake *intake, const struct receipt *r, bool *billed, struct err *err)
{
    *billed = false;
    return intake->other == NULL || store_receipt_job_billed(intake->other_store, r->job_id, r->provider, billed, err);
}

bool pair_takes(const struct intake *intake, struct intake_item *item)
{
    bool in_time = !intake->is_predecessor || item->signed_.receipt.finished_at_ms <= intake->last_finish_ms;
    char successor[ADDRESS_TEXT];

    if (in_time && !atomic_load(&intake->closed))
        return true;
    if (intake->other == NULL) {
        faults_add(&item->faults, CODE_INVALID_SIGNATURE, "/signature", "this contract takes no more batches");
        return false;
    }
    address_to_text(intake->other->config.domain.contract, successor);
    faults_add(&item->faults, CODE_INVALID_SIGNATURE, "/signature", "this contract takes no more such receipts: sign it for %s", successor);
    return false;
}

/* The part of a submission that went on. */
struct part {
    struct submission submission;             /* first: a part is found by it */
    struct submission *whole;
    size_t *places;                           /* owned; where its items are in the whole */
};

/* On the predecessor's writing thread. */
static void part_done(struct submission *submission, bool ok, const struct err *err)
{
    struct part *part = (struct part *)submission;
    struct submission *whole = part->whole;

    for (size_t i = 0; i < submission->count; i++)
        whole->items[part->places[i]] = submission->items[i];
    whole->promises[1] = submission->promises[1];
    free(submission->items);
    free(part->places);
    free(part);
    whole->done(whole, ok, err);
}

static struct part *part_of(struct submission *s, size_t count)
{
    struct part *part = mem_new(sizeof *part);

    part->whole = s;
    part->places = mem_array(count, sizeof *part->places);
    part->submission = (struct submission){
        .is_bundle = s->is_bundle, .bundle = s->bundle, .bundle_signature = s->bundle_signature,
        .bundle_root_given = s->bundle_root_given, .items = mem_array(count, sizeof *s->items), .done = part_done,
    };
    for (size_t i = 0; i < s->count; i++) {
        struct submission *p = &part->submission;

        if (!s->items[i].goes_on)
            continue;
        s->items[i].goes_on = false;
        part->places[p->count] = i;
        p->items[p->count++] = s->items[i];
    }
    return part;
}

bool pair_go_on(struct intake *intake, struct submission *s)
{
    struct err err = { 0 };
    struct part *part;
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++)
        count += s->items[i].goes_on;
    if (count == 0)
        return false;
    part = part_of(s, count);
    /* Refused: the whole fails.  What the successor's book took stays; posted again it is a duplicate there. */
    if (!intake_submit(intake->other, &part->submission, &err))
        part_done(&part->submission, false, &err);
    return true;
}

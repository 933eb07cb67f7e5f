/* What can be said of a receipt by itself: its hash, its content, its signatures (pool threads). */
#include "gateway/intake/inside.h"

#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/lib/secp.h"

/* Items of one submission or of several, none of them in a bundle or all; so many receipts are hashed side by side. */
struct side {
    struct intake_item *items[SIDE_BY_SIDE];
    size_t count;
    struct hash hashes[SIDE_BY_SIDE], leaves[SIDE_BY_SIDE];
    struct hash digests[SIDE_BY_SIDE];        /* not in a bundle, where hardly any is asked for */
    bool recovered[SIDE_BY_SIDE];             /* a key, and so */
    struct address signers[SIDE_BY_SIDE];
};

static bool recover_key(struct intake_item *item, struct hash digest, struct public_key *key)
{
    struct err err = { 0 };

    if (!item->signed_.has_signature)
        faults_add(&item->faults, CODE_MALFORMED, "/signature", "required");
    else if (!secp_recover_key(&item->signed_.signature, digest, key, &err))
        faults_add(&item->faults, CODE_INVALID_SIGNATURE, "/signature", "%s", err.text);
    else
        return true;
    return false;
}

static void recover_signers(struct side *side)
{
    struct public_key keys[SIDE_BY_SIDE];
    struct address addresses[SIDE_BY_SIDE];
    size_t count = 0;

    for (size_t i = 0; i < side->count; i++) {
        side->recovered[i] = side->items[i]->decoded_faults == 0 && recover_key(side->items[i], side->digests[i], &keys[count]);
        count += side->recovered[i];
    }
    secp_addresses(keys, count, addresses);
    count = 0;
    for (size_t i = 0; i < side->count; i++)
        if (side->recovered[i])
            side->signers[i] = addresses[count++];
}

static void check_consumer_signature(struct intake_item *item, struct hash digest)
{
    struct address signer;
    struct err err = { 0 };

    if (!item->signed_.has_consumer_signature)
        return;
    if (address_is_zero(item->signed_.receipt.consumer))
        faults_add(&item->faults, CODE_INVALID_CONSUMER_SIGNATURE, "/consumerSignature", "no consumer is named");
    else if (!secp_recover(&item->signed_.consumer_signature, digest, &signer, &err))
        faults_add(&item->faults, CODE_INVALID_CONSUMER_SIGNATURE, "/consumerSignature", "%s", err.text);
    else if (!address_eq(signer, item->signed_.receipt.consumer))
        faults_add(&item->faults, CODE_INVALID_CONSUMER_SIGNATURE, "/consumerSignature", "does not recover to the consumer");
}

/* A text that is no object at all has nothing to judge further. */
static bool is_object(const struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        if (faults->list[i].pointer[0] == '\0')
            return false;
    return true;
}

/* Signed for the predecessor: its book says what is wrong with it. */
static void let_go_on(struct intake_item *item)
{
    item->goes_on = true;
    if (item->decoded_faults == 0)
        faults_clear(&item->faults);
    item->faults.count = item->decoded_faults;
}

/* Whether the provider itself signed it.  A key that it delegated may have: the writer says which are in force. */
static bool signed_by_provider(const struct side *side, size_t i)
{
    struct intake_item *item = side->items[i];

    if (!side->recovered[i])
        return false;
    if (address_eq(side->signers[i], item->signed_.receipt.provider))
        return true;
    item->key = side->signers[i];
    return false;
}

static void check_signatures(const struct intake *intake, const struct side *side, size_t i)
{
    struct intake_item *item = side->items[i];
    const struct signed_receipt *r = &item->signed_;

    if (signed_by_provider(side, i) || !r->has_signature
        || !pair_fits_predecessor(intake, item->hash, &r->signature, r->receipt.provider))
        check_consumer_signature(item, side->digests[i]);
    else
        let_go_on(item);
}

/* The items' names, those that have none yet hashed side by side.  Of a receipt that could not be read whole this is no name; a
 * bundle's root needs it all the same: where only a member too many was found, the fields are all there. */
static void name_items(struct side *side)
{
    uint8_t words[SIDE_BY_SIDE][RECEIPT_WORDS];
    struct hash made[SIDE_BY_SIDE];
    size_t missing = 0;

    for (size_t i = 0; i < side->count; i++)
        if (!side->items[i]->has_hash)
            receipt_to_words(&side->items[i]->signed_.receipt, words[missing++]);
    receipt_words_hashes(words[0], missing, made);
    missing = 0;
    for (size_t i = 0; i < side->count; i++) {
        struct intake_item *item = side->items[i];

        if (!item->has_hash) {
            item->hash = made[missing++];
            item->has_hash = item->faults.count == 0;
        }
        side->hashes[i] = item->hash;
    }
}

static void check_contents(const struct intake *intake, struct side *side)
{
    uint64_t now_ms = clock_now_ms(intake->clock);

    for (size_t i = 0; i < side->count; i++) {
        struct intake_item *item = side->items[i];

        item->decoded_faults = item->faults.count;
        item->key = (struct address){ { 0 } };
        if (is_object(&item->faults))
            receipt_check(&item->signed_.receipt, now_ms, &item->faults);
    }
}

/* Only of an item that could be read whole are the signatures looked at. */
static void verify_alone(const struct intake *intake, struct side *side)
{
    typed_digests(&intake->config.domain, side->hashes, side->count, side->digests);
    recover_signers(side);
    for (size_t i = 0; i < side->count; i++)
        if (side->items[i]->decoded_faults == 0)
            check_signatures(intake, side, i);
}

static void verify_bundled(const struct intake *intake, const struct side *side)
{
    for (size_t i = 0; i < side->count; i++) {
        struct intake_item *item = side->items[i];

        if (item->decoded_faults == 0 && item->signed_.has_consumer_signature)
            check_consumer_signature(item, typed_digest(&intake->config.domain, item->hash));
    }
}

static void verify_side(const struct intake *intake, bool in_bundle, struct side *side)
{
    name_items(side);
    tree_promise_leaves(side->hashes, side->count, side->leaves);
    check_contents(intake, side);
    if (in_bundle)
        verify_bundled(intake, side);
    else
        verify_alone(intake, side);
}

size_t verify_chunk_size(const struct submission *s)
{
    return s->is_bundle ? PAGE_FRAME : VERIFY_CHUNK;
}

/* Packed here, where any number of threads do it, for the page that the receipts will be where all are accepted: of a bundle a chunk is
 * a frame. */
static void pack_frame(struct work *work, const struct submission *s, size_t frame)
{
    uint8_t fields[PAGE_FRAME * RECEIPT_PACKED];
    size_t from = frame * PAGE_FRAME, count = s->count - from < PAGE_FRAME ? s->count - from : PAGE_FRAME;

    for (size_t i = 0; i < count; i++)
        receipt_pack(&s->items[from + i].signed_.receipt, fields + i * RECEIPT_PACKED);
    page_pack_frame(&work->content, frame, fields, count);
}

/* Where not all will lie in one page, the writer packs those that do. */
void verify_pack(const struct submission *s)
{
    struct work *work = s->work;

    if (work->jobs == NULL)
        return;
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].faults.count > 0 || s->items[i].signed_.has_consumer_signature)
            return;
    for (size_t frame = 0; frame < work->content.frames; frame++)
        pack_frame(work, s, frame);
}

void verify_chunk(const struct intake *intake, struct submission *s, size_t chunk)
{
    size_t size = verify_chunk_size(s), from = chunk * size, end = s->count - from < size ? s->count : from + size;
    struct work *work = s->work;
    struct side side;

    for (size_t i = from; i < end; i += side.count) {
        side.count = 0;
        while (side.count < SIDE_BY_SIDE && i + side.count < end) {
            side.items[side.count] = &s->items[i + side.count];
            side.count++;
        }
        verify_side(intake, s->is_bundle, &side);
        memcpy(work->leaves + i, side.leaves, side.count * sizeof *side.leaves);
    }
    if (s->is_bundle && work->content.frames > 0)
        pack_frame(work, s, chunk);
}

void verify_whole(const struct intake *intake, struct submission *first)
{
    struct side side;
    size_t at = 0;

    side.count = 0;
    for (struct submission *s = first; s != NULL; s = queue_next(s))
        for (size_t i = 0; i < s->count; i++)
            side.items[side.count++] = &s->items[i];
    verify_side(intake, false, &side);
    for (struct submission *s = first; s != NULL; s = queue_next(s)) {
        memcpy(((struct work *)s->work)->leaves, side.leaves + at, s->count * sizeof *side.leaves);
        at += s->count;
    }
}

static const char unsigned_bundle[] = "the bundle's signature does not recover to its provider";

static const char *bundle_flaw(const struct intake *intake, struct submission *s, struct hash root)
{
    struct address signer;
    struct err err = { 0 };

    if (s->bundle.count != s->count)
        return "the bundle's count is not that of its receipts";
    for (size_t i = 0; i < s->count; i++)
        if (!address_eq(s->items[i].signed_.receipt.provider, s->bundle.provider))
            return "the bundle holds another provider's receipt";
    if (s->bundle_root_given && !hash_eq(s->bundle.root, root))
        return "the bundle's root is not that of its receipts";
    if (!secp_recover(&s->bundle_signature, typed_digest(&intake->config.domain, bundle_struct_hash(&s->bundle)), &signer, &err))
        return unsigned_bundle;
    if (!address_eq(signer, s->bundle.provider))
        s->bundle_key = signer;
    return NULL;
}

static int by_job(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct job_id));
}

/* Where a job stands twice each is asked for when its turn comes: what the one before it made of it would not be seen. */
void verify_jobs(const struct submission *s)
{
    struct work *work = s->work;
    struct job_id *sorted;
    bool differ = true;

    if (s->count < JOBS_LEAST)
        return;
    work->jobs = mem_array(s->count, sizeof *work->jobs);
    for (size_t i = 0; i < s->count; i++)
        work->jobs[i] = s->items[i].signed_.receipt.job_id;
    sorted = mem_array(s->count, sizeof *sorted);
    memcpy(sorted, work->jobs, s->count * sizeof *sorted);
    qsort(sorted, s->count, sizeof *sorted, by_job);
    for (size_t i = 1; i < s->count && differ; i++)
        differ = !job_id_eq(sorted[i - 1], sorted[i]);
    work->first_job = sorted[0];
    work->last_job = sorted[s->count - 1];
    free(sorted);
    if (differ) {
        work->known = mem_array(s->count, sizeof *work->known);
        return;
    }
    free(work->jobs);
    work->jobs = NULL;
}

void verify_bundle(const struct intake *intake, struct submission *s)
{
    struct work *work = s->work;
    const char *flaw;
    struct hash root;

    work->tree = tree_new(work->leaves, s->count);
    root = tree_top(work->tree);
    if (!s->bundle_root_given)
        s->bundle.root = root;
    flaw = bundle_flaw(intake, s, root);
    if ((flaw == unsigned_bundle || !address_is_zero(s->bundle_key))
        && pair_fits_predecessor(intake, bundle_struct_hash(&s->bundle), &s->bundle_signature, s->bundle.provider)) {
        for (size_t i = 0; i < s->count; i++)
            let_go_on(&s->items[i]);
        return;
    }
    s->bundle_good = flaw == NULL;
    for (size_t i = 0; flaw != NULL && i < s->count; i++)
        faults_add(&s->items[i].faults, CODE_INVALID_SIGNATURE, "", "%s", flaw);
}

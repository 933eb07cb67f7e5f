/* The receipts, prices, providers and models of history.h, signed; lies that lie in them. */
#include <stdlib.h>

#include "gateway/core/tree.h"
#include "gateway/lib/secp.h"
#include "tests/support/fixture.h"
#include "tests/support/history_parts.h"

#define BUNDLE_SIZE 5

static struct secret_key key_of(int who)
{
    struct secret_key key = { { 0 } };

    key.b[31] = (uint8_t)who;
    return key;
}

struct address address_of(int who)
{
    struct secret_key key = key_of(who);
    struct public_key pub;
    struct err err = { 0 };

    assert_true(secp_public_key(&key, &pub, &err));
    return secp_address(&pub);
}

struct signature signed_by_key(int who, struct hash digest)
{
    struct secret_key key = key_of(who);
    struct signature sig;
    struct err err = { 0 };

    assert_true(secp_sign(&key, digest, &sig, &err));
    return sig;
}

/* ---- rows ---- */

static struct archive_line price_line(uint64_t version, const struct hash *model, uint64_t from_ms, uint64_t per_million)
{
    struct archive_line line = { .type = ARCHIVE_PRICE };
    struct price_version *p = &line.of.price;

    p->version = version;
    p->any_model = model == NULL;
    p->model = model != NULL ? *model : p->model;
    p->effective_from_ms = from_ms;
    p->recorded_at_ms = from_ms;
    p->per_million[METER_INPUT] = amount_from_u64(per_million);
    p->per_million[METER_OUTPUT] = amount_from_u64(3 * per_million + 1);
    p->split_bps[SPLIT_PROVIDER] = 7000;
    p->split_bps[SPLIT_CREATOR] = 2000;
    p->split_bps[SPLIT_PROTOCOL] = 1000;
    return line;
}

static struct archive_line provider_line(const struct builder *b, int who, int payout)
{
    struct archive_line line = { .type = ARCHIVE_PROVIDER,
                                 .of.provider = { .address = address_of(who), .payout = address_of(payout),
                                                  .since_ms = START_MS - 900000, .admitted = true } };
    struct payout message = { address_of(who), address_of(payout), START_MS - 950000 };

    if (who != payout && b->lie != LIE_PAYOUT_UNSIGNED)
        line.of.provider.payout_word = (struct payout_word){
            .given = true, .at_ms = message.at_ms,
            .signature = signed_by_key(b->lie == LIE_PAYOUT_SIGNATURE ? PROTOCOL : who, typed_digest(&b->domain, payout_struct_hash(&message))),
        };
    return line;
}

static struct archive_line delegation_line(const struct builder *b)
{
    struct archive_line line = { .type = ARCHIVE_DELEGATION };
    struct delegation *d = &line.of.delegation;

    *d = (struct delegation){ .provider = address_of(PROVIDER_A), .key = address_of(LENT_KEY), .valid_from_ms = START_MS,
                              .valid_until_ms = START_MS + (b->lie == LIE_KEY_EXPIRED ? 1000 : 60000), .since_ms = START_MS - 800000 };
    d->signature = signed_by_key(b->lie == LIE_DELEGATION_SIGNATURE ? LENT_KEY : PROVIDER_A,
                                 typed_digest(&b->domain, delegation_struct_hash(d->provider, d->key, d->valid_from_ms, d->valid_until_ms)));
    return line;
}

static struct archive_line revocation_line(const struct builder *b)
{
    struct archive_line line = { .type = ARCHIVE_REVOCATION };
    struct revocation *r = &line.of.revocation;

    *r = (struct revocation){ .provider = address_of(PROVIDER_A), .key = address_of(LENT_KEY), .at_ms = START_MS + 31000, .has_signature = true,
                              .since_ms = START_MS + 31000 };
    r->signature = signed_by_key(PROVIDER_A, typed_digest(&b->domain, revocation_struct_hash(r->provider, r->key, r->at_ms)));
    return line;
}

static struct archive_line model_line(const struct builder *b, struct hash digest, int creator, const struct hash *parent)
{
    struct archive_line line = { .type = ARCHIVE_MODEL };
    struct model *m = &line.of.model;

    *m = (struct model){ .model = digest, .creator = address_of(creator), .name = "model", .registered_at_ms = START_MS - 3000000,
                         .verified_at_ms = parent != NULL ? START_MS - 1000000 : START_MS - 2000000 };
    if (parent != NULL)
        m->parents[m->parent_count++] = (struct lineage_parent){ *parent, 2500 };
    m->signature = signed_by_key(creator, typed_digest(&b->domain, model_struct_hash(m)));
    if (b->lie == LIE_MODEL_CONTRACT)
        m->contract = b->token;       /* not the one that it is signed for */
    return line;
}

static struct archive_line consumer_line(uint64_t since_ms, bool enrolled)
{
    return (struct archive_line){ .type = ARCHIVE_CONSUMER,
                                  .of.consumer = { .address = address_of(CONSUMER), .since_ms = since_ms, .enrolled = enrolled } };
}

static void fill_rows(struct builder *b, struct hash base, struct hash child)
{
    b->rows[ROW_PRICE_ANY] = price_line(1, NULL, START_MS - 3000000, 7000000);
    b->rows[ROW_PRICE_CHILD] = price_line(2, &child, START_MS + 15000, 9000001);
    b->rows[ROW_PROVIDER_A] = provider_line(b, PROVIDER_A, PROVIDER_A);
    b->rows[ROW_PROVIDER_B] = provider_line(b, PROVIDER_B, PAYOUT_B);
    b->rows[ROW_MODEL_BASE] = model_line(b, base, BASE_CREATOR, NULL);
    b->rows[ROW_MODEL_CHILD] = model_line(b, child, CHILD_CREATOR, &base);
    b->rows[ROW_DELEGATION] = delegation_line(b);
    b->rows[ROW_REVOCATION] = revocation_line(b);
    b->rows[ROW_CONSUMER] = consumer_line(START_MS - 900000, true);
    b->rows[ROW_CONSUMER_GONE] = consumer_line(START_MS + 20000, false);
    b->catalog = catalog_new();
    catalog_add_price(b->catalog, &b->rows[ROW_PRICE_ANY].of.price);
    catalog_add_price(b->catalog, &b->rows[ROW_PRICE_CHILD].of.price);
    catalog_add_provider(b->catalog, &b->rows[ROW_PROVIDER_A].of.provider);
    catalog_add_provider(b->catalog, &b->rows[ROW_PROVIDER_B].of.provider);
    catalog_add_model(b->catalog, &b->rows[ROW_MODEL_BASE].of.model);
    catalog_add_model(b->catalog, &b->rows[ROW_MODEL_CHILD].of.model);
    catalog_add_consumer(b->catalog, &b->rows[ROW_CONSUMER].of.consumer);
    catalog_add_consumer(b->catalog, &b->rows[ROW_CONSUMER_GONE].of.consumer);
    catalog_seal(b->catalog);
}

/* ---- receipts ---- */

static void price_it(const struct builder *b, struct archive_receipt *r, uint64_t version)
{
    const struct receipt *receipt = &r->receipt.receipt;
    const struct price_version *p = catalog_price(b->catalog, receipt->model, receipt->finished_at_ms, r->accepted_at_ms);
    struct err err = { 0 };

    if (version != 0)
        p = catalog_price_version(b->catalog, version);
    r->price_version = p->version;
    assert_true(price_receipt(p, receipt->count, &r->amount, &err));
}

static void sign_it(const struct builder *b, struct archive_receipt *r, int provider)
{
    r->receipt.signature = signed_by_key(provider, typed_digest(&b->domain, receipt_struct_hash(&r->receipt.receipt)));
    r->receipt.has_signature = true;
}

/* second: seconds after the start; jobs follow it, so batches are in order as they are filled. */
static struct archive_receipt *add_receipt(struct builder *b, struct batch *batch, int provider, struct hash model, unsigned second)
{
    struct archive_receipt *r = &batch->receipts[batch->count++];
    struct receipt *receipt = &r->receipt.receipt;
    uint64_t at_ms = START_MS + 1000u * second;

    assert_in_range(batch->count, 1, RECEIPTS_MAX);
    *receipt = (struct receipt){ .provider = address_of(provider), .model = model, .started_at_ms = at_ms, .finished_at_ms = at_ms + 500 };
    for (size_t i = 0; i < 6; i++)
        receipt->job_id.b[i] = (uint8_t)(at_ms >> (40 - 8 * i));
    receipt->job_id.b[6] = 0x70;
    receipt->job_id.b[8] = 0x80;
    receipt->count[METER_INPUT] = 1000 + 7 * second;
    receipt->count[METER_OUTPUT] = 333 + second;
    r->accepted_at_ms = at_ms + 600;
    r->salt = sha256(receipt->job_id.b, sizeof receipt->job_id.b);
    price_it(b, r, 0);
    sign_it(b, r, provider);
    return r;
}

static void countersign(const struct builder *b, struct archive_receipt *r, int provider, int signer)
{
    r->receipt.receipt.consumer = address_of(CONSUMER);
    sign_it(b, r, provider);
    r->receipt.has_consumer_signature = true;
    r->receipt.consumer_signature = signed_by_key(signer, typed_digest(&b->domain, receipt_struct_hash(&r->receipt.receipt)));
}

static void into_bundle(struct archive_receipt *r, struct hash root, uint64_t index)
{
    r->receipt.has_signature = false;
    r->receipt.signature = (struct signature){ { 0 } };
    r->has_bundle = true;
    r->bundle_root = root;
    r->bundle_index = index;
}

/* The bundle line of one batch: the leaves that its own receipts do not give stand in others. */
static struct archive_line bundle_line(const struct builder *b, const struct hash leaves[BUNDLE_SIZE], const bool here[BUNDLE_SIZE])
{
    struct archive_line line = { .type = ARCHIVE_BUNDLE };
    struct archive_bundle *bundle = &line.of.bundle;

    bundle->bundle = (struct receipt_bundle){ address_of(PROVIDER_A), tree_root(leaves, BUNDLE_SIZE), BUNDLE_SIZE };
    bundle->signature = signed_by_key(b->lie == LIE_BUNDLE_SIGNATURE ? STRANGER : LENT_KEY,
                                      typed_digest(&b->domain, bundle_struct_hash(&bundle->bundle)));
    bundle->key = address_of(LENT_KEY);
    bundle->others = mem_array(BUNDLE_SIZE, sizeof *bundle->others);
    for (size_t i = 0; i < BUNDLE_SIZE; i++) {
        if (here[i] || (b->lie == LIE_BUNDLE_MISSING_LEAF && i == 4))
            continue;
        bundle->others[bundle->other_count].index = i;
        bundle->others[bundle->other_count].leaf = leaves[i];
        if (b->lie == LIE_BUNDLE_LEAF && i == 4)
            bundle->others[bundle->other_count].leaf.b[0] ^= 1;
        bundle->other_count++;
    }
    return line;
}

static void make_bundle(struct builder *b, struct batch *second, struct batch *third)
{
    struct archive_receipt *members[BUNDLE_SIZE - 1] = { &second->receipts[0], &second->receipts[1], &second->receipts[2],
                                                         &third->receipts[0] };
    struct hash leaves[BUNDLE_SIZE] = { [4] = sha256("elsewhere", 9) };

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        leaves[i] = tree_promise_leaf(receipt_struct_hash(&members[i]->receipt.receipt));
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        into_bundle(members[i], tree_root(leaves, BUNDLE_SIZE), i);
    second->bundle = bundle_line(b, leaves, (bool[BUNDLE_SIZE]){ true, true, true });
    third->bundle = bundle_line(b, leaves, (bool[BUNDLE_SIZE]){ [3] = true });
    second->has_bundle = third->has_bundle = true;
}

static void by_lent_key(const struct builder *b, struct archive_receipt *r)
{
    sign_it(b, r, LENT_KEY);
    r->key = address_of(LENT_KEY);
}

static void lend_key(struct builder *b)
{
    struct batch *first = &b->batches[0], *last = &b->batches[2];

    by_lent_key(b, &first->receipts[0]);
    if (b->lie == LIE_KEY_OTHER)
        first->receipts[0].key = address_of(STRANGER);
    if (b->lie != LIE_KEY_UNPUBLISHED)
        first->rows[first->row_count++] = ROW_DELEGATION;
    last->rows[last->row_count++] = ROW_REVOCATION;
    if (b->lie == LIE_KEY_REVOKED)
        by_lent_key(b, &last->receipts[last->count - 1]);
}

/* Lies in the receipts of the last batch. */
static void plant(struct builder *b, struct batch *batch, struct hash child)
{
    struct archive_receipt *last = &batch->receipts[batch->count - 1];

    if (b->lie == LIE_RECEIPT_ADDED)
        sign_it(b, add_receipt(b, batch, PROVIDER_B, child, 50), STRANGER);
    if (b->lie == LIE_RECEIPT_CHANGED) {
        last->receipt.receipt.count[METER_OUTPUT] += 1000000;
        price_it(b, last, 0);
    }
    if (b->lie == LIE_RECEIPT_TWICE) {
        memmove(&batch->receipts[1], &batch->receipts[0], batch->count++ * sizeof *batch->receipts);
        batch->receipts[0] = b->batches[0].receipts[0];
    }
    if (b->lie == LIE_RECEIPT_FUTURE)
        last->accepted_at_ms = last->receipt.receipt.finished_at_ms - 600000;
    if (b->lie == LIE_CONSUMER_SIGNATURE)
        countersign(b, last, PROVIDER_A, STRANGER);
    if (b->lie == LIE_PRICE_VERSION)
        price_it(b, last, 1);
    if (b->lie == LIE_PRICE_UNPUBLISHED)
        b->batches[1].row_count = 0;
    if (b->lie == LIE_AMOUNT)
        assert_true(amount_add(last->amount, amount_from_u64(1), &last->amount));
}

static void adjust(struct batch *batch, uint64_t id, int who, bool up, uint64_t amount)
{
    batch->adjustments[batch->adjustment_count++] = (struct adjustment){
        .id = id, .account = address_of(who), .counter_account = address_of(PROTOCOL), .up = up, .amount = amount_from_u64(amount),
        .reason = "billed twice", .recorded_at_ms = START_MS + id };
}

void builder_fill(struct builder *b)
{
    struct hash base = sha256("base", 4), child = sha256("child", 5);
    struct batch *batch = b->batches;

    domain_init(&b->domain, 31337, address_of(40));
    b->token = address_of(41);
    fill_rows(b, base, child);
    batch[0].row_count = 6;
    memcpy(batch[0].rows, (size_t[]){ ROW_PRICE_ANY, ROW_PROVIDER_A, ROW_PROVIDER_B, ROW_MODEL_BASE, ROW_MODEL_CHILD, ROW_CONSUMER },
           6 * sizeof (size_t));
    add_receipt(b, &batch[0], PROVIDER_A, base, 1);
    countersign(b, add_receipt(b, &batch[0], PROVIDER_A, child, 2), PROVIDER_A, CONSUMER);
    add_receipt(b, &batch[0], PROVIDER_B, child, 3);
    for (unsigned i = 0; i < 3; i++)
        add_receipt(b, &batch[1], PROVIDER_A, i == 0 ? child : base, 10 + i);
    add_receipt(b, &batch[1], PROVIDER_B, child, 18);     /* by the child's own price: its row appears in the cancelled one */
    batch[1].row_count = 1;
    batch[1].rows[0] = ROW_PRICE_CHILD;
    add_receipt(b, &batch[2], PROVIDER_A, base, 30);
    countersign(b, add_receipt(b, &batch[2], PROVIDER_B, base, 31), PROVIDER_B, CONSUMER);     /* no longer enrolled */
    add_receipt(b, &batch[2], PROVIDER_A, child, 32);
    batch[2].row_count = 1;
    batch[2].rows[0] = ROW_CONSUMER_GONE;
    adjust(&batch[1], 1, CHILD_CREATOR, false, 30000);
    adjust(&batch[2], 2, BASE_CREATOR, true, 100);
    adjust(&batch[2], 3, PROVIDER_A, false, 7);
    make_bundle(b, &batch[1], &batch[2]);
    lend_key(b);
    plant(b, &batch[2], child);
    pool_fill_in(b);
}

void builder_clear(struct builder *b)
{
    archive_line_clear(&b->batches[1].bundle);
    archive_line_clear(&b->batches[2].bundle);
    catalog_free(b->catalog);
    popularity_clear(&b->pool);
    totals_clear(&b->leaves);
    debts_clear(&b->owed);
}

/* The vectors' small history of two batches, recomputed from its receipts: the way an audit goes. */
#include "gateway/core/quote.h"
#include "tests/support/fixture.h"
#include "tests/support/libraries.h"

#include "gateway/base/mem.h"
#include "gateway/core/rules.h"

#include <stdlib.h>

#define ACCOUNTS_MAX 32

struct history {
    const json *row;
    struct catalog *catalog;
    struct domain domain;
    struct hash secret;
    struct address token, protocol_account;
    size_t count;
    struct archive_reward rewards[ACCOUNTS_MAX];     /* cumulative; sorted by account before each tree */
};

struct leaf { struct signed_receipt r; struct hash struct_hash; };

static struct catalog *read_catalog(const json *row)
{
    const json *providers = vector_member(row, "providers"), *models = vector_member(row, "models");
    const json *prices = vector_member(row, "prices");
    struct catalog *c = catalog_new();

    for (size_t i = 0; i < json_count(providers); i++)
        catalog_add_provider(c, &(struct provider){ .address = vector_address(json_at(providers, i), "address"),
                                                    .payout = vector_address(json_at(providers, i), "payout"), .admitted = true });
    for (size_t i = 0; i < json_count(models); i++) {
        struct model m = fixture_model(json_at(models, i), 1);

        catalog_add_model(c, &m);
    }
    for (size_t i = 0; i < json_count(prices); i++) {
        struct price_version p = fixture_price(json_at(prices, i));

        catalog_add_price(c, &p);
    }
    catalog_seal(c);
    return c;
}

static void assert_models_signed(const struct history *h)
{
    const json *models = vector_member(h->row, "models");

    for (size_t i = 0; i < json_count(models); i++) {
        const json *row = json_at(models, i);
        struct model m = fixture_model(row, 1);
        struct hash struct_hash;

        strcpy(m.name, vector_text(row, "name"));
        m.registered_at_ms = vector_u64(row, "registeredAt");
        m.signature = vector_signature(row, "signature");
        struct_hash = model_struct_hash(&m);
        assert_hash_is(struct_hash, vector_hash(row, "structHash"));
        assert_true(fixture_signed_by(&m.signature, typed_digest(&h->domain, struct_hash), m.creator));
    }
}

/* The bundle that a receipt names, by provider and root. */
static const json *find_bundle(const struct history *h, struct address provider, struct hash root)
{
    const json *bundles = vector_member(h->row, "bundles");

    for (size_t i = 0; i < json_count(bundles); i++)
        if (address_eq(vector_address(json_at(bundles, i), "provider"), provider)
            && hash_eq(vector_hash(json_at(bundles, i), "root"), root))
            return json_at(bundles, i);
    fail_msg("no such bundle");
    return NULL;
}

static void assert_signed(const struct history *h, const json *item, const struct leaf *leaf)
{
    const struct signed_receipt *r = &leaf->r;
    struct hash digest = typed_digest(&h->domain, leaf->struct_hash);

    if (r->has_signature)
        assert_true(fixture_signed_by(&r->signature, digest, r->receipt.provider));
    if (r->has_consumer_signature)
        assert_true(fixture_signed_by(&r->consumer_signature, digest, r->receipt.consumer));
    assert_int_equal(vector_has(item, "bundle"), !r->has_signature);
    if (vector_has(item, "bundle")) {
        struct proof path = fixture_proof(vector_member(item, "bundle"), "path");
        struct hash root = tree_fold(tree_promise_leaf(leaf->struct_hash), &path);
        const json *row = find_bundle(h, r->receipt.provider, root);
        struct receipt_bundle b = { r->receipt.provider, root, vector_u64(row, "count") };
        struct signature sig = vector_signature(row, "signature");

        assert_hash_is(root, vector_hash(vector_member(item, "bundle"), "root"));
        assert_true(fixture_signed_by(&sig, typed_digest(&h->domain, bundle_struct_hash(&b)), b.provider));
    }
}

/* A quote fixes the version, whatever the rules of choice say. */
static const struct price_version *price_of(const struct history *h, const struct receipt *r, uint64_t accepted_at_ms)
{
    const json *quotes = vector_member(h->row, "quotes");

    for (size_t i = 0; i < json_count(quotes); i++) {
        const json *row = json_at(quotes, i);
        struct quote q = { vector_hash(row, "model"), vector_address(row, "provider"), vector_address(row, "consumer"),
                           vector_u64(row, "priceVersion"), vector_u64(row, "validUntil") };

        assert_hash_is(quote_struct_hash(&q), vector_hash(row, "structHash"));
        if (hash_eq(quote_struct_hash(&q), r->quote) && quote_matches(&q, r))
            return catalog_price_version(h->catalog, q.price_version);
    }
    return catalog_price(h->catalog, r->model, r->finished_at_ms, accepted_at_ms);
}

static void credit(struct history *h, const struct share *share)
{
    size_t i = 0;

    while (i < h->count && !address_eq(h->rewards[i].account, share->account))
        i++;
    if (i == h->count)
        h->rewards[h->count++] = (struct archive_reward){ share->account, AMOUNT_ZERO, AMOUNT_ZERO };
    assert_true(h->count < ACCOUNTS_MAX);
    assert_true(amount_add(h->rewards[i].after, share->amount, &h->rewards[i].after));
}

static struct amount settle_receipt(struct history *h, const json *item, const struct leaf *leaf)
{
    const struct receipt *r = &leaf->r.receipt;
    uint64_t accepted_at_ms = vector_u64(item, "acceptedAt");
    const struct price_version *price = price_of(h, r, accepted_at_ms);
    const json *want = vector_member(item, "shares");
    struct shares credits = { 0 };
    struct amount amount;
    struct err err = { 0 };

    assert_int_equal(price->version, vector_u64(item, "priceVersion"));
    assert_true(price_receipt(price, r->count, &amount, &err));
    assert_u256_is(amount.base_units, vector_u256(item, "amount"));
    assert_true(ledger_split(h->catalog, r, price, amount, h->protocol_account, accepted_at_ms, &credits, &err));
    assert_int_equal(credits.count, json_count(want));
    for (size_t i = 0; i < credits.count; i++) {
        bool found = false;

        for (size_t k = 0; k < json_count(want); k++)
            if (strcmp(vector_text(json_at(want, k), "role"), role_name(credits.list[i].role)) == 0
                && address_eq(vector_address(json_at(want, k), "account"), credits.list[i].account)
                && hash_eq(vector_hash(json_at(want, k), "model"), credits.list[i].model)
                && amount_cmp(vector_amount(json_at(want, k), "amount"), credits.list[i].amount) == 0)
                found = true;
        assert_true(found);
        credit(h, &credits.list[i]);
    }
    shares_clear(&credits);
    return amount;
}

static int by_job(const void *left, const void *right)
{
    const struct leaf *a = left, *b = right;
    int jobs = memcmp(a->r.receipt.job_id.b, b->r.receipt.job_id.b, sizeof a->r.receipt.job_id.b);

    return jobs != 0 ? jobs : address_cmp(&a->r.receipt.provider, &b->r.receipt.provider);
}

static struct hash receipts_root(const struct history *h, const json *batch, struct leaf *leaves, size_t count)
{
    const json *want = vector_member(batch, "receiptsTree");
    struct tree_stream stream;

    tree_stream_init(&stream);
    qsort(leaves, count, sizeof *leaves, by_job);
    for (size_t i = 0; i < count; i++) {
        const struct receipt *r = &leaves[i].r.receipt;
        struct hash salt = receipt_salt(h->secret.b, r->job_id, r->provider);
        struct hash leaf = tree_receipts_leaf(i, r->job_id, r->provider, salt, leaves[i].struct_hash);
        struct proof proof = fixture_proof(json_at(want, i), "proof");

        assert_hash_is(salt, vector_hash(json_at(want, i), "salt"));
        assert_hash_is(leaf, vector_hash(json_at(want, i), "leaf"));
        assert_hash_is(tree_fold(leaf, &proof), vector_hash(batch, "receiptsRoot"));
        tree_stream_add(&stream, leaf);
    }
    return tree_stream_root(&stream);
}

static int by_account(const void *left, const void *right)
{
    const struct archive_reward *a = left, *b = right;

    return address_cmp(&a->account, &b->account);
}

static struct hash rewards_root(struct history *h, const json *batch, struct amount *total)
{
    const json *want = vector_member(batch, "rewards");
    struct hash leaves[ACCOUNTS_MAX];

    *total = AMOUNT_ZERO;
    qsort(h->rewards, h->count, sizeof h->rewards[0], by_account);
    assert_int_equal(json_count(want), h->count);
    for (size_t i = 0; i < h->count; i++) {
        assert_address_is(h->rewards[i].account, vector_address(json_at(want, i), "account"));
        assert_u256_is(h->rewards[i].before.base_units, vector_u256(json_at(want, i), "before"));
        assert_u256_is(h->rewards[i].after.base_units, vector_u256(json_at(want, i), "after"));
        leaves[i] = tree_rewards_leaf(h->rewards[i].account, h->token, h->rewards[i].after);
        assert_hash_is(leaves[i], vector_hash(json_at(want, i), "leaf"));
        assert_true(amount_add(*total, h->rewards[i].after, total));
        h->rewards[i].before = h->rewards[i].after;
    }
    return tree_root(leaves, h->count);
}

static struct hash settle_batch(struct history *h, const json *batch, struct hash parent)
{
    const json *items = vector_member(batch, "receipts");
    size_t count = json_count(items);
    struct leaf *leaves = mem_array(count, sizeof *leaves);
    struct settlement_content content = { .sequence = vector_u64(batch, "sequence"), .archive = vector_hash(batch, "archive"),
                                          .receipts = count };
    struct amount sum = AMOUNT_ZERO;

    assert_hash_is(parent, vector_hash(batch, "parent"));
    for (size_t i = 0; i < count; i++) {
        leaves[i].r = fixture_receipt(vector_member(json_at(items, i), "json"));
        leaves[i].struct_hash = receipt_struct_hash(&leaves[i].r.receipt);
        assert_hash_is(leaves[i].struct_hash, vector_hash(json_at(items, i), "structHash"));
        assert_signed(h, json_at(items, i), &leaves[i]);
        assert_true(amount_add(sum, settle_receipt(h, json_at(items, i), &leaves[i]), &sum));
    }
    assert_u256_is(sum.base_units, vector_u256(batch, "amount"));
    content.receipts_root = receipts_root(h, batch, leaves, count);
    content.rewards_root = rewards_root(h, batch, &content.total);
    assert_hash_is(content.receipts_root, vector_hash(batch, "receiptsRoot"));
    assert_hash_is(content.rewards_root, vector_hash(batch, "rewardsRoot"));
    assert_u256_is(content.total.base_units, vector_u256(batch, "total"));
    parent = header_next(parent, &content, vector_u64(batch, "timestamp"));
    assert_hash_is(parent, vector_hash(batch, "header"));
    free(leaves);
    return parent;
}

static void everything_is_recomputed(void **state)
{
    const json *row = *state, *batches = vector_member(row, "batches");
    struct history h = { .row = row, .catalog = read_catalog(row), .domain = fixture_domain(row),
                         .secret = vector_hash(row, "secret"), .token = vector_address(row, "token"),
                         .protocol_account = vector_address(row, "protocolAccount") };
    struct hash header = header_first(h.domain.chain_id, h.domain.contract, h.token);

    assert_models_signed(&h);
    for (size_t i = 0; i < json_count(batches); i++)
        header = settle_batch(&h, json_at(batches, i), header);
    catalog_free(h.catalog);
}

int main(void)
{
    return fixture_run("archive", everything_is_recomputed, secp_setup, secp_teardown);
}

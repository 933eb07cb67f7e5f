/* Bundles as far as core goes: leaves, root, paths, the words as sent, and what a bad bundle comes to. */
#include "tests/support/fixture.h"
#include "tests/support/libraries.h"

#include "gateway/base/mem.h"
#include "gateway/lib/crypt.h"

#include <stdlib.h>

#define SIGNATURE_LEN 65

struct bundle {
    struct receipt_bundle head;
    struct signature signature;
    size_t count;
    struct hash *leaves;          /* owned, as the receipts */
    struct receipt *receipts;
    struct faults *faults;
};

static void bundle_free(struct bundle *b)
{
    for (size_t i = 0; i < b->count; i++)
        faults_clear(&b->faults[i]);
    free(b->leaves);
    free(b->receipts);
    free(b->faults);
}

static void bundle_room(struct bundle *b, size_t count)
{
    b->count = count;
    b->leaves = mem_array(count, sizeof *b->leaves);
    b->receipts = mem_array(count, sizeof *b->receipts);
    b->faults = mem_array(count, sizeof *b->faults);
}

/* The root of a binary bundle is over the words as they came, padding and all. */
static bool read_binary(const struct buf *body, struct bundle *b)
{
    if (body->len <= SIGNATURE_LEN || (body->len - SIGNATURE_LEN) % RECEIPT_WORDS != 0)
        return false;
    memcpy(b->signature.b, body->data, SIGNATURE_LEN);
    bundle_room(b, (body->len - SIGNATURE_LEN) / RECEIPT_WORDS);
    for (size_t i = 0; i < b->count; i++) {
        const uint8_t *words = body->data + SIGNATURE_LEN + i * RECEIPT_WORDS;

        receipt_from_words(words, &b->receipts[i], &b->faults[i]);
        b->leaves[i] = tree_promise_leaf(receipt_words_hash(words));
    }
    b->head = (struct receipt_bundle){ b->receipts[0].provider, tree_root(b->leaves, b->count), b->count };
    return true;
}

static void read_json(const json *body, struct bundle *b)
{
    const json *head = vector_member(body, "bundle"), *receipts = vector_member(body, "receipts");

    b->head = (struct receipt_bundle){ vector_address(head, "provider"), vector_hash(head, "root"), vector_u64(head, "count") };
    b->signature = vector_signature(head, "signature");
    bundle_room(b, json_count(receipts));
    for (size_t i = 0; i < b->count; i++) {
        struct signed_receipt r;
        bool has_job_id;

        receipt_from_json(json_at(receipts, i), RECEIPT_BUNDLED, &r, &has_job_id, &b->faults[i]);
        b->receipts[i] = r.receipt;
        b->leaves[i] = tree_promise_leaf(receipt_struct_hash(&r.receipt));
    }
}

static bool is_good(const struct bundle *b, const struct domain *domain)
{
    for (size_t i = 0; i < b->count; i++)
        if (!address_eq(b->receipts[i].provider, b->head.provider))
            return false;
    return b->head.count == b->count && hash_eq(tree_root(b->leaves, b->count), b->head.root)
        && fixture_signed_by(&b->signature, typed_digest(domain, bundle_struct_hash(&b->head)), b->head.provider);
}

static void assert_items(const json *row, struct bundle *b)
{
    const json *items = vector_member(row, "items");
    struct domain domain = fixture_domain(row);
    bool good = is_good(b, &domain);

    assert_int_equal(json_count(items), b->count);
    for (size_t i = 0; i < b->count; i++) {
        const json *item = json_at(items, i);
        enum receipt_code code = CODE_INVALID_SIGNATURE;

        if (good) {
            receipt_check(&b->receipts[i], vector_u64(row, "now"), &b->faults[i]);
            code = faults_first(&b->faults[i]);
        }
        assert_string_equal(receipt_codes[code].name, vector_has(item, "code") ? vector_text(item, "code") : "");
        if (code == CODE_MALFORMED) {
            const char *pointer;
            size_t len;

            assert_true(json_get_text(json_at(vector_member(item, "pointers"), 0), &pointer, &len));
            assert_int_equal(b->faults[i].count, 1);
            assert_string_equal(b->faults[i].list[0].pointer, pointer);
        }
    }
}

static void a_bad_bundle_is_refused(void **state)
{
    const json *row = *state;
    struct bundle b = { 0 };
    struct err err = { 0 };

    if (strcmp(vector_text(row, "form"), "binary") == 0) {
        struct buf body = vector_bytes(row, "body");
        bool shaped = read_binary(&body, &b);

        buf_clear(&body);
        assert_int_equal(shaped ? 200 : 400, vector_u64(row, "http"));
        if (!shaped)
            return;
    } else {
        const char *text = vector_text(row, "text");
        json *body = NULL;

        assert_true(json_read(text, strlen(text), &body, &err));
        read_json(body, &b);
        json_free(body);
    }
    assert_items(row, &b);
    bundle_free(&b);
}

/* Only small bundles have their body in the vectors; all have its digest. */
static struct buf make_body(const json *row)
{
    const json *receipts = vector_member(row, "receipts");
    struct signature sig = vector_signature(row, "signature");
    struct buf body;

    buf_init(&body);
    buf_add(&body, sig.b, sizeof sig.b);
    for (size_t i = 0; i < json_count(receipts); i++) {
        struct signed_receipt r = fixture_receipt(json_at(receipts, i));

        receipt_to_words(&r.receipt, buf_extend(&body, RECEIPT_WORDS));
    }
    assert_hash_is(sha256(body.data, body.len), vector_hash(row, "bodySha256"));
    if (vector_has(row, "body")) {
        struct buf want = vector_bytes(row, "body");

        assert_bytes_are(&body, &want);
        buf_clear(&want);
    }
    return body;
}

static void a_good_bundle_is_taken(void **state)
{
    const json *row = *state;
    const json *receipts = vector_member(row, "receipts"), *paths = vector_member(row, "paths");
    struct buf body = make_body(row);
    struct domain domain = fixture_domain(row);
    struct bundle b = { 0 };

    assert_int_equal(body.len, vector_u64(row, "bodyLength"));
    assert_true(read_binary(&body, &b));
    assert_true(is_good(&b, &domain));
    assert_hash_is(b.head.root, vector_hash(row, "root"));
    assert_int_equal(b.count, json_count(receipts));
    for (size_t i = 0; i < b.count; i++) {
        struct signed_receipt r = fixture_receipt(json_at(receipts, i));
        struct proof proof;

        assert_int_equal(b.faults[i].count, 0);
        assert_hash_is(receipt_struct_hash(&b.receipts[i]), fixture_hash_at(vector_member(row, "structHashes"), i));
        assert_hash_is(receipt_struct_hash(&r.receipt), receipt_struct_hash(&b.receipts[i]));
        assert_hash_is(b.leaves[i], fixture_hash_at(vector_member(row, "leaves"), i));
        tree_proof(b.leaves, b.count, i, &proof);
        assert_int_equal(proof.len, json_count(json_at(paths, i)));
        for (size_t k = 0; k < proof.len; k++)
            assert_hash_is(proof.path[k], fixture_hash_at(json_at(paths, i), k));
    }
    buf_clear(&body);
    bundle_free(&b);
}

static void a_promise_has_its_paths(void **state)
{
    const json *row = *state;
    const json *hashes = vector_member(row, "structHashes"), *paths = vector_member(row, "paths");
    size_t count = json_count(hashes);
    struct hash *leaves = mem_array(count, sizeof *leaves);
    struct tree *tree;

    for (size_t i = 0; i < count; i++)
        leaves[i] = tree_promise_leaf(fixture_hash_at(hashes, i));
    tree = tree_new(leaves, count);
    assert_hash_is(tree_top(tree), vector_hash(row, "root"));
    for (size_t i = 0; i < json_count(paths); i++) {
        struct proof want = fixture_proof(json_at(paths, i), "path"), got;

        tree_prove(tree, vector_u64(json_at(paths, i), "index"), &got);
        assert_int_equal(got.len, want.len);
        assert_memory_equal(got.path, want.path, want.len * sizeof want.path[0]);
    }
    tree_free(tree);
    free(leaves);
}

int main(void)
{
    return fixture_run("bundles", a_good_bundle_is_taken, secp_setup, secp_teardown)
         + fixture_run("bundleRejects", a_bad_bundle_is_refused, secp_setup, secp_teardown)
         + fixture_run("promises", a_promise_has_its_paths, NULL, NULL);
}

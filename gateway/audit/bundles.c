#include "gateway/audit/bundles.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/audit/recompute.h"
#include "gateway/base/mem.h"
#include "gateway/core/tree.h"
#include "gateway/lib/secp.h"

struct bundle {
    struct receipt_bundle bundle;
    struct signature signature;
    struct address key;            /* delegated; zero: the provider itself */
    struct hash *leaves;           /* owned; count of them; zero: not there yet (no Keccak hash is) */
};

void bundles_clear(struct bundles *b)
{
    for (size_t i = 0; i < b->count; i++)
        free(b->list[i].leaves);
    free(b->list);
    *b = (struct bundles){ 0 };
}

static void name_bundle(const struct bundle *b, char text[80])
{
    char root[HASH_TEXT];

    hash_to_text(b->bundle.root, root);
    snprintf(text, 80, "bundle %s", root);
}

static bool set_leaf(struct bundle *b, uint64_t index, struct hash leaf, struct place at, struct err *err)
{
    char place[40];

    if (index >= b->bundle.count)
        return differs_u64(err, DIFFERS_BUNDLE, at, b->bundle.count - 1, index);
    if (!hash_is_zero(b->leaves[index])) {
        snprintf(place, sizeof place, "index %llu twice", (unsigned long long)index);
        return differs(err, DIFFERS_BUNDLE, at, "each index once", place);
    }
    b->leaves[index] = leaf;
    return true;
}

bool bundles_take(struct bundles *b, const struct archive_bundle *line, uint64_t sequence, struct err *err)
{
    struct bundle taken = { line->bundle, line->signature, line->key, NULL };
    struct bundle *row;
    char name[80];

    name_bundle(&taken, name);
    if (line->bundle.count == 0 || line->bundle.count > BUNDLE_RECEIPTS_MAX)
        return differs_u64(err, DIFFERS_BUNDLE, (struct place){ sequence, name }, BUNDLE_RECEIPTS_MAX, line->bundle.count);
    if (b->count == b->capacity) {
        b->capacity = b->capacity == 0 ? 16 : b->capacity * 2;
        b->list = mem_grow(b->list, b->capacity, sizeof *b->list);
    }
    row = &b->list[b->count++];
    *row = taken;
    row->leaves = mem_array(line->bundle.count, sizeof *row->leaves);
    for (size_t i = 0; i < line->other_count; i++)
        if (!set_leaf(row, line->others[i].index, line->others[i].leaf, (struct place){ sequence, name }, err))
            return false;
    return true;
}

static int compare(const void *left, const void *right)
{
    const struct bundle *a = left, *b = right;
    int providers = address_cmp(&a->bundle.provider, &b->bundle.provider);

    return providers != 0 ? providers : memcmp(a->bundle.root.b, b->bundle.root.b, sizeof a->bundle.root.b);
}

bool bundles_seal(struct bundles *b, uint64_t sequence, struct err *err)
{
    char name[80];

    if (b->count > 1)
        qsort(b->list, b->count, sizeof *b->list, compare);
    for (size_t i = 1; i < b->count; i++)
        if (compare(&b->list[i - 1], &b->list[i]) == 0) {
            name_bundle(&b->list[i], name);
            return differs(err, DIFFERS_BUNDLE, (struct place){ sequence, name }, "one line", "two");
        }
    return true;
}

bool bundles_place(struct bundles *b, const struct archive_receipt *r, struct hash struct_hash, uint64_t sequence,
                   struct address *key, struct err *err)
{
    struct bundle like = { .bundle = { .provider = r->receipt.receipt.provider, .root = r->bundle_root } };
    struct bundle *found = b->count > 0 ? bsearch(&like, b->list, b->count, sizeof *b->list, compare) : NULL;
    char name[80], where[RECEIPT_NAME];
    struct place at = { sequence, where };

    if (found != NULL && r->bundle_index < found->bundle.count && hash_is_zero(found->leaves[r->bundle_index])) {
        found->leaves[r->bundle_index] = tree_promise_leaf(struct_hash);
        *key = found->key;
        return true;
    }
    receipt_name(&r->receipt.receipt, where);
    if (found == NULL) {
        name_bundle(&like, name);
        return differs(err, DIFFERS_BUNDLE, at, name, "no such line");
    }
    return set_leaf(found, r->bundle_index, tree_promise_leaf(struct_hash), at, err);
}

static bool check_one(const struct bundle *b, const struct domain *domain, uint64_t sequence, struct err *err)
{
    char name[80];
    struct place at = { sequence, name };
    struct address signer, by = address_is_zero(b->key) ? b->bundle.provider : b->key;
    struct hash root;

    name_bundle(b, name);
    for (uint64_t i = 0; i < b->bundle.count; i++)
        if (hash_is_zero(b->leaves[i])) {
            char missing[48];

            snprintf(missing, sizeof missing, "none at index %llu", (unsigned long long)i);
            return differs(err, DIFFERS_BUNDLE, at, "a receipt or a leaf for each index", missing);
        }
    root = tree_root(b->leaves, b->bundle.count);
    if (!hash_eq(root, b->bundle.root))
        return differs_hash(err, DIFFERS_BUNDLE, at, root, b->bundle.root);
    if (!secp_recover(&b->signature, typed_digest(domain, bundle_struct_hash(&b->bundle)), &signer, err))
        return differs(err, DIFFERS_SIGNATURE, at, "the provider's signature", "one that recovers to nobody");
    return address_eq(signer, by) || differs_address(err, DIFFERS_SIGNATURE, at, by, signer);
}

bool bundles_check(const struct bundles *b, const struct domain *domain, uint64_t sequence, struct err *err)
{
    for (size_t i = 0; i < b->count; i++)
        if (!check_one(&b->list[i], domain, sequence, err))
            return false;
    return true;
}

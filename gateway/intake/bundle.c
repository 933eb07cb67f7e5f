/* What is kept of a bundle as a whole, and what it proves of one of its receipts. */
#include "gateway/intake/inside.h"

#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/core/tree.h"

void bundle_leaves(const struct submission *s, struct hash *leaves)
{
    for (size_t i = 0; i < s->count; i++)
        leaves[i] = s->items[i].hash;
    tree_promise_leaves(leaves, s->count, leaves);
}

static struct tree *tree_of_bundle(const struct submission *s)
{
    struct hash *leaves = mem_array(s->count, sizeof *leaves);
    struct tree *tree;

    bundle_leaves(s, leaves);
    tree = tree_new(leaves, s->count);
    free(leaves);
    return tree;
}

/* A bundle's signature over one of its items.  The tree is made once: all items of a bundle may conflict. */
struct bundle_proof bundle_prove(struct run *run, size_t index)
{
    const struct submission *s = run->s;
    struct bundle_proof p = { .bundle = s->bundle, .signature = s->bundle_signature, .index = index };

    if (run->tree == NULL)
        run->tree = tree_of_bundle(s);
    tree_prove(run->tree, index, &p.path);
    return p;
}

/* The bundle's one row, kept when the first of its receipts is. */
bool bundle_refer(struct run *run, size_t index, struct receipt_row *row, struct err *err)
{
    const struct submission *s = run->s;

    if (!s->is_bundle)
        return true;
    if (run->bundle == 0) {
        struct bundle_row b = { .bundle = s->bundle, .signature = s->bundle_signature };
        bool ok;

        struct hash *leaves = mem_array(s->count, sizeof *leaves);

        bundle_leaves(s, leaves);
        buf_init(&b.leaves);
        buf_add(&b.leaves, leaves, s->count * sizeof *leaves);
        free(leaves);
        ok = b.leaves.failed ? err_set(err, ERR_LIMIT, "a bundle of %zu receipts", s->count)
                             : store_bundle_insert(run->group->db, &b, err);
        buf_clear(&b.leaves);
        if (!ok)
            return false;
        run->bundle = b.id;
    }
    row->has_bundle = true;
    row->bundle = run->bundle;
    row->bundle_index = index;
    row->signed_.has_signature = false;
    return true;
}

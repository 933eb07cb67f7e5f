/* What is kept of a bundle as a whole, and what it proves of one of its receipts. */
#include "gateway/intake/inside.h"

#include "gateway/core/tree.h"

/* A bundle's signature over one of its items. */
struct bundle_proof bundle_prove(struct run *run, size_t index)
{
    const struct submission *s = run->s;
    const struct work *work = s->work;
    struct bundle_proof p = { .bundle = s->bundle, .signature = s->bundle_signature, .index = index };

    tree_prove(work->tree, index, &p.path);
    return p;
}

/* The bundle's one row, kept when the first of its receipts is. */
bool bundle_refer(struct run *run, size_t index, struct receipt_row *row, struct err *err)
{
    const struct submission *s = run->s;
    const struct work *work = s->work;

    if (!s->is_bundle)
        return true;
    if (run->bundle == 0) {
        struct bundle_row b = { .bundle = s->bundle, .signature = s->bundle_signature };
        bool ok;

        buf_init(&b.leaves);
        buf_add(&b.leaves, work->leaves, s->count * sizeof *work->leaves);
        ok = b.leaves.failed ? err_set(err, ERR_LIMIT, "a bundle of %zu receipts", s->count)
                             : store_bundle_insert(run->group->db, &b, err)
                               && store_bundle_nodes_insert(run->group->db, b.id, work->tree, err);
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

/* The first walk over an archive: its rows, and its bundles with all their leaves, which its receipts hold in part. */
#include "gateway/rebuild/parts.h"

#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/audit/rows.h"
#include "gateway/base/mem.h"
#include "gateway/core/tree.h"

struct gathering { struct gathered *g; struct rows *rows; const uint8_t *secret; };

int kept_bundle_order(const void *a, const void *b)
{
    const struct kept_bundle *x = a, *y = b;
    int providers = address_cmp(&x->provider, &y->provider);

    return providers != 0 ? providers : memcmp(x->root.b, y->root.b, sizeof x->root.b);
}

static int bundle_order(const void *a, const void *b)
{
    const struct receipt_bundle *x = &((const struct gathered_bundle *)a)->line.bundle;
    const struct receipt_bundle *y = &((const struct gathered_bundle *)b)->line.bundle;
    int providers = address_cmp(&x->provider, &y->provider);

    return providers != 0 ? providers : memcmp(x->root.b, y->root.b, sizeof x->root.b);
}

struct gathered_bundle *gathered_bundle_of(const struct gathered *g, const struct archive_receipt *r)
{
    struct gathered_bundle key = { .line = { .bundle = { .provider = r->receipt.receipt.provider, .root = r->bundle_root } } };

    return g->bundle_count > 0 ? bsearch(&key, g->bundles, g->bundle_count, sizeof key, bundle_order) : NULL;
}

static bool take_row(struct gathering *w, const struct archive_line *line, struct err *err)
{
    struct gathered *g = w->g;

    /* Signatures of models, and that no row stands twice with different content. */
    if (g->judged && line->type != ARCHIVE_CAPACITY && line->type != ARCHIVE_QUOTE && !rows_take(w->rows, line, false, g->sequence, err))
        return false;
    if (g->row_count == g->row_capacity) {
        g->row_capacity = g->row_capacity == 0 ? 16 : g->row_capacity * 2;
        g->rows = mem_grow(g->rows, g->row_capacity, sizeof *g->rows);
    }
    g->rows[g->row_count++] = *line;          /* these kinds own nothing */
    return true;
}

static bool take_bundle(struct gathered *g, const struct archive_bundle *line, struct err *err)
{
    struct gathered_bundle *b;

    if (g->judged && !bundles_take(&g->checked, line, g->sequence, err))
        return false;
    if (g->bundle_count == g->bundle_capacity) {
        g->bundle_capacity = g->bundle_capacity == 0 ? 16 : g->bundle_capacity * 2;
        g->bundles = mem_grow(g->bundles, g->bundle_capacity, sizeof *g->bundles);
    }
    b = &g->bundles[g->bundle_count++];
    *b = (struct gathered_bundle){ .line = *line };
    b->line.others = NULL;
    b->line.other_count = 0;
    b->leaves = mem_array(line->bundle.count, sizeof *b->leaves);
    for (size_t i = 0; i < line->other_count; i++) {
        if (line->others[i].index >= line->bundle.count)
            return differs_u64(err, DIFFERS_BUNDLE, (struct place){ g->sequence, "index in a bundle" }, line->bundle.count - 1,
                               line->others[i].index);
        b->leaves[line->others[i].index] = line->others[i].leaf;
    }
    return true;
}

static bool take_receipt(struct gathered *g, const struct archive_receipt *r, struct err *err)
{
    struct gathered_bundle *b;

    if (!g->has_receipt) {
        g->has_receipt = true;
        g->first_job = r->receipt.receipt.job_id;
        g->first_provider = r->receipt.receipt.provider;
        if (g->bundle_count > 1)
            qsort(g->bundles, g->bundle_count, sizeof *g->bundles, bundle_order);
        if (g->judged && !bundles_seal(&g->checked, g->sequence, err))
            return false;
    }
    if (!r->has_bundle)
        return true;
    b = gathered_bundle_of(g, r);
    if (b == NULL || r->bundle_index >= b->line.bundle.count)
        return differs(err, DIFFERS_BUNDLE, (struct place){ g->sequence, "receipt" }, "the line of its bundle", "none");
    b->leaves[r->bundle_index] = tree_promise_leaf(receipt_struct_hash(&r->receipt.receipt));
    return true;
}

static void take_epoch(struct gathered *g, const struct popularity_terms *terms)
{
    g->epochs = mem_grow(g->epochs, g->epoch_count + 1, sizeof *g->epochs);
    g->epochs[g->epoch_count++] = *terms;
}

/* Takes the line's rows over. */
static void take_popularity(struct gathered *g, struct popularity *owned)
{
    g->booked = mem_grow(g->booked, g->booked_count + 1, sizeof *g->booked);
    g->booked[g->booked_count++] = *owned;
    *owned = (struct popularity){ 0 };
}

static void take_adjustment(struct gathered *g, const struct adjustment *a)
{
    g->adjustments = mem_grow(g->adjustments, g->adjustment_count + 1, sizeof *g->adjustments);
    g->adjustments[g->adjustment_count++] = *a;
}

static bool take_line(void *self, const char *text, size_t len, struct err *err)
{
    struct gathering *w = self;
    struct gathered *g = w->g;
    struct archive_line line = { 0 };
    bool ok = true;

    if (!rebuild_read_line(text, len, w->secret, g->sequence, &line, err))
        return false;
    switch (line.type) {
    case ARCHIVE_BATCH:
        g->head = line.of.batch;
        g->has_head = true;
        break;
    case ARCHIVE_PRICE:
    case ARCHIVE_PROVIDER:
    case ARCHIVE_MODEL:
    case ARCHIVE_DELEGATION:
    case ARCHIVE_REVOCATION:
    case ARCHIVE_CONSUMER:
    case ARCHIVE_CAPACITY:
        ok = take_row(w, &line, err);
        break;
    case ARCHIVE_QUOTE:
        quotes_add(&g->quotes, &line.of.quote);
        ok = take_row(w, &line, err);
        break;
    case ARCHIVE_BUNDLE:
        ok = take_bundle(g, &line.of.bundle, err);
        break;
    case ARCHIVE_RECEIPT:
        ok = take_receipt(g, &line.of.receipt, err);
        break;
    case ARCHIVE_ADJUSTMENT:
        take_adjustment(g, &line.of.adjustment);
        break;
    case ARCHIVE_EPOCH:
        take_epoch(g, &line.of.epoch);
        break;
    case ARCHIVE_POPULARITY:
        take_popularity(g, &line.of.popularity);
        break;
    case ARCHIVE_REWARD:
    case ARCHIVE_DEBT:
        break;                                /* follow from the rest */
    case ARCHIVE_SEALED_CONSUMER:
    case ARCHIVE_SEALED_QUOTE:
    case ARCHIVE_SEALED_BUNDLE:
    case ARCHIVE_SEALED:
        bug("a sealed line was not opened");
    }
    archive_line_clear(&line);
    return ok;
}

void gathered_clear(struct gathered *g)
{
    for (size_t i = 0; i < g->bundle_count; i++)
        free(g->bundles[i].leaves);
    free(g->bundles);
    free(g->rows);
    for (size_t i = 0; i < g->booked_count; i++)
        popularity_clear(&g->booked[i]);
    free(g->booked);
    free(g->epochs);
    quotes_clear(&g->quotes);
    free(g->adjustments);
    bundles_clear(&g->checked);
    *g = (struct gathered){ 0 };
}

bool gather_archive(struct rebuilding *r, const struct chain_settlement *s, struct gathered *g, struct err *err)
{
    struct gathering w = { g, rows_new(&r->domain), r->config->secret };
    struct hash digest;
    bool ok;

    *g = (struct gathered){ .judged = s->cancelled || !r->audited, .sequence = s->event.sequence };
    ok = source_archive(r->own, s->event.sequence, take_line, &w, &digest, err);
    if (ok && !g->has_head)
        ok = differs(err, DIFFERS_ARCHIVE, (struct place){ g->sequence, "file" }, "a batch line", "none");
    rows_free(w.rows);
    if (!ok)
        gathered_clear(g);
    return ok;
}

/* What stands in an archive before its receipts: catalog rows and bundles, each written to the store once. */
#include "gateway/rebuild/rows.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "store/catalog.h"
#include "store/receipts.h"

/* The row of the same key that the store has, as a line; false: none. */
static bool row_in_store(const struct catalog *c, const struct archive_line *line, struct archive_line *kept)
{
    const struct provider *provider = NULL;
    const struct consumer *consumer = NULL;
    const struct price_version *price = NULL;
    const struct model *model = NULL;

    *kept = (struct archive_line){ .type = line->type };
    if (line->type == ARCHIVE_PRICE && (price = catalog_price_version(c, line->of.price.version)) != NULL)
        kept->of.price = *price;
    if (line->type == ARCHIVE_PROVIDER
        && (provider = catalog_provider(c, line->of.provider.address, line->of.provider.since_ms)) != NULL)
        kept->of.provider = *provider;
    if (line->type == ARCHIVE_MODEL && (model = catalog_model(c, line->of.model.model, UINT64_MAX)) != NULL)
        kept->of.model = *model;
    if (line->type == ARCHIVE_CONSUMER
        && (consumer = catalog_consumer_revision(c, line->of.consumer.address, line->of.consumer.since_ms)) != NULL)
        kept->of.consumer = *consumer;
    return price != NULL || model != NULL || (provider != NULL && provider->since_ms == line->of.provider.since_ms)
        || (consumer != NULL && consumer->since_ms == line->of.consumer.since_ms);
}

static bool same_line(const struct archive_line *a, const struct archive_line *b)
{
    struct buf x, y;
    bool same;

    buf_init(&x);
    buf_init(&y);
    archive_write_line(a, &x);
    archive_write_line(b, &y);
    same = x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
    buf_clear(&x);
    buf_clear(&y);
    return same;
}

/* A claim that was verified after the backup, or all of it. */
static bool write_model(struct db *db, const struct archive_line *line, struct err *err)
{
    const struct model *m = &line->of.model;
    struct archive_line claim = { .type = ARCHIVE_MODEL };
    bool found;

    if (!store_model_find(db, m->model, m->creator, &claim.of.model, &found, err))
        return false;
    if (!found)
        return store_model_add(db, m, m->verified_at_ms, err);      /* with its verifiedAt */
    claim.of.model.verified_at_ms = m->verified_at_ms;
    return same_line(line, &claim) ? store_model_set_verified(db, m->model, m->creator, m->verified_at_ms, err)
                                   : err_set(err, ERR_DIFFERS, "a model line is not the creator's claim in the store");
}

static bool write_row(struct db *db, const struct archive_line *line, struct err *err)
{
    if (line->type == ARCHIVE_PRICE)
        return store_price_restore(db, &line->of.price, err);
    if (line->type == ARCHIVE_PROVIDER)
        return store_provider_add(db, &line->of.provider, err);
    if (line->type == ARCHIVE_CONSUMER)
        return store_consumer_add(db, &line->of.consumer, err);
    return write_model(db, line, err);
}

static bool write_missing(const struct gathered *g, const struct catalog *catalog, struct db *db, bool *wrote, struct err *err)
{
    for (size_t i = 0; i < g->row_count; i++) {
        struct archive_line kept;

        if (!row_in_store(catalog, &g->rows[i], &kept)) {
            if (!write_row(db, &g->rows[i], err))
                return false;
            *wrote = true;
        } else if (!same_line(&g->rows[i], &kept)) {
            /* Standing archives agree: the other row is of a cancelled settlement, or was set while the chain was away. */
            return err_set(err, ERR_DIFFERS, "settlement %" PRIu64 ": a price, provider, model or consumer line contradicts what"
                           " the store holds: rebuild a new one, without the archives of cancelled settlements", g->sequence);
        }
    }
    return true;
}

bool rebuild_rows(const struct gathered *g, struct db *db, struct catalog **catalog, struct err *err)
{
    struct catalog *read = NULL;
    uint64_t settings;
    bool wrote = false;

    if (!store_catalog_load(db, &read, &settings, err))
        return false;
    if (!write_missing(g, read, db, &wrote, err)) {
        catalog_free(read);
        return false;
    }
    if (wrote) {
        catalog_free(read);
        if (!store_catalog_load(db, &read, &settings, err))
            return false;
    }
    /* A false lineage could make the walk over it long: an audited one is within its bounds. */
    for (size_t i = 0; g->judged && i < g->row_count; i++)
        if (g->rows[i].type == ARCHIVE_MODEL && !catalog_check_lineage(read, &g->rows[i].of.model, err)) {
            catalog_free(read);
            return false;
        }
    *catalog = read;
    return true;
}

static const struct kept_bundle *kept_before(const struct rebuilding *r, const struct receipt_bundle *bundle)
{
    struct kept_bundle key = { bundle->provider, bundle->root, 0 };

    return r->bundle_count > 0 ? bsearch(&key, r->bundles, r->bundle_count, sizeof key, kept_bundle_order) : NULL;
}

bool rebuild_bundles(const struct rebuilding *r, struct gathered *g, struct db *db, struct err *err)
{
    for (size_t i = 0; i < g->bundle_count; i++) {
        struct gathered_bundle *b = &g->bundles[i];
        const struct kept_bundle *kept = kept_before(r, &b->line.bundle);
        struct bundle_row row = { .bundle = b->line.bundle, .signature = b->line.signature };
        bool ok;

        if (kept != NULL) {
            b->id = kept->id;
            continue;
        }
        buf_init(&row.leaves);
        ok = buf_add(&row.leaves, b->leaves, b->line.bundle.count * sizeof *b->leaves)
            ? store_bundle_insert(db, &row, err) : err_set(err, ERR_LIMIT, "a bundle of too many receipts");
        buf_clear(&row.leaves);
        if (!ok)
            return false;
        b->id = row.id;
        b->fresh = true;
    }
    return true;
}

void rebuild_bundles_kept(struct rebuilding *r, const struct gathered *g)
{
    size_t before = r->bundle_count;

    if (g->bundle_count == 0)
        return;
    r->bundles = mem_grow(r->bundles, before + g->bundle_count, sizeof *r->bundles);
    for (size_t i = 0; i < g->bundle_count; i++) {
        const struct gathered_bundle *b = &g->bundles[i];

        if (b->fresh)
            r->bundles[r->bundle_count++] = (struct kept_bundle){ b->line.bundle.provider, b->line.bundle.root, b->id };
    }
    qsort(r->bundles, r->bundle_count, sizeof *r->bundles, kept_bundle_order);
}

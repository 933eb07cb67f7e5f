#include "gateway/settle/archive_used.h"

#include <stdlib.h>

#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/lib/secp.h"
#include "store/batches.h"
#include "store/catalog.h"
#include "store/meta.h"

/* -- sets of borrowed rows -- */

/* Where the row is, or would be, in the order of pointers. */
static size_t place_of(const struct rows *rows, const void *row)
{
    size_t low = 0, high = rows->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if ((uintptr_t)rows->list[middle] < (uintptr_t)row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* False: it was there already. */
static bool add_row(struct rows *rows, const void *row)
{
    size_t at = place_of(rows, row);

    if (at < rows->count && rows->list[at] == row)
        return false;
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity == 0 ? 64 : rows->capacity * 2;
        rows->list = mem_grow(rows->list, rows->capacity, sizeof *rows->list);
    }
    memmove(rows->list + at + 1, rows->list + at, (rows->count - at) * sizeof *rows->list);
    rows->list[at] = row;
    rows->count++;
    return true;
}

void used_drop(struct rows *rows, const void *row)
{
    size_t at = row == NULL ? rows->count : place_of(rows, row);

    if (at < rows->count && rows->list[at] == row)
        memmove(rows->list + at, rows->list + at + 1, (--rows->count - at) * sizeof *rows->list);
}

/* -- collecting -- */

static bool missing(const struct receipt *r, const char *what, struct err *err)
{
    char job[JOB_ID_TEXT];

    job_id_to_text(r->job_id, job);
    return err_set(err, ERR_BUG, "the %s of receipt %s is not in the catalog", what, job);
}

/* Its parents earn with it, so their registrations are needed to recompute who gets what. */
static bool add_model(struct used *u, const struct receipt *r, struct hash digest, uint64_t at_ms, struct err *err)
{
    const struct model *m = catalog_model(u->catalog, digest, at_ms);

    if (m == NULL)
        return missing(r, "model or an ancestor", err);
    if (!add_row(&u->models, m))
        return true;
    for (size_t i = 0; i < m->parent_count; i++)
        if (!add_model(u, r, m->parents[i].model, at_ms, err))
            return false;
    return true;
}

bool bundle_use_has(const struct bundle_use *use, uint64_t index)
{
    return index / 8 < use->size && (use->bits[index / 8] >> (index % 8) & 1) != 0;
}

static void add_index(struct bundle_use *use, uint64_t index)
{
    size_t size = 2 * (size_t)(index / 8 + 1);

    if (size / 2 > use->size) {
        use->bits = mem_grow(use->bits, size, 1);
        memset(use->bits + use->size, 0, size - use->size);
        use->size = size;
    }
    use->bits[index / 8] |= (uint8_t)(1u << (index % 8));
}

static struct bundle_use *add_bundle(struct used *u, uint64_t bundle, uint64_t index, bool *fresh)
{
    size_t at = 0, high = u->bundle_count;

    while (at < high) {
        size_t middle = (at + high) / 2;

        if (u->bundles[middle].bundle < bundle)
            at = middle + 1;
        else
            high = middle;
    }
    *fresh = at == u->bundle_count || u->bundles[at].bundle != bundle;
    if (*fresh) {
        if (u->bundle_count == u->bundle_capacity) {
            u->bundle_capacity = u->bundle_capacity == 0 ? 256 : u->bundle_capacity * 2;
            u->bundles = mem_grow(u->bundles, u->bundle_capacity, sizeof *u->bundles);
        }
        memmove(u->bundles + at + 1, u->bundles + at, (u->bundle_count++ - at) * sizeof *u->bundles);
        u->bundles[at] = (struct bundle_use){ .bundle = bundle };
    }
    add_index(&u->bundles[at], index);
    return &u->bundles[at];
}

/* -- delegated keys -- */

struct collecting { struct used *used; struct db *db; const struct domain *domain; };

/* Zero where the provider signed itself. */
static bool signed_with(const struct collecting *c, const struct signature *signature, struct hash message, struct address provider,
                        struct address *key, struct err *err)
{
    if (!secp_recover(signature, typed_digest(c->domain, message), key, err))
        return false;
    if (address_eq(*key, provider))
        *key = (struct address){ { 0 } };
    return true;
}

static bool bundle_key(const struct collecting *c, struct bundle_use *use, struct err *err)
{
    struct bundle_row row;
    bool ok;

    if (!store_bundle_find(c->db, use->bundle, &row, err))
        return false;
    ok = signed_with(c, &row.signature, bundle_struct_hash(&row.bundle), row.bundle.provider, &use->key, err);
    buf_clear(&row.leaves);
    return ok;
}

static void keep_key(struct used *u, struct address key)
{
    if (u->key_count == u->key_capacity) {
        u->key_capacity = u->key_capacity == 0 ? 256 : u->key_capacity * 2;
        u->keys = mem_grow(u->keys, u->key_capacity, sizeof *u->keys);
    }
    u->keys[u->key_count++] = key;
}

/* The delegation that a receipt leans on; none where its provider signed it. */
static bool add_key(const struct collecting *c, const struct receipt_row *row, struct address key, struct err *err)
{
    const struct receipt *r = &row->signed_.receipt;
    const struct delegation *by;

    if (address_is_zero(key))
        return true;
    if (keyring_standing(catalog_keys(c->used->catalog), r->provider, key, r->finished_at_ms, row->accepted_at_ms, &by) != KEY_VALID)
        return missing(r, "delegation", err);
    add_row(&c->used->delegations, by);
    return true;
}

static bool add_signer(const struct collecting *c, const struct receipt_row *row, struct err *err)
{
    const struct receipt *r = &row->signed_.receipt;
    bool lends = keyring_has(catalog_keys(c->used->catalog), r->provider), fresh;
    struct address key;

    if (row->has_bundle) {
        struct bundle_use *use = add_bundle(c->used, row->bundle, row->bundle_index, &fresh);

        return (!lends || !fresh || bundle_key(c, use, err)) && add_key(c, row, use->key, err);
    }
    if (!lends)
        return true;
    if (!signed_with(c, &row->signed_.signature, row->hash, r->provider, &key, err))
        return false;
    keep_key(c->used, key);
    return add_key(c, row, key, err);
}

/* Who pays follows from the revision in force, also where it says that nobody is enrolled. */
static void add_consumer(struct used *u, const struct receipt_row *row)
{
    const struct consumer *c = NULL;

    if (row->signed_.has_consumer_signature)
        c = catalog_consumer_revision(u->catalog, row->signed_.receipt.consumer, row->accepted_at_ms);
    if (c != NULL)
        add_row(&u->consumers, c);
}

static bool add_receipt(void *self, const struct receipt_row *row, struct err *err)
{
    const struct receipt *r = &row->signed_.receipt;
    const struct collecting *c = self;
    struct used *u = c->used;
    const struct price_version *price = catalog_price_version(u->catalog, row->price_version);
    const struct provider *provider = catalog_provider(u->catalog, r->provider, row->accepted_at_ms);

    if (price == NULL)
        return missing(r, "price", err);
    if (provider == NULL)
        return missing(r, "provider", err);
    add_row(&u->prices, price);
    add_row(&u->providers, provider);
    add_consumer(u, row);
    offers_of_receipt(&u->offers, price, r, row->accepted_at_ms);
    return add_signer(c, row, err) && add_model(u, r, r->model, row->accepted_at_ms, err);
}

static void add_price(void *self, const struct price_version *p)
{
    add_row(&((struct used *)self)->prices, p);
}

/* Whether an operator's version took the base's place by then, so that its market moves no more.  A receipt need not have used
 * it, and it may have been recorded before its base. */
static bool ends_market(const struct price_version *p, const struct price_version *base, uint64_t until_ms)
{
    return p->step.base == 0 && !p->any_model && hash_eq(p->model, base->model) && p->recorded_at_ms <= until_ms
        && p->effective_from_ms <= until_ms
        && (p->effective_from_ms > base->effective_from_ms
            || (p->effective_from_ms == base->effective_from_ms && p->version > base->version));
}

/* A market's price follows from its base and all steps, and those from the capacity that admitted providers announced, until
 * another version takes its place. */
static bool add_markets(struct used *u, struct db *db, struct err *err)
{
    const struct offers *o = &u->offers;
    const struct price_version *p;

    for (size_t i = 0; i < o->market_count; i++) {
        const struct market_use *m = &o->markets[i];
        const struct price_version *base = catalog_price_version(u->catalog, m->base);

        for (uint64_t v = 1; base != NULL && (p = catalog_price_version(u->catalog, v)) != NULL; v++)
            if (v == m->base || (p->step.base == m->base && p->recorded_at_ms <= m->until_ms) || ends_market(p, base, m->until_ms))
                add_row(&u->prices, p);
    }
    if (!offers_load(&u->offers, u->catalog, db, err))
        return false;
    for (size_t i = 0; i < o->announced_count; i++) {
        const struct announcement *a = &o->announced[i];
        const struct provider *provider = catalog_provider(u->catalog, a->capacity.provider, a->recorded_at_ms);

        if (provider != NULL)                 /* NULL: withdrawn, as it was expelled */
            add_row(&u->providers, provider);
    }
    return true;
}

/* One snapshot for all of its tables, and its time.  Rows that come later are not what receipts of a closed batch were accepted by. */
static bool load_catalog(struct db *db, struct used *u, struct err *err)
{
    struct last_group last;
    uint64_t settings;
    bool ok;

    if (!db_begin(db, err))
        return false;
    ok = store_meta_group(db, &last, err) && store_catalog_load(db, &u->catalog, &settings, err);
    db_rollback(db);
    if (ok)
        u->offers.until_ms = last.now_ms;
    return ok;
}

bool used_collect(struct db *db, const struct domain *domain, struct batch_receipts *receipts, struct used *used, struct err *err)
{
    struct used u = { 0 };
    struct collecting c = { &u, db, domain };
    const struct keyring *keys;

    if (!load_catalog(db, &u, err))
        return false;
    if (!batch_receipts_each(receipts, add_receipt, &c, err) || !offers_quoted(&u.offers, u.catalog, db, add_price, &u, err)
        || !add_markets(&u, db, err)) {
        used_clear(&u);
        return false;
    }
    /* All of them, whoever's receipts are here: what a key may no longer sign must outlive this store. */
    keys = catalog_keys(u.catalog);
    for (size_t i = 0; i < keys->revocation_count; i++)
        add_row(&u.revocations, &keys->revocations[i]);
    *used = u;
    return true;
}

/* -- order of the lines; delegations and revocations lie in memory in theirs -- */

static int by_version(const void *a, const void *b)
{
    const struct price_version *x = *(const struct price_version *const *)a;
    const struct price_version *y = *(const struct price_version *const *)b;

    return (x->version > y->version) - (x->version < y->version);
}

static int by_provider(const void *a, const void *b)
{
    const struct provider *x = *(const struct provider *const *)a, *y = *(const struct provider *const *)b;
    int order = address_cmp(&x->address, &y->address);

    return order != 0 ? order : (x->since_ms > y->since_ms) - (x->since_ms < y->since_ms);
}

static int by_consumer(const void *a, const void *b)
{
    const struct consumer *x = *(const struct consumer *const *)a, *y = *(const struct consumer *const *)b;
    int order = address_cmp(&x->address, &y->address);

    return order != 0 ? order : (x->since_ms > y->since_ms) - (x->since_ms < y->since_ms);
}

static int by_model(const void *a, const void *b)
{
    const struct model *x = *(const struct model *const *)a, *y = *(const struct model *const *)b;
    int order = memcmp(x->model.b, y->model.b, sizeof x->model.b);

    return order != 0 ? order : address_cmp(&x->creator, &y->creator);
}

static void sort_rows(struct rows *rows, int (*order)(const void *a, const void *b))
{
    if (rows->count > 0)
        qsort(rows->list, rows->count, sizeof *rows->list, order);
}

void used_sort(struct used *used)
{
    sort_rows(&used->prices, by_version);
    sort_rows(&used->providers, by_provider);
    sort_rows(&used->models, by_model);
    sort_rows(&used->consumers, by_consumer);
}

void used_clear(struct used *used)
{
    free(used->prices.list);
    free(used->providers.list);
    free(used->models.list);
    free(used->delegations.list);
    free(used->revocations.list);
    free(used->consumers.list);
    offers_clear(&used->offers);
    for (size_t i = 0; i < used->bundle_count; i++)
        free(used->bundles[i].bits);
    free(used->bundles);
    free(used->keys);
    catalog_free(used->catalog);
    *used = (struct used){ 0 };
}

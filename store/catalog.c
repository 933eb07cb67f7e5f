#include "store/catalog.h"

#include <limits.h>

#include "store/catalog_rows.h"
#include "store/meta.h"

bool store_catalog_settings(struct db *db, uint64_t *settings, struct err *err)
{
    return store_meta_get(db, "settings", settings, err);
}

static bool add_provider(void *self, const struct provider *p)   { catalog_add_provider(self, p); return true; }
static bool add_consumer(void *self, const struct consumer *c)   { catalog_add_consumer(self, c); return true; }
static bool add_model(void *self, const struct model *m)         { catalog_add_model(self, m);    return true; }
static bool add_price(void *self, const struct price_version *p) { catalog_add_price(self, p);    return true; }
static bool add_delegation(void *self, const struct delegation *d) { catalog_add_delegation(self, d); return true; }
static bool add_revocation(void *self, const struct revocation *r) { catalog_add_revocation(self, r); return true; }

bool store_catalog_load(struct db *db, struct catalog **catalog, uint64_t *settings, struct err *err)
{
    struct catalog *c = catalog_new();
    uint64_t number;

    /* The number first: whatever is written while we read makes the catalog look older than it is, never newer, and
     * so it is loaded again. */
    if (!store_catalog_settings(db, &number, err)
        || !store_provider_revisions(db, add_provider, c, err)
        || !store_consumer_revisions(db, add_consumer, c, err)
        || !store_models(db, NULL, NULL, UINT_MAX, add_model, c, err)
        || !store_prices(db, 0, UINT_MAX, add_price, c, err)
        || !store_delegations(db, add_delegation, c, err)
        || !store_revocations(db, add_revocation, c, err)) {
        catalog_free(c);
        return false;
    }
    catalog_seal(c);
    *catalog = c;
    *settings = number;
    return true;
}

/* store/catalog.h - providers, consumers, models and prices: rows in, and the whole history out as a core catalog.
 *
 * Every change raises meta 'settings', by which running gateways notice that their catalog is old.  Changes belong into
 * a writer task that is `alone`, so that they have a time of their own. */
#ifndef QUITTANCE_STORE_CATALOG_H
#define QUITTANCE_STORE_CATALOG_H

#include "gateway/core/catalog.h"
#include "store/db.h"

MUST_USE bool store_catalog_load(struct db *db, struct catalog **catalog, uint64_t *settings, struct err *err);   /* sealed; caller owns */
MUST_USE bool store_catalog_settings(struct db *db, uint64_t *settings, struct err *err);

MUST_USE bool store_provider_add(struct db *db, const struct provider *p, struct err *err);          /* a revision */
MUST_USE bool store_provider_latest(struct db *db, struct address a, struct provider *p, bool *found, struct err *err);
MUST_USE bool store_consumer_add(struct db *db, const struct consumer *c, struct err *err);
MUST_USE bool store_consumer_latest(struct db *db, struct address a, struct consumer *c, bool *found, struct err *err);
MUST_USE bool store_model_add(struct db *db, const struct model *m, uint64_t now_ms, struct err *err);
MUST_USE bool store_model_find(struct db *db, struct hash model, struct address creator, struct model *m, bool *found, struct err *err);
MUST_USE bool store_model_verified(struct db *db, struct hash model, struct model *m, bool *found, struct err *err);
MUST_USE bool store_model_set_verified(struct db *db, struct hash model, struct address creator, uint64_t now_ms, struct err *err);
/* Numbers the version; p->version is set. */
MUST_USE bool store_price_add(struct db *db, struct price_version *p, struct err *err);
/* Under the number it had in a store that was lost: archives name it.  ERR_CONFLICT: that number is taken. */
MUST_USE bool store_price_restore(struct db *db, const struct price_version *p, struct err *err);

/* ERR_BUG: it is there. */
MUST_USE bool store_delegation_add(struct db *db, const struct delegation *d, struct err *err);
MUST_USE bool store_revocation_add(struct db *db, const struct revocation *r, struct err *err);

/* Lists for the API: latest revision of each, by key, after a cursor (NULL: from the start).  visit returns false to stop. */
typedef bool provider_fn(void *self, const struct provider *p);
typedef bool consumer_fn(void *self, const struct consumer *c);
typedef bool model_fn(void *self, const struct model *m);
typedef bool price_fn(void *self, const struct price_version *p);
typedef bool delegation_fn(void *self, const struct delegation *d);
typedef bool revocation_fn(void *self, const struct revocation *r);
MUST_USE bool store_delegations(struct db *db, delegation_fn *visit, void *self, struct err *err);      /* all */
MUST_USE bool store_revocations(struct db *db, revocation_fn *visit, void *self, struct err *err);
MUST_USE bool store_providers(struct db *db, const struct address *after, unsigned limit, provider_fn *visit, void *self, struct err *err);
MUST_USE bool store_consumers(struct db *db, const struct address *after, unsigned limit, consumer_fn *visit, void *self, struct err *err);
MUST_USE bool store_models(struct db *db, const struct hash *after_model, const struct address *after_creator, unsigned limit,
                           model_fn *visit, void *self, struct err *err);
MUST_USE bool store_prices(struct db *db, uint64_t after_version, unsigned limit, price_fn *visit, void *self, struct err *err);

#endif

/* store/catalog_rows.h - every row of a catalog table, for catalog.c only: the lists of catalog.h show the latest. */
#ifndef QUITTANCE_STORE_CATALOG_ROWS_H
#define QUITTANCE_STORE_CATALOG_ROWS_H

#include "store/catalog.h"

MUST_USE bool store_provider_revisions(struct db *db, provider_fn *visit, void *self, struct err *err);
MUST_USE bool store_consumer_revisions(struct db *db, consumer_fn *visit, void *self, struct err *err);

#endif

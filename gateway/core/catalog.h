/* gateway/core/catalog.h - who is admitted, which models exist, what things cost: everything a receipt is judged by.
 *
 * A catalog holds the whole history, each row with the time it took effect, so that the same questions can be asked
 * about any past moment: the writer asks about now, an audit about acceptedAt.  Filled from the store or from an
 * archive, then only read: it may be shared by threads.  All times Unix ms. */
#ifndef QUITTANCE_CORE_CATALOG_H
#define QUITTANCE_CORE_CATALOG_H

#include "gateway/core/model.h"
#include "gateway/core/price.h"
#include "gateway/core/typed.h"

#define ACCOUNT_NAME_MAX 64

/* One revision of a provider or of a consumer. */
struct provider {
    struct address address, payout;
    char name[ACCOUNT_NAME_MAX * 4 + 1];
    bool has_daily_limit;
    struct amount daily_limit;                /* base units a UTC day */
    uint64_t since_ms;
    bool admitted;                            /* false: expelled at since_ms */
};
struct consumer {
    struct address address;
    char name[ACCOUNT_NAME_MAX * 4 + 1];
    bool has_credit_limit;
    struct amount credit_limit;
    uint64_t since_ms;
    bool enrolled;
};

struct catalog;                               /* heap */
struct catalog *catalog_new(void);
void catalog_free(struct catalog *catalog);   /* NULL is fine */
/* Rows may come in any order; catalog_seal must be called before the first question and after the last row. */
void catalog_add_provider(struct catalog *c, const struct provider *p);
void catalog_add_consumer(struct catalog *c, const struct consumer *p);
void catalog_add_model(struct catalog *c, const struct model *m);
void catalog_add_price(struct catalog *c, const struct price_version *p);
void catalog_seal(struct catalog *c);

/* All answers are borrowed; NULL: none at that time. */
const struct provider *catalog_provider(const struct catalog *c, struct address provider, uint64_t at_ms);   /* admitted */
const struct consumer *catalog_consumer(const struct catalog *c, struct address consumer, uint64_t at_ms);   /* enrolled */
/* The revision in force, enrolled or not. */
const struct consumer *catalog_consumer_revision(const struct catalog *c, struct address consumer, uint64_t at_ms);
const struct model *catalog_model(const struct catalog *c, struct hash model, uint64_t at_ms);   /* the verified claim */
bool catalog_model_claimed(const struct catalog *c, struct hash model);       /* somebody registered it */
/* Among versions recorded at or before accepted_at: the model's own with effectiveFrom <= finished_at, the latest, then
 * the highest number; if none, the same among "*" (design 5). */
const struct price_version *catalog_price(const struct catalog *c, struct hash model, uint64_t finished_at_ms, uint64_t accepted_at_ms);
const struct price_version *catalog_price_version(const struct catalog *c, uint64_t version);

/* Whether registering m keeps the bounds: parents claimed by somebody, depth, paths.  ERR_INVALID says which not.  An
 * ancestor that nobody's claim is verified for counts with its first claim, so ask again before verifying m: its
 * parents are verified by then and the answer is exact. */
MUST_USE bool catalog_check_lineage(const struct catalog *c, const struct model *m, struct err *err);
/* Whether a quote binds a receipt: model, provider and consumer match (a zero account matches all), started in time. */
bool quote_matches(const struct quote *q, const struct receipt *r);

#endif

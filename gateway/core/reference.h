/* gateway/core/reference.h - a reference price list: what others charge for tokens, as an operator recorded it on a date.
 *
 * The list is a CSV file (RFC 4180) whose header names at least provider, model_id, valid_from, input_usd_per_mtok,
 * cache_read_usd_per_mtok, output_usd_per_mtok, tier_input_usd_per_mtok and tier_output_usd_per_mtok: US dollars for 10^6 tokens, empty =
 * not known, valid_from a date or empty.  Its digest is the Keccak-256 of the exact bytes of the file.  With it are pinned the date of
 * the list, what a whole settlement token is worth in US dollars, and which row stands for which of our models.
 * Of a model's rows those with the latest valid_from that is not after the list's date count; where several are left (prices by the
 * hour), or a row has a price for long prompts, the lowest of each column counts, so that nobody is said to have saved what he might
 * not have paid.  Cached tokens cost as input where no price for them is listed: who lists none bills them so.
 * A row without an input or output price compares with nothing and is refused; unknown is never zero. */
#ifndef QUITTANCE_CORE_REFERENCE_H
#define QUITTANCE_CORE_REFERENCE_H

#include "gateway/lib/json.h"

#define REFERENCE_CSV_MAX (1 * MIB)
#define REFERENCE_ROWS_MAX 20000u
#define REFERENCE_VERSIONS_MAX 1000u
#define REFERENCE_MODELS_MAX 200u
#define REFERENCE_NAME_MAX 128                /* bytes of a provider's name or model_id */
#define REFERENCE_DATE 11                     /* 2026-08-21 and a zero byte */
#define DOLLAR_DECIMALS 18
#define PRICE_DECIMALS 12                     /* of dollars for 10^6 tokens: one token then costs whole attodollars */

/* 10^-18 US dollars: cannot be added to an amount. */
struct dollars { struct u256 atto; };

struct reference_model {
    struct hash model;                        /* ours */
    char provider[REFERENCE_NAME_MAX + 1], model_id[REFERENCE_NAME_MAX + 1];
    struct dollars input, cached, output;     /* of one token */
    bool cached_listed;                       /* else it is the input's */
};
struct reference {
    uint64_t version;                         /* from 1; 0: not imported yet */
    struct hash digest;
    char date[REFERENCE_DATE];
    struct dollars token_price;               /* of a whole token */
    struct reference_model *models;           /* owned; sorted by model */
    size_t count;
    uint64_t recorded_at_ms;
};
void reference_clear(struct reference *r);
/* NULL: the list has no price for it. */
const struct reference_model *reference_model_of(const struct reference *r, struct hash model);

/* {date, tokenPrice, models:[{model, provider, modelId}]} as an operator states it; the prices are still to be found.  ERR_INVALID
 * names the member and the rule.  *r is the caller's: reference_clear. */
MUST_USE bool reference_from_draft(const json *object, struct reference *r, struct err *err);
/* "0xMODEL=PROVIDER/MODEL_ID,...": the same mapping in a line, as JSON; caller owns. */
MUST_USE bool reference_models_from_text(const char *text, json **models, struct err *err);
/* Sets the digest and each model's prices.  ERR_INVALID: no such list, or a model that it has no prices for. */
MUST_USE bool reference_price(struct reference *r, const void *csv, size_t len, struct err *err);

/* {version, digest, date, currency, tokenPrice, models:[{model, provider, modelId, inputPerMillion, cachedPerMillion, cachedListed,
 * outputPerMillion}], recordedAt}; and back, strictly. */
json *reference_to_json(const struct reference *r);
json *reference_terms(const struct reference *r);       /* of it only version, digest, date, currency and tokenPrice */
json *reference_model_to_json(const struct reference_model *m);
MUST_USE bool reference_from_json(const json *object, struct reference *r, struct err *err);
/* Whether both pin the same, whatever their versions. */
bool reference_same(const struct reference *a, const struct reference *b);
void dollars_to_text(struct dollars d, unsigned decimals, char text[160]);
MUST_USE bool dollars_from_json(const json *v, unsigned decimals, struct dollars *d);

/* Where the published files lie: {dir}/{digest}.reference.csv, and {dir}/{version}.reference.json by archive_path. */
#define REFERENCE_SUFFIX ".reference.json"
void reference_file_path(const char *dir, struct hash digest, char *path, size_t size);

#endif

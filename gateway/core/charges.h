/* gateway/core/charges.h - the lines of a charge statement: CSV (RFC 4180), one a receipt, in the order of charge_columns. */
#ifndef QUITTANCE_CORE_CHARGES_H
#define QUITTANCE_CORE_CHARGES_H

#include "gateway/core/receipt.h"

#define CHARGE_LINES_MAX 20000u               /* of one statement */

extern const char *const charge_columns[];    /* NULL ends them */
struct charge_line {
    uint64_t at_ms;                           /* of acceptance */
    struct job_id job_id;
    struct address provider;
    struct hash receipt, model;
    uint64_t count[METER_COUNT], price_version;
    struct amount share;
};
/* *lines is the caller's: free; sorted by (jobId, provider).  ERR_INVALID names the row and the rule: another column, a value that is
 * none, a receipt twice. */
MUST_USE bool charge_lines_parse(const void *csv, size_t len, struct charge_line **lines, size_t *count, struct err *err);
/* NULL: not among them. */
struct charge_line *charge_line_find(struct charge_line *lines, size_t count, struct job_id job_id, struct address provider);

#endif

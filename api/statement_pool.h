/* api/statement_pool.h - the lines of a statement that the popularity pool makes: an account's parts of the epochs a batch pays.
 *
 * A part is of one used model, by one of the models whose creator is paid; an account's parts of a batch sum to its postings with role
 * popularity there.  Computed from the booked epoch, as it was booked. */
#ifndef QUITTANCE_API_STATEMENT_POOL_H
#define QUITTANCE_API_STATEMENT_POOL_H

#include "api/statement_line.h"
#include "gateway/core/popularity.h"
#include "store/db.h"

struct pool_part {
    struct popularity_terms terms;
    struct amount available;                  /* budget and what the epoch before left over */
    struct u256 scores;                       /* of all models */
    struct popularity_row used;
    struct share share;
};
struct pool_parts { struct pool_part *list; size_t count; };         /* by (epoch, used model) */
void pool_parts_clear(struct pool_parts *parts);
MUST_USE bool pool_parts_load(struct db *db, const struct catalog *c, uint64_t batch, struct address account, struct pool_parts *parts,
                              struct err *err);
json *statement_pool_part(const struct statement_batch *batch, const struct catalog *c, const struct pool_part *part);      /* caller owns */

#endif

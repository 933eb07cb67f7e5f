/* tests/support/mutate.h - a text of JSON with one small change: a character of JSON or any byte put in place of another, up to
 * four bytes gone, one twice.  What two readers make of it must be the same. */
#ifndef QUITTANCE_TESTS_MUTATE_H
#define QUITTANCE_TESTS_MUTATE_H

#include "gateway/base/buf.h"
#include "tests/support/rng.h"

void mutate_json(struct rng *rng, struct buf *text);          /* not empty; ends with a zero byte after it */

#endif

/* gateway/adopt.h - the catalog of a contract's predecessor, copied into the successor's store while that is still empty.
 *
 * Providers, consumers, prices under their versions, and model registrations with their creators' signatures: these name the
 * contract they were made for, and audits take them once that one has named this one its successor (audit/predecessors.h).
 * Everything counts from now on; expelled ones stay behind. */
#ifndef QUITTANCE_ADOPT_H
#define QUITTANCE_ADOPT_H

#include "gateway/config.h"

struct adopt_report { uint64_t providers, consumers, prices, models; };
/* Reads the predecessor's store while it may be served.  ERR_CONFIG: the two do not fit, or the token is another one, or the
 * store holds something already; ERR_AGAIN: the successor is being served. */
MUST_USE bool adopt_catalog(const struct config *config, const struct config *predecessor, struct adopt_report *report, struct err *err);

#endif

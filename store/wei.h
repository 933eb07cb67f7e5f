/* store/wei.h - gas money is kept as an amount is: 32 bytes big-endian. */
#ifndef QUITTANCE_STORE_WEI_H
#define QUITTANCE_STORE_WEI_H

#include "store/db.h"

static inline void stmt_bind_wei(struct stmt *st, struct wei v) { stmt_bind_amount(st, (struct amount){ v.v }); }
static inline struct wei stmt_wei(struct stmt *st) { return (struct wei){ stmt_amount(st).base_units }; }

#endif

/* store/leaves.h - reading rows of (account, claimable), for leaves.c and transactions.c. */
#ifndef QUITTANCE_STORE_LEAVES_H
#define QUITTANCE_STORE_LEAVES_H

#include "store/batches.h"

/* Ends st.  What leaves held before is not freed. */
MUST_USE bool reward_leaves_read(struct stmt *st, struct reward_leaves *leaves, struct err *err);

#endif

/* gateway/core/state.h - every state and what may follow what (design 8).  Numbers are kept in the store. */
#ifndef QUITTANCE_CORE_STATE_H
#define QUITTANCE_CORE_STATE_H

#include <stdbool.h>

enum receipt_state { RECEIPT_ACCEPTED = 1, RECEIPT_QUARANTINED, RECEIPT_REFUSED };
#define RECEIPT_STATES (RECEIPT_REFUSED + 1)
bool receipt_may_become(enum receipt_state from, enum receipt_state to);
const char *receipt_state_name(enum receipt_state state);

enum batch_state {
    BATCH_OPEN = 1, BATCH_CLOSED, BATCH_PREPARED, BATCH_COMMITTED, BATCH_ACTIVE, BATCH_DISTRIBUTED, BATCH_FINAL, BATCH_CANCELLED
};
#define BATCH_STATES (BATCH_CANCELLED + 1)
bool batch_may_become(enum batch_state from, enum batch_state to);
const char *batch_state_name(enum batch_state state);

enum tx_state { TX_PREPARED = 1, TX_SENT, TX_MINED, TX_FINAL, TX_REVERTED, TX_VOID, TX_FOREIGN };
#define TX_STATES (TX_FOREIGN + 1)
bool tx_may_become(enum tx_state from, enum tx_state to);
const char *tx_state_name(enum tx_state state);

/* What an outsider sees of a receipt: its own state, then that of its batch. */
const char *receipt_public_state(enum receipt_state state, enum batch_state batch, bool all_paid);

#endif

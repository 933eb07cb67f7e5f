#include "gateway/core/state.h"

#include "gateway/base/err.h"

static const bool receipt_moves[RECEIPT_STATES][RECEIPT_STATES] = {
    [RECEIPT_QUARANTINED] = { [RECEIPT_ACCEPTED] = true, [RECEIPT_REFUSED] = true },
};

static const bool batch_moves[BATCH_STATES][BATCH_STATES] = {
    [BATCH_OPEN]        = { [BATCH_CLOSED] = true },
    [BATCH_CLOSED]      = { [BATCH_PREPARED] = true },
    /* Never back to closed: once signed, the commit may be on the chain, and only the chain can tell. */
    [BATCH_PREPARED]    = { [BATCH_COMMITTED] = true, [BATCH_CANCELLED] = true },
    [BATCH_COMMITTED]   = { [BATCH_ACTIVE] = true, [BATCH_CANCELLED] = true },
    [BATCH_ACTIVE]      = { [BATCH_DISTRIBUTED] = true },
    [BATCH_DISTRIBUTED] = { [BATCH_FINAL] = true },
    [BATCH_CANCELLED]   = { [BATCH_CLOSED] = true },               /* `carry` only: a person decided */
};

static const bool tx_moves[TX_STATES][TX_STATES] = {
    [TX_PREPARED] = { [TX_SENT] = true },
    [TX_SENT]     = { [TX_MINED] = true, [TX_FOREIGN] = true },
    [TX_MINED]    = { [TX_FINAL] = true, [TX_REVERTED] = true, [TX_VOID] = true,
                      [TX_SENT] = true },                          /* back to sent: reorg */
    [TX_FOREIGN]  = { [TX_MINED] = true },                         /* its receipt turned up after all */
};

bool receipt_may_become(enum receipt_state from, enum receipt_state to) { return receipt_moves[from][to]; }
bool batch_may_become(enum batch_state from, enum batch_state to) { return batch_moves[from][to]; }
bool tx_may_become(enum tx_state from, enum tx_state to) { return tx_moves[from][to]; }

const char *receipt_state_name(enum receipt_state state)
{
    switch (state) {
    case RECEIPT_ACCEPTED:    return "accepted";
    case RECEIPT_QUARANTINED: return "quarantined";
    case RECEIPT_REFUSED:     return "refused";
    }
    bug("receipt state %d", (int)state);     /* a newer schema, or a damaged row */
}

const char *batch_state_name(enum batch_state state)
{
    switch (state) {
    case BATCH_OPEN:        return "open";
    case BATCH_CLOSED:      return "closed";
    case BATCH_PREPARED:    return "prepared";
    case BATCH_COMMITTED:   return "committed";
    case BATCH_ACTIVE:      return "active";
    case BATCH_DISTRIBUTED: return "distributed";
    case BATCH_FINAL:       return "final";
    case BATCH_CANCELLED:   return "cancelled";
    }
    bug("batch state %d", (int)state);
}

const char *tx_state_name(enum tx_state state)
{
    switch (state) {
    case TX_PREPARED: return "prepared";
    case TX_SENT:     return "sent";
    case TX_MINED:    return "mined";
    case TX_FINAL:    return "final";
    case TX_REVERTED: return "reverted";
    case TX_VOID:     return "void";
    case TX_FOREIGN:  return "foreign";
    }
    bug("transaction state %d", (int)state);
}

static const char *accepted_state(enum batch_state batch, bool all_paid)
{
    switch (batch) {
    case BATCH_OPEN:
        return "accepted";
    case BATCH_CLOSED:
    case BATCH_PREPARED:
    case BATCH_CANCELLED:                    /* waits to be carried into another settlement */
        return "batched";
    case BATCH_COMMITTED:                    /* not active yet: not even a job worth nothing is paid */
        return "committed";
    case BATCH_ACTIVE:
    case BATCH_DISTRIBUTED:
    case BATCH_FINAL:
        return all_paid ? "paid" : "committed";
    }
    bug("batch state %d", (int)batch);
}

const char *receipt_public_state(enum receipt_state state, enum batch_state batch, bool all_paid)
{
    return state == RECEIPT_ACCEPTED ? accepted_state(batch, all_paid) : receipt_state_name(state);
}

#include "chain/rpc_class.h"

#include <stddef.h>
#include <string.h>

#include "gateway/base/types.h"

#define MESSAGE_MAX 512u      /* a node's own words come first; what providers add is at the end */

/* First row that fits wins, so the order is part of the table: a text that holds another row's words stands above it.
 * Providers wrap texts ("INTERNAL_ERROR: ...", "... | node-17"), so they match anywhere. */
static const struct row { const char *text; enum rpc_class class; } rows[] = {
    /* These hold the words of rows below and mean something else. */
    { "unknown transaction",                         RPC_UNKNOWN },         /* "known transaction" */
    { "future transaction tries to replace pending", RPC_POOL_FULL },
    { "typed tx not supported",                      RPC_MALFORMED },

    /* The revert's own text may hold any words ("nonce too low"), so it is judged before them. */
    { "execution reverted",                          RPC_REVERT },
    { "vm execution error",                          RPC_REVERT },
    { "vm exception while processing",               RPC_REVERT },

    { "already known",                               RPC_KNOWN },
    { "alreadyknown",                                RPC_KNOWN },
    { "already imported",                            RPC_KNOWN },
    { "known transaction",                           RPC_KNOWN },
    { "existing txn with same hash",                 RPC_KNOWN },
    { "existing tx with same hash",                  RPC_KNOWN },
    { "transaction with same hash",                  RPC_KNOWN },
    { "transaction with the same hash",              RPC_KNOWN },

    { "replacement transaction underpriced",         RPC_BUMP_NEEDED },
    { "replacementnotallowed",                       RPC_BUMP_NEEDED },
    { "insufficient gas price to replace",           RPC_BUMP_NEEDED },
    { "could not replace existing tx",               RPC_BUMP_NEEDED },
    { "another transaction with same nonce",         RPC_BUMP_NEEDED },
    { "ownnoncealreadyused",                         RPC_BUMP_NEEDED },

    { "delegated accounts",                          RPC_DELEGATED },
    { "delegation nonce gap",                        RPC_DELEGATED },
    { "already reserved",                            RPC_DELEGATED },
    { "has pending transaction",                     RPC_DELEGATED },
    { "pending transaction type conflict",           RPC_DELEGATED },

    { "nonce too low",                               RPC_NONCE_USED },
    { "nonce is too low",                            RPC_NONCE_USED },
    { "oldnonce",                                    RPC_NONCE_USED },
    { "nonce too high",                              RPC_NONCE_AHEAD },
    { "nonce too far in future",                     RPC_NONCE_AHEAD },
    { "noncegap",                                    RPC_NONCE_AHEAD },
    { "nonce is too distant",                        RPC_NONCE_AHEAD },
    { "transaction with a lower nonce",              RPC_NONCE_AHEAD },

    { "pool is full",                                RPC_POOL_FULL },
    { "pool full",                                   RPC_POOL_FULL },
    { "discarded outright",                          RPC_POOL_FULL },
    { "spammer",                                     RPC_POOL_FULL },
    { "too many transactions in the queue",          RPC_POOL_FULL },

    { "insufficient funds",                          RPC_FUNDS },
    { "insufficientfunds",                           RPC_FUNDS },
    { "overdraws from account",                      RPC_FUNDS },
    { "upfront cost exceeds",                        RPC_FUNDS },

    { "exceeds the configured cap",                  RPC_FEE_CAP },
    { "transaction fee cap exceeded",                RPC_FEE_CAP },

    { "intrinsic gas",                               RPC_BAD_GAS },
    { "intrinsicgas",                                RPC_BAD_GAS },
    { "floor data gas",                              RPC_BAD_GAS },
    { "gas required exceeds",                        RPC_BAD_GAS },         /* of eth_estimateGas */
    { "exceeds block gas limit",                     RPC_BAD_GAS },
    { "exceeds block's gas limit",                   RPC_BAD_GAS },
    { "exceeds max transaction gas limit",           RPC_BAD_GAS },
    { "gas limit too high",                          RPC_BAD_GAS },
    { "gas limit is too high",                       RPC_BAD_GAS },
    { "gas limit reached",                           RPC_BAD_GAS },
    { "gas limit cap exceeded",                      RPC_BAD_GAS },
    { "gaslimitexceeded",                            RPC_BAD_GAS },

    { "priority fee per gas higher than",            RPC_MALFORMED },
    { "priority fee per gas exceeds",                RPC_MALFORMED },
    { "invalid sender",                              RPC_MALFORMED },
    { "oversized data",                              RPC_MALFORMED },
    { "negative value",                              RPC_MALFORMED },
    { "only replay-protected",                       RPC_MALFORMED },
    { "failed to decode",                            RPC_MALFORMED },
    { "invalid transaction signature",               RPC_MALFORMED },
    { "invalid signature",                           RPC_MALFORMED },
    { "invalid chain id",                            RPC_MALFORMED },
    { "wrong chainid",                               RPC_MALFORMED },
    { "failed to recover sender",                    RPC_MALFORMED },
    { "transaction invalid",                         RPC_MALFORMED },
    { "transaction too large",                       RPC_MALFORMED },
    { "rlptoolong",                                  RPC_MALFORMED },

    { "underpriced",                                 RPC_PRICE_LOW },
    { "gas price below",                             RPC_PRICE_LOW },
    { "below chain minimum",                         RPC_PRICE_LOW },
    { "below minimum required priority fee",         RPC_PRICE_LOW },
    { "feetoolow",                                   RPC_PRICE_LOW },
    { "fee too low",                                 RPC_PRICE_LOW },
    { "less than block base fee",                    RPC_PRICE_LOW },
    { "less than gas price minimum",                 RPC_PRICE_LOW },

    { "node is syncing",                             RPC_DOWN },
    { "sync is still in progress",                   RPC_DOWN },
    { "transaction pool not enabled",                RPC_DOWN },
    { "limit exceeded",                              RPC_DOWN },
    { "rate limit",                                  RPC_DOWN },
    { "request count exceeded",                      RPC_DOWN },
    { "too many requests",                           RPC_DOWN },
    { "capacity",                                    RPC_DOWN },
};

enum rpc_class rpc_classify(const char *message)
{
    char lower[MESSAGE_MAX];
    size_t len = 0;

    for (; message[len] != '\0' && len < sizeof lower - 1; len++)
        lower[len] = (char)(message[len] >= 'A' && message[len] <= 'Z' ? message[len] - 'A' + 'a' : message[len]);
    lower[len] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strstr(lower, rows[i].text) != NULL)
            return rows[i].class;
    return RPC_UNKNOWN;
}

const char *rpc_class_name(enum rpc_class c)
{
    switch (c) {
    case RPC_UNKNOWN:     return "unknown";
    case RPC_KNOWN:       return "known";
    case RPC_NONCE_USED:  return "nonce-used";
    case RPC_NONCE_AHEAD: return "nonce-ahead";
    case RPC_BUMP_NEEDED: return "bump-needed";
    case RPC_PRICE_LOW:   return "price-low";
    case RPC_POOL_FULL:   return "pool-full";
    case RPC_FUNDS:       return "funds";
    case RPC_FEE_CAP:     return "fee-cap";
    case RPC_BAD_GAS:     return "bad-gas";
    case RPC_MALFORMED:   return "malformed";
    case RPC_DELEGATED:   return "delegated";
    case RPC_REVERT:      return "revert";
    case RPC_DOWN:        return "down";
    }
    bug("RPC class %d", (int)c);
}

/* chain/rpc_class.h - what a node's error text means, in one table.
 *
 * Clients use the same codes for different things, so only the message is judged, by lower-cased substrings, first
 * row wins.  Sources: geth, reth, nethermind, besu, erigon, anvil. */
#ifndef QUITTANCE_CHAIN_RPC_CLASS_H
#define QUITTANCE_CHAIN_RPC_CLASS_H

enum rpc_class {
    RPC_UNKNOWN,          /* any other text: may have been sent */
    RPC_KNOWN,            /* same bytes already in the pool: accepted */
    RPC_NONCE_USED,
    RPC_NONCE_AHEAD,
    RPC_BUMP_NEEDED,      /* another transaction holds the nonce */
    RPC_PRICE_LOW,
    RPC_POOL_FULL,
    RPC_FUNDS,
    RPC_FEE_CAP,
    RPC_BAD_GAS,
    RPC_MALFORMED,
    RPC_DELEGATED,
    RPC_REVERT,
    RPC_DOWN              /* rate limit, quota, syncing */
};
enum rpc_class rpc_classify(const char *message);
const char *rpc_class_name(enum rpc_class c);

#endif

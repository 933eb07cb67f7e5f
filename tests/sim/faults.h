/* tests/sim/faults.h - all that may go wrong, one row a fault; a seed draws which of them it has and how often.
 *
 * A row: name; chance of one opportunity in 10 000, at most; what it is.  Opportunities are named by their section. */
#ifndef QUITTANCE_SIM_FAULTS_H
#define QUITTANCE_SIM_FAULTS_H

#define SIM_FAULTS(X)                                                                                                  \
    /* each exchange with an endpoint */                                                                               \
    X(REFUSED,         1500, "no connection: certainly not sent")                                                      \
    X(TIMEOUT_UNSENT,  1000,  "no answer, and the request never arrived")                                               \
    X(REPLY_LOST,      1500, "executed, and the answer is lost")                                                       \
    X(ARRIVES_LATE,    2500,  "no answer; a transaction arrives later, behind others")                                  \
    X(HTTP_429,        800,  "turned away by a rate limit")                                                            \
    X(HTTP_502,        600,  "a proxy's page instead of an answer, after the node had executed it")                    \
    X(NOT_JSON,        600,  "half an answer")                                                                         \
    X(WRONG_ID,        300,  "the answer to another request")                                                          \
    X(SYNCING,         800,  "node is syncing")                                                                        \
    X(UNKNOWN_WORDS,   600,  "an error in words nobody knows, before or after it was executed")                        \
    /* each eth_sendRawTransaction */                                                                                  \
    X(WRONG_HASH,      1500,  "taken, and answered with another hash")                                                  \
    X(LOST_BY_NODE,    2500, "answered with the hash and forgotten")                                                   \
    X(NOT_GOSSIPED,    3000, "kept by the node and told to nobody")                                                    \
    X(POOL_FULL,       2000, "txpool is full")                                                                         \
    X(DELEGATED,       600,  "the key has an EIP-7702 delegation")                                                     \
    X(BAD_GAS_WORDS,   1500,  "good bytes refused as if they had too little gas")                                       \
    X(NONCE_LOW_WORDS, 1000,  "nonce too low, where it is not")                                                         \
    /* each question */                                                                                                \
    X(NULL_RECEIPT,    4000, "no receipt of a mined transaction")                                                      \
    X(NO_LOGS,         2000, "no logs where there are some")                                                           \
    X(LOGS_RANGE,      5000, "block range too large")                                                                  \
    X(NO_STATE,        2500, "the state of an older block is pruned")                                                  \
    X(PENDING_STUCK,   4000, "`pending` shows no more than `latest`")                                                  \
    X(FEE_LIE,         1500,  "rewards of 2^255 in eth_feeHistory")                                                     \
    /* each block, each endpoint */                                                                                    \
    X(DOWN,            500,  "an endpoint is away for some blocks")                                                    \
    X(LAGS,            1000,  "an endpoint's head stands still for some blocks, on a side branch after a reorg")        \
    X(OTHER_CHAIN,     300,  "another chain's node answers at an endpoint's address for some blocks")                  \
    X(EVICTED,         3000,  "a pool forgets one of its transactions")                                                 \
    X(HIDES_RECEIPTS,  500,  "an endpoint has no receipts for up to 50 blocks")                                        \
    /* each block */                                                                                                   \
    X(REORG,           3000, "the last blocks are replaced, up to the depth that counts as final")                     \
    X(REORG_DROPS,     7000, "of a replaced block: its transactions are in no pool afterwards")                        \
    X(FEE_SPIKE,       600,  "base fee and tips times up to 1000 for some blocks")                                     \
    X(EMPTY_BLOCK,     5000, "nothing is mined")                                                                       \
    X(FOREIGN_NONCE,   500,  "a stranger uses the key")                                                                \
    X(FOREIGN_CLAIM,   1000, "an earner claims by itself")                                                             \
    X(FOREIGN_DISTRIBUTE, 500, "an outsider distributes first")                                                        \
    X(CANCEL,          2500,  "the guardian cancels what is pending")                                                   \
    X(PAUSE,           200,  "the guardian pauses commits")                                                            \
    X(BLOCKED,         600,  "the token refuses an account for some blocks")                                           \
    X(UNFUNDED,        10000, "of a seed: the contract is funded late")                                                \
    X(POOR,            10000, "of a seed: the key has too little ether, until somebody tops it up")                    \
    /* each commit to the store */                                                                                     \
    X(DISK_FULL,       1500,  "the commit is refused")                                                                  \
    X(STORE_BUSY,      800,  "no transaction can be begun")                                                            \
    X(COMMIT_KEPT,     1200,  "the commit is kept and its answer is lost")                                              \
    X(COMMIT_GONE,     1200,  "the commit is not kept and its answer is lost")                                          \
    /* each store write and each exchange */                                                                           \
    X(CRASH_BEFORE,    150,   "the process ends: the write is not kept, the request not sent")                          \
    X(CRASH_AFTER,     150,   "the process ends: the write is kept, the request executed")                              \
    /* each look of the process */                                                                                     \
    X(CLOCK_JUMP,      300,  "the clock leaps ahead, or back by less than what is believed")                            \
    /* of several gateways: each exchange and each write; each turn; each statement */                                  \
    X(STOPPED,         800,  "the process is stopped for up to 40 s, and goes on where it was")                         \
    X(KILLED,          2000,  "kill -9 of one that does nothing at the time, or it is stopped")                          \
    X(CUT,             150,  "the connection to the database is gone")
#define SIM_FAULTS_ALONE FAULT_STOPPED                 /* those before happen to one gateway, too */

#define SIM_FAULT_NAME(name, most, text) FAULT_##name,
enum sim_fault { SIM_FAULTS(SIM_FAULT_NAME) FAULTS };
#undef SIM_FAULT_NAME

const char *fault_name(enum sim_fault f);
const char *fault_text(enum sim_fault f);
unsigned fault_most(enum sim_fault f);

#endif

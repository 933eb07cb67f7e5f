/* tests/sim/chain.h - one chain with its side branches, a miner, and the Settlement contract's rules in C.
 *
 * A block keeps the whole state behind it, so that any block can be asked and any branch extended.  Amounts are 64 bits:
 * the simulator pays small sums. */
#ifndef QUITTANCE_SIM_CHAIN_H
#define QUITTANCE_SIM_CHAIN_H

#include "chain/rpc_class.h"
#include "chain/tx.h"

__extension__ typedef unsigned __int128 u128;

#define SIM_CHAIN_ID 31337u
#define SIM_PEOPLE 16u             /* earners */
#define SIM_SEQUENCES 48u
#define SIM_KEYS 2u                /* the operator's, and the one it is rotated to */
#define SIM_STRANGER SIM_KEYS      /* whoever else sends: no nonces, no fees */
#define SIM_GWEI UINT64_C(1000000000)
#define SIM_DEPLOY_BLOCK 70u
#define SIM_GAS_CAP 16777216u      /* EIP-7825 */

struct sim;

struct state {
    struct address operator_;
    uint64_t sequence, active_at_s, paused_until_s, total, before, claimed_sum, balance;
    unsigned newest;
    struct hash roots[3], header[SIM_SEQUENCES + 1];
    uint64_t claimed[SIM_PEOPLE], held[SIM_PEOPLE];
    bool blocked[SIM_PEOPLE];
    uint64_t nonce[SIM_KEYS];
    u128 ether[SIM_KEYS];
};

struct sim_log {
    struct address address;
    struct hash topics[4];
    unsigned topic_count;
    uint8_t data[256];
    size_t len;
};

struct sim_tx {
    struct tx_hash hash;
    size_t bytes;                      /* of the signed form; 0: never signed, a stranger's */
    unsigned key;                      /* below SIM_KEYS, or SIM_STRANGER */
    struct address from, to;
    uint64_t nonce, gas, max_fee, tip;
    u128 value;
    struct buf data;                   /* owned */
};

struct mined {
    size_t tx;
    bool success;
    uint64_t gas_used, price;
    size_t first_log, log_count;
};

struct block_ {
    uint64_t number, time_s, base_fee, tip;
    bool used;                         /* others' transactions fill it */
    struct hash hash;
    size_t parent, state;              /* index of the state behind it */
    struct mined *mined;
    size_t mined_count;
    struct sim_log *logs;
    size_t log_count;
};

#define POOL_MOST 128u
struct pool { size_t tx[POOL_MOST]; size_t count; };

struct chain {
    struct address contract, token, guardian, admin, keys[SIM_KEYS];
    struct address people[SIM_PEOPLE];
    uint64_t activation_delay_s, gas_limit, next_base_fee, next_tip, spike, spike_until;
    struct block_ *blocks;
    size_t block_count, head;
    struct state *states;
    size_t state_count;
    struct sim_tx *txs;
    size_t tx_count;
    struct pool miner;
    size_t *actions;                   /* strangers' transactions that wait */
    size_t action_count;
};

/* -- blocks.c -- */
void chain_start(struct sim *s);
void chain_clear(struct chain *c);
const struct block_ *chain_at(const struct chain *c, size_t head, uint64_t number);   /* NULL: above it */
const struct state *chain_state(const struct chain *c, const struct block_ *b);
const struct state *chain_head_state(const struct chain *c);
bool chain_on_branch(const struct chain *c, size_t head, const struct block_ *b);
/* The place of a transaction on a branch; NULL: in no block of it. */
const struct mined *chain_find(const struct chain *c, size_t head, struct tx_hash hash, const struct block_ **where);
size_t chain_known(const struct chain *c, struct tx_hash hash);                       /* SIZE_MAX: never seen */
size_t chain_add_tx(struct chain *c, const struct sim_tx *tx);                        /* takes tx->data */
void chain_act(struct sim *s, struct sim_tx *owned);                                  /* a stranger's, mined some time */
void chain_mine(struct sim *s);
void chain_reorg(struct sim *s, unsigned depth);
unsigned chain_person(const struct chain *c, struct address a);                       /* SIM_PEOPLE: nobody known */
unsigned chain_key(const struct chain *c, struct address a);                          /* SIM_KEYS: not one of ours */

/* -- contract.c -- */
struct execution {
    const struct chain *chain;
    struct state *state;               /* changed only on success */
    struct address from;
    uint64_t time_s;
    struct sim_log *logs;              /* borrowed: good until the next call */
    size_t log_count;
    uint64_t gas;                      /* what it takes */
    struct buf result;                 /* what it returned, or revert data; caller clears */
};
/* False: reverted. */
bool contract_run(struct execution *x, struct address to, const uint8_t *data, size_t len);

/* -- pool.c: the rules of geth's pool -- */
struct verdict { bool taken; enum rpc_class class; char words[160]; };
struct verdict pool_add(const struct chain *c, struct pool *pool, const struct state *st, size_t tx);
void pool_put(struct pool *pool, size_t tx);
void pool_drop(struct pool *pool, size_t at);
void pool_settle(const struct chain *c, struct pool *pool, const struct state *st);   /* what is mined or stale goes */
/* The next nonce behind what the pool would execute. */
uint64_t pool_next_nonce(const struct chain *c, const struct pool *pool, const struct state *st, unsigned key);

#endif

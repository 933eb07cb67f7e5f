/* tests/support/settle_world.h - a store filled by hand, and a contract on an anvil to settle it with.
 *
 * One provider a number, one model with a parent, one price: 1 base unit an output token, split 70/20/10 with a fifth of
 * the creator's part going to the parent.  Everything lives in a folder of its own. */
#ifndef QUITTANCE_TESTS_SETTLE_WORLD_H
#define QUITTANCE_TESTS_SETTLE_WORLD_H

#include "gateway/settle/settle.h"
#include "store/receipts.h"
#include "tests/support/anvil.h"
#include "tests/support/store_place.h"

#define SETTLE_WORLD_PROVIDERS 300u

struct settle_world {
    char dir[64], url[STORE_URL], archive[80];
    uint8_t secret[32];
    struct clock clock;                       /* the real one plus ahead_ms */
    uint64_t ahead_ms;
    uint64_t jobs;                            /* receipts added */
    struct settle_config config;
    struct anvil anvil;
    bool has_chain;
    struct signer *signer;
    const char *rpc_url;                      /* borrowed; what sessions ask instead of the anvil; NULL: the anvil */
};

void settle_world_init(struct settle_world *w);               /* the store alone */
void settle_world_init_chain(struct settle_world *w, uint64_t funds, uint64_t activation_delay_s);
void settle_world_clear(struct settle_world *w);

struct address settle_world_account(unsigned number);         /* of provider `number` */
struct hash settle_world_model(void);
/* An accepted receipt with so many output tokens, so worth as many base units, in the open batch. */
void settle_world_receipt(struct settle_world *w, unsigned provider, uint64_t output_tokens);
/* One from each of the first `providers`, together. */
void settle_world_receipts(struct settle_world *w, unsigned providers, uint64_t output_tokens);
/* A bundle of `count` receipts of provider 0, of which the first `taken` were accepted. */
void settle_world_bundle(struct settle_world *w, size_t count, size_t taken);
void settle_world_fund(struct settle_world *w, uint64_t amount);
/* Another key, with ether, in place of the operator's. */
void settle_world_rotate(struct settle_world *w);
/* Nothing from the signer to itself, sent by hand and not waited for. */
void settle_world_use_nonce(struct settle_world *w);
/* All tokens of the contract leave it, for `price_gwei` a gas; not waited for. */
void settle_world_drain(struct settle_world *w, unsigned price_gwei);
/* The guardian, who is the signer here, cancels. */
void settle_world_cancel(struct settle_world *w, uint64_t sequence);
void settle_world_carry(struct settle_world *w, uint64_t sequence);

/* Everything a run needs, opened and closed around it. */
struct settle_session { struct writer *writer; struct db *db; struct rpc *rpc; struct settle *settle; };
void settle_session_open(struct settle_world *w, struct settle_session *s);
void settle_session_close(struct settle_session *s);

#endif

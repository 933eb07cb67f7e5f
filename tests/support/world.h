/* tests/support/world.h - a small running gateway without a network: a clock that stands, a store in a temporary folder,
 * a writer thread, an intake with two verify threads, and a few people with keys.
 *
 * world_setup admits `node` and `other`, enrolls `consumer`, verifies `model` of `creator` (10 % of it goes to `parent` of
 * `ancestor`) and prices everything at 2 base units an input token, split 70 / 25 / 5 %.  Use as cmocka setup and teardown. */
#ifndef QUITTANCE_TESTS_WORLD_H
#define QUITTANCE_TESTS_WORLD_H

#include <stdatomic.h>

#include "gateway/intake/admit.h"
#include "gateway/intake/intake.h"
#include "gateway/lib/secp.h"
#include "store/batches.h"
#include "store/ledger.h"
#include "tests/support/fixture.h"
#include "tests/support/store_place.h"

struct party { struct secret_key key; struct address address; };

struct world {
    _Atomic uint64_t now_ms;
    struct clock clock;
    char dir[64], url[STORE_URL];
    struct intake_config config;              /* change it, then world_restart */
    struct writer *writer;
    struct db *db;                            /* a reader */
    struct snapshots *snapshots;
    struct signer *signer;
    struct intake *intake;
    struct rng rng;
    struct party node, other, stranger, consumer, creator, ancestor;
    struct hash model, parent;
};

int world_setup(void **state);
int world_setup_empty(void **state);          /* nobody admitted, nothing priced */
int world_teardown(void **state);
void world_restart(struct world *w);          /* a new intake over the same store, with w->config */
void world_reopen(struct world *w);           /* and the store opened anew, as by a process that begins */

/* Another gateway on the same store, which must be one that is shared (store_place.h): with the same clock, keys and w->config. */
struct world_gateway { struct writer *writer; struct db *db; struct snapshots *snapshots; struct intake *intake; };
void world_join(struct world *w, struct world_gateway *g);
void world_leave(struct world_gateway *g);

struct party world_party(uint8_t number);
void world_admit(struct world *w, const struct party *provider);
struct model world_claim(struct world *w, const struct party *creator, struct hash model, struct hash parent, uint16_t share_bps);
void world_verify(struct world *w, const struct party *creator, struct hash model);
/* Base units for 10^6 input tokens, of the model or of any (NULL). */
void world_price(struct world *w, const struct hash *model, uint64_t per_million_input);

/* A job of `tokens` input tokens that was finished a second ago, signed. */
struct signed_receipt world_receipt(struct world *w, const struct party *provider, uint64_t tokens);
void world_sign(const struct world *w, const struct party *provider, struct signed_receipt *r);
void world_countersign(const struct world *w, const struct party *consumer, struct signed_receipt *r);
struct signature world_sign_hash(const struct world *w, const struct party *signer, struct hash struct_hash);

/* Items of a submission from receipts; submission_clear frees them. */
void world_submission(struct submission *s, const struct signed_receipt *receipts, size_t count);
void world_bundle(const struct world *w, const struct party *provider, struct submission *s);     /* signs the items as one */
void world_post(struct world *w, struct submission *s);
/* One receipt, posted alone; what became of it (faults are freed). */
struct intake_item world_post_one(struct world *w, const struct signed_receipt *r);

/* What groups beside others left (store/sums.h) is there for readers; world_post and assert_books_balance see to it. */
void world_fold(struct world *w);
struct receipt_row world_row(struct world *w, const struct signed_receipt *r);       /* the test fails without one */
bool world_has_row(struct world *w, const struct signed_receipt *r);
struct batch_row world_batch(struct world *w, uint64_t number);
struct amount world_posted(struct world *w, uint64_t batch, struct address account, enum role role);
uint64_t world_count(struct world *w, const char *literal_sql);        /* SELECT COUNT(*) ... */
void world_script(struct world *w, const char *sql);                   /* run by the writer */
/* The store refuses rows of a table, those of an amount where it is not 0, until world_take. */
void world_refuse(struct world *w, const char *table, uint64_t amount);
void world_take(struct world *w, const char *table);
/* Writer stands still until world_unblock; everything submitted meanwhile becomes one group. */
void world_block(struct world *w);
void world_unblock(struct world *w);
void world_wait_for_queue(struct world *w, uint64_t weight);

/* Credits, debits and amounts of all batches balance, and the batch rows say the same. */
void assert_books_balance(struct world *w);
void assert_item(const struct intake_item *item, enum item_status status, enum receipt_code code);
void assert_amount_is(struct amount got, uint64_t want);

#endif

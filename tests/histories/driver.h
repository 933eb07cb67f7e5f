/* tests/histories/driver.h - what the files of the driver share: the gateway of the history under way, and what words name.
 *
 * A command reads its members from `in`, puts its answer into `out`, and returns false with err where the gateway refused:
 * that is an answer too.  What no history may say ends the driver. */
#ifndef QUITTANCE_TESTS_HISTORIES_DRIVER_H
#define QUITTANCE_TESTS_HISTORIES_DRIVER_H

#include "gateway/settle/settle.h"
#include "tests/support/folder.h"
#include "tests/support/world.h"

#define WHO "history"
#define PEOPLE 40u

struct driven {
    struct world *world;
    struct party people[PEOPLE + 1];          /* from 1 */
    struct address token;
    struct folder archive;
    uint64_t payout_said_ms;                  /* of the last word, in this history */
};
extern struct driven here;                    /* one history at a time */

uint64_t number(const json *in, const char *key);         /* 0 where there is none */
bool flag(const json *in, const char *key);
struct hash digest(const json *in, const char *key);      /* must be there */
const struct party *person(const json *in, const char *key);
const struct party *person_of(struct address address);

typedef bool command_fn(const json *in, json *out, struct err *err);
/* settings.c */
command_fn do_admit, do_cap, do_expel, do_enroll, do_dismiss, do_claim, do_verify, do_price, do_pool;
/* offers.c */
command_fn do_capacity, do_quote;
/* receipts.c */
command_fn do_post, do_release, do_refuse;
/* settling.c */
command_fn do_adjust, do_settle;
struct settle_config settle_config_here(void);
/* books.c */
command_fn do_books, do_audit;
/* rebuilding.c */
command_fn do_rebuild;
/* Of one store: its postings in the batches 1 to last. */
json *postings_to_json(struct db *db, uint64_t last, struct err *err);      /* NULL with err; caller owns */
/* And what consumers were billed, a row a day. */
json *billed_to_json(struct db *db, struct err *err);
/* mutations.c */
command_fn do_plant, do_mutations;

#endif

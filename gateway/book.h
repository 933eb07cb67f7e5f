/* gateway/book.h - everything of one contract, opened for serving: keys, store, intake, settling, and what answers for it.
 *
 *   book_open (keys, store) -> book_start (runner, intake, api) -> book_watch (chain) ... book_close
 *
 * A service has one, or two while a contract is replaced (succession.h): then book_succeed before they are started, and
 * book_pair after it. */
#ifndef QUITTANCE_BOOK_H
#define QUITTANCE_BOOK_H

#include "gateway/chain_watch.h"
#include "gateway/config.h"
#include "gateway/level.h"
#include "gateway/settle/retention.h"

struct book {
    struct config config;
    bool is_predecessor;
    uint64_t last_finish_ms;                  /* of a predecessor: later jobs are the successor's alone */
    uint8_t *secret;
    struct signer *signer, *promise;
    struct writer *writer;
    struct db *reader;                        /* of the snapshots; once all runs the intake's */
    struct db *for_other;                     /* reads this store for the other book's intake */
    struct snapshots *snapshots;
    struct intake *intake;
    struct level *level;
    struct lease *lease;                      /* to settle; NULL: nobody else serves this store */
    struct runner *runner;
    struct retention_thread *retention;
    struct api *api;
    struct chain_watch *watch;
    struct watchdog *watchdog;
    unsigned connections_max;                 /* before book_start: what the process has descriptors for */
    struct settle_config settle;
    struct api_config api_config;
};

/* With b->config loaded.  turns NULL: there is no other book. */
MUST_USE bool book_open(struct book *b, struct writer_turns *turns, struct err *err);
MUST_USE bool book_start(struct book *b, struct err *err);
/* Learns of the chain, and of what a restored backup lacks; then releases what a crash left held. */
MUST_USE bool book_watch(struct book *b, struct err *err);
/* ERR_CONFIG: they sign with one key, or one has followed, or was followed by, another contract. */
MUST_USE bool book_succeed(struct book *successor, struct book *predecessor, struct err *err);
/* What is signed for the predecessor goes there, no job into both. */
void book_pair(struct book *successor, struct book *predecessor);
/* In this order, each for the successor first. */
void book_stop_answering(struct book *b);
void book_stop_intake(struct book *b);
void book_close(struct book *b);              /* the rest; all are fine on a book that was never opened */

#endif

/* gateway/settle/retention.h - the thread that lets settled receipts leave the store for their batch's archive.
 *
 * A batch goes when it is final and was closed long enough ago.  Its packed archive is read in full first and must unpack to the
 * bytes whose digest is on the chain; then its receipts leave frame by frame, each step a small writer task of its own, so
 * that nothing waits long and a crash loses at most the step (store/archived.h).  A batch whose archive is missing or damaged stays,
 * is told in the log, and looked at again an hour later.  An archive without its index is indexed anew.
 * Where receipts lie in days (store/receipt_days.h), the steps check each against its archive, and all of a day leave when the day may;
 * the pages of a batch wait for that. */
#ifndef QUITTANCE_SETTLE_RETENTION_H
#define QUITTANCE_SETTLE_RETENTION_H

#include "gateway/base/clock.h"
#include "gateway/settle/lease.h"

struct retention_config {
    const char *archive_dir;                  /* borrowed, as is the secret */
    const uint8_t *secret;
    uint64_t keep_ms;                         /* since the batch was closed; 0: for ever */
    struct lease *lease;                      /* borrowed; it is the settler's work; NULL: there is no other */
};
struct retention;
/* Without a thread: db is a reader of the same store. */
struct retention *retention_new(const struct retention_config *config, struct db *db, struct writer *writer, const struct clock *clock);
void retention_free(struct retention *retention);             /* NULL is fine */
/* One step; *moved false: there is nothing to do now. */
MUST_USE bool retention_step(struct retention *retention, bool *moved, struct err *err);
/* Makes the index of each settlement that lacks it, from its archive. */
MUST_USE bool retention_index_all(struct retention *retention, struct err *err);

struct retention_thread;
MUST_USE bool retention_start(const struct retention_config *config, const char *store_url, struct writer *writer, const struct clock *clock,
                              struct retention_thread **thread, struct err *err);
void retention_stop(struct retention_thread *thread);         /* NULL is fine */

#endif

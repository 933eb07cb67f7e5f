/* gateway/settle/lease.h - one settler at a time, where several gateways write one store.
 *
 * A thread takes the lease where it is free, its holder's beat stands still, or its process is dead on this very machine (process.h), and
 * keeps it (store/settler.h).  Who holds it counts its end
 * from before its last beat was sent, so it lets go earlier than anybody else may take: a gateway that was stopped past its
 * lease does nothing any more, and what it was about to write is refused by its generation. */
#ifndef QUITTANCE_SETTLE_LEASE_H
#define QUITTANCE_SETTLE_LEASE_H

#include "store/settler.h"
#include "store/writer.h"

#define LEASE_MS 12000u            /* and a look: who dies is followed within 15 s */

struct lease;
/* *lease NULL: one process has this store, so nothing is to be leased.  The writer is borrowed; it may not be stopped before. */
MUST_USE bool lease_start(const char *store_url, struct writer *writer, struct lease **lease, struct err *err);
/* The same without a thread, under a name of the caller's: who has it looks itself, every few seconds. */
MUST_USE bool lease_new(const char *store_url, struct writer *writer, const char *holder, struct lease **lease, struct err *err);
MUST_USE bool lease_look(struct lease *lease, struct err *err);
void lease_stop(struct lease *lease);         /* lets go of it; NULL is fine */
/* All are fine with NULL: then it is always held. */
bool lease_is_held(struct lease *lease);
/* Changes whenever it is taken by us; 0: it is not held. */
uint64_t lease_generation(struct lease *lease);
/* Whether it is held under this generation still: else ERR_AGAIN, and who settles.  What was found out under an older one is
 * not to be acted on. */
MUST_USE bool lease_check(struct lease *lease, uint64_t generation, struct err *err);
/* Until it is held, for so long at most: ERR_AGAIN. */
MUST_USE bool lease_wait(struct lease *lease, uint64_t wait_ms, struct err *err);
/* A task of the writer by the settler of this generation: ERR_AGAIN where there is another by then. */
MUST_USE bool lease_do(struct lease *lease, uint64_t generation, struct writer *writer, writer_fn *fn, void *self, struct err *err);
/* The row as it was read last, half a second ago or so. */
void lease_row(struct lease *lease, struct settler_row *row);

#endif

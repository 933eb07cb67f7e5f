/* store/settler.h - who settles a store that several gateways write: one row, a lease with a generation.
 *
 * Its holder counts `beat` up while it lives.  Another takes it where it is free, or where the beat stood still for as long as a
 * lease lasts by the taker's own clock, as no clocks of two machines are compared, or where its process is seen to be dead.  Each
 * taker counts the generation up, and every write of a settler checks it in its own transaction. */
#ifndef QUITTANCE_STORE_SETTLER_H
#define QUITTANCE_STORE_SETTLER_H

#include "store/db.h"

#define SETTLER_HOLDER 128
#define SETTLER_PROCESS 128
struct settler_row {
    uint64_t generation, beat;
    char holder[SETTLER_HOLDER];              /* for people; empty: it is free */
    char process[SETTLER_PROCESS];            /* for who is on the same machine (gateway/settle/process.h) */
    uint64_t wanted, answered;                /* runs asked for by any gateway so far; of these, how many are in the report */
};
MUST_USE bool store_settler(struct db *db, struct settler_row *row, struct err *err);
/* Takes what stands in the store as in `seen`, or leaves it: *taken.  The generation is then one more. */
MUST_USE bool store_settler_take(struct db *db, const struct settler_row *seen, const char *holder, const char *process, bool *taken,
                                 struct err *err);
/* ERR_AGAIN, in the four below: another has taken it. */
MUST_USE bool store_settler_check(struct db *db, uint64_t generation, struct err *err);
MUST_USE bool store_settler_beat(struct db *db, uint64_t generation, struct err *err);
MUST_USE bool store_settler_leave(struct db *db, uint64_t generation, struct err *err);
MUST_USE bool store_settler_answer(struct db *db, uint64_t generation, uint64_t answered, const char *report, struct err *err);
/* One more run is wanted: its number. */
MUST_USE bool store_settler_want(struct db *db, uint64_t *number, struct err *err);
/* Appends the report, a JSON text or nothing. */
MUST_USE bool store_settler_report(struct db *db, struct buf *report, struct err *err);

#endif

/* tests/support/side.h - a task that may be written beside those of others, for which the test waits; and writers that write so. */
#ifndef QUITTANCE_TESTS_SIDE_H
#define QUITTANCE_TESTS_SIDE_H

#include <semaphore.h>

#include "tests/support/store_fixture.h"

struct side;
typedef bool side_fn(struct side *s, struct group *group, struct err *err);
struct side {
    struct task task;
    side_fn *fn;
    unsigned n;                               /* of the receipt that it inserts, where it does */
    struct side *with;                        /* whom it meets */
    bool ready;
    sem_t done, met, go;
    unsigned runs, beside;                    /* how often it was run, and how often of these beside others */
    struct group group;                       /* as of the last time */
    bool ok;
    struct err err;
};
void side_start(struct side *s, struct writer *w, side_fn *fn);        /* inits it, unless that was done */
void side_init(struct side *s);
bool side_end(struct side *s);                /* waits for it; whether it came and succeeded, else it says why not */

#define SOON_MS 30000u                        /* what must come */
#define MEET_MS 4000u                         /* what a group waits for: under 5 s, for which it may stand still */
#define NEVER_MS 150u                         /* what must not */
bool comes(sem_t *what, unsigned ms);         /* whether it does, within so long */

/* Adds a receipt's worth to batch 1, as groups of either kind do. */
bool leave_one(struct side *s, struct group *group, struct err *err);
bool meet(struct side *s, struct group *group, struct err *err);        /* posts `met` and waits for `go` before that */

/* One whose groups are written beside others as soon as they may. */
struct writer *open_writer(struct store_fixture *f, const struct clock *clock);
struct group one_turn(struct writer *w);
struct two { struct writer *a, *b; };
/* Each has had a turn since both were there, so the next may be beside others, and has nothing to fold in by itself. */
struct two open_two(struct store_fixture *f);
void close_two(struct two *t);

/* What a reader finds. */
uint64_t receipts_of_batch(struct store_fixture *f);
uint64_t rows_of(struct store_fixture *f, const char *literal_sql);

#endif

/* store/writer_group.h - one commit group, without the queue: what writer.c runs and tests of the store do not see.
 *
 *   begin ─→ run, a task at a time ─→ seals ─→ meta ─→ commit ─→ done callbacks
 *        each in a savepoint, or all again in savepoints where one fails
 *                                                                                      │ unknown
 *                                                                                      └→ look up meta 'group', or the writer's own row
 *
 *   begin beside others ─→ run ─→ seals ─→ sums ─→ commit; where anything fails: all of it anew, in a turn */
#ifndef QUITTANCE_STORE_WRITER_GROUP_H
#define QUITTANCE_STORE_WRITER_GROUP_H

#include "store/writer_beside.h"

struct group_state {
    struct db *db;                            /* owned */
    struct clock clock;
    uint64_t number, now_ms;                  /* of the last group that was committed in a turn; now_ms may be ahead of it */
    uint64_t turn_ms;                         /* its time */
    uint64_t since;                           /* db_place.since as of the last group in a turn, anybody's */
    uint64_t clock_ms;                        /* the latest time that the clock said in a group that was committed */
    bool trust_clock;                         /* the next group believes the clock whatever it says */
    struct writer_turns *turns;               /* borrowed; NULL: no other store */
    uint64_t others;                          /* how often others had written between two groups of ours */
    uint64_t after_ms;                        /* see struct group */
    bool known;                               /* false: read them from the store before the next group */
    bool folded;                              /* false: groups that were written beside others may wait for a turn */
    struct beside beside;
};
/* Reads number and time of the last group. */
MUST_USE bool group_recover(struct group_state *s, struct err *err);
/* Runs the list (by next) as one group and calls every done, but of those whose turn did not come within GROUP_MS: rest, the next
 * group's.  true: committed, or there was nothing to commit. */
MUST_USE bool group_run(struct group_state *s, struct task *first, struct task **rest);
/* A turn that only folds in what groups beside others left, where some of ours wait for that.  Where it fails the next turn of anybody does. */
bool group_fold(struct group_state *s);

#endif

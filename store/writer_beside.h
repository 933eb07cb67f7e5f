/* store/writer_beside.h - when a group is written beside those of others, and its number and time then.
 *
 * Alone a writer has a turn for each group, which costs it nothing.  Where it had to wait for a turn because others write, too, those of
 * its groups that may (task.beside) go without one for a while.  What needs a turn then is found out by running it: such a group is undone
 * and run anew in its turn, and for a moment so are those after it, for longer each time.
 *
 * A group of a turn sees the sums of all before it, so that groups beside others wait to be folded in (sums.h): by the next turn of
 * anybody, of which there is one within FOLD_MS, or FOLD_IDLE_MS where nothing else is to do. */
#ifndef QUITTANCE_STORE_WRITER_BESIDE_H
#define QUITTANCE_STORE_WRITER_BESIDE_H

#include "store/writer.h"

#define FOLD_MS 1000u
#define FOLD_IDLE_MS 50u
#define FOLD_GROUPS 64u                       /* of one writer: they are read at once */

struct beside {
    enum writer_beside when;
    uint64_t until_ms;                        /* others are busy until then; these are monotonic */
    uint64_t not_before_ms;
    unsigned refusals;
    uint64_t oldest_ms;                       /* of the groups that wait to be folded in, as far as we know; 0: there is none */
    unsigned groups;                          /* how many they are */
    uint64_t turn;                            /* number of the last turn of anybody */
    uint64_t steps;                           /* groups begun beside others since */
};
/* Whether the tasks may run so, and should. */
bool beside_is_wanted(const struct beside *b, const struct db *db, const struct task *first);
void beside_note_wait(struct beside *b, uint64_t waited_ms);   /* for a turn, while others wrote */
void beside_note_kept(struct beside *b);
void beside_note_others(struct beside *b);     /* groups of others may wait to be folded in */
void beside_note_refused(struct beside *b);
void beside_note_turn(struct beside *b, uint64_t number);      /* the last that was kept: all before it is folded in */
/* No two groups of all writers have one number or one time: they go round by rank, and the next turn is behind all of them. */
uint64_t beside_number(struct beside *b, struct db_place place);
uint64_t beside_time(uint64_t now_ms, struct db_place place);      /* not before now_ms */

#endif

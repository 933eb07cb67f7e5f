/* store/writer.h - who writes a store: a thread that takes tasks from a bounded queue and commits them in groups.
 *
 * A file has one writer; a database may have those of many gateways, whose groups take turns and never overlap, so that all said
 * here of groups holds for them together.  Where several gateways are busy, groups of tasks that may (task.beside) are written beside each
 * other: such a group never overlaps a turn, its number and its time are nobody else's, above those of the turn before and below those of
 * the turn behind it, and whatever fails in it is run anew in a turn (writer_beside.h).  What a writer keeps in memory from one group to the
 * next it reads anew when another has had a turn meanwhile (group.others); alone it never has to.
 * A group is one transaction and one disk sync.  Every group has its own millisecond: now_ms grows strictly from group
 * to group, also across restarts, so "recorded before accepted" is never a tie.  It tells order; how old something is, is
 * judged by clock_ms, which stays with the clock where a clock that was once ahead has left now_ms behind in the future.
 * A clock over CLOCK_BACK_MAX_MS behind what it once said is not believed: ERR_AGAIN, until it is right, or until
 * writer_trust_clock says that it was wrong before.  What a task wrote is undone when it fails,
 * the others stay: each runs in a savepoint, but see `repeatable`.  Before COMMIT every task that succeeded may add to the group by its
 * `seal` (once per distinct seal function: promises and sums of all receipts of the group).
 * A COMMIT whose outcome is unknown is looked up, by the group's number or as this writer's own, never guessed.
 * done() is called after the commit (ok) or with the error; for writer_do it is a wake-up. */
#ifndef QUITTANCE_STORE_WRITER_H
#define QUITTANCE_STORE_WRITER_H

#include "gateway/base/clock.h"
#include <pthread.h>

#include "store/db.h"

struct group {
    struct db *db;
    uint64_t number;
    uint64_t now_ms;                          /* order */
    uint64_t clock_ms;                        /* the time of day; now_ms unless that is far ahead of the clock */
    uint64_t others;                          /* grows when another process has written since, or anybody beside others: what was read before
                                               * is old */
    uint64_t after_ms;                        /* now_ms of the group before, where it was this writer's and is known to be kept: what it left in
                                               * memory holds, whose now_ms that is; else 0.  Beside others: of the last turn, anybody's, after
                                               * which all that only turns write stays as it is */
    bool beside;                              /* others' groups overlap it: it may only add rows of its own, and fails where that is not enough */
    uint64_t writers;                         /* then: who may be at it, this one included */
    struct buf *sums;                         /* then: what its seals leave to be folded in (store_sum_pack); borrowed */
    bool bare;                                /* no task has a savepoint: where one fails nothing of the group is kept */
    bool again;                               /* out, of a seal that failed at what tasks of a bare group left to it: they are run again with
                                               * savepoints, where none may leave anything */
};
struct task {
    /* Runs on the writer's thread. */
    MUST_USE bool (*run)(struct task *task, struct group *group, struct err *err);
    /* NULL: nothing.  Called once a group and seal_self, before any task runs, with all of them: what they will ask can be asked at once.
     * Its failure fails the whole group. */
    MUST_USE bool (*foresee)(void *seal_self, const struct task *first, struct group *group, struct err *err);
    /* NULL: nothing.  Called once a group and seal_self, after all tasks ran; its failure fails the whole group. */
    MUST_USE bool (*seal)(void *seal_self, struct group *group, struct err *err);
    void *seal_self;
    /* ok: durable.  Runs on the writer's thread; must not block. */
    void (*done)(struct task *task, bool ok, const struct err *err);
    size_t weight;                            /* rows it will write, for the size of a group; at least 1 */
    bool alone;                               /* a change of settings: its own group, so its own time */
    /* run may be called anew after all that it wrote was taken back.  A savepoint copies each page before it changes, which costs
     * as much as the change: a group of such tasks has none, and is run again with savepoints where one of them fails. */
    bool repeatable;
    bool beside;                              /* repeatable, and knows group.beside */
    bool announced;                           /* see writer_announce */
    struct task *next;                        /* the queue's */
};

struct writer;
/* Opens (DB_WRITE), migrates, and recovers the group number and time. */
MUST_USE bool writer_open(const char *url, const struct clock *clock, struct writer **writer, struct err *err);
/* When tasks that may are written beside others' groups; before writer_start.  By itself: where others are busy. */
enum writer_beside { BESIDE_WHEN_BUSY, BESIDE_NEVER, BESIDE_ALWAYS };
void writer_work_beside(struct writer *writer, enum writer_beside when);
/* Without a thread, tasks run at once in the caller (tests, one-shot commands). */
MUST_USE bool writer_start(struct writer *writer, struct err *err);
/* Writers of two stores whose groups never overlap, from begin to commit: each group sees all that the other store has
 * kept.  Where the outcome of a group of one is not known, the other waits (ERR_AGAIN) until it is. */
struct writer_turns {
    pthread_mutex_t lock;
    const void *doubt;                        /* whose outcome is not known */
    struct db *gate;                          /* see writer_turns_share; NULL: no other process writes either store */
    const void *gated;
};
void writer_turns_init(struct writer_turns *turns);
void writer_turns_clear(struct writer_turns *turns);
/* Where other processes write both stores, too, a group of either holds the turn of the first one's: first is the writer of
 * the store at url.  Before anything is submitted that needs it. */
MUST_USE bool writer_turns_share(struct writer_turns *turns, struct writer *first, const char *url, struct err *err);
void writer_take_turns(struct writer *writer, struct writer_turns *turns);     /* before writer_start; borrowed */
/* For duplicates of receipts that have left the store (db_use_archives); before writer_start. */
void writer_use_archives(struct writer *writer, const char *dir, const uint8_t secret[32]);
/* A person says that the clock is right now; before writer_start. */
MUST_USE bool writer_trust_clock(struct writer *writer, struct err *err);
void writer_close(struct writer *writer);     /* drains the queue, stops, closes; NULL is fine */
/* ERR_AGAIN: the queue is full (weight over WRITER_QUEUE_MAX) or it is stopping; the task was not taken. */
MUST_USE bool writer_submit(struct writer *writer, struct task *task, struct err *err);
/* Tasks linked by `next`, in their order.  Those from the first on that was not taken, still linked; NULL: all were. */
MUST_USE struct task *writer_submit_all(struct writer *writer, struct task *first, struct err *err);
/* A task that has `announced` set will be submitted within milliseconds.  A small group waits for such ones, as what a group costs by
 * itself (sums, promise, sync) is shared by all of it: a millisecond at most for all of them, and four until no more are still to come than
 * are here.  It never waits for the other half, which is made ready while this one is written. */
void writer_announce(struct writer *writer);
/* Runs fn in a group of its own kind and waits until it is durable. */
typedef bool writer_fn(void *self, struct group *group, struct err *err);
MUST_USE bool writer_do(struct writer *writer, writer_fn *fn, void *self, struct err *err);
bool writer_healthy(const struct writer *writer);             /* the last group was committed */
uint64_t writer_depth(const struct writer *writer);           /* weight waiting */

#define WRITER_QUEUE_MAX 200000u
#define WRITER_GROUP_MAX 40000u
#define WRITER_GROUP_FAR 4000u                /* the same where the database is far away: what it does in GROUP_MS, or one task that is more */
#define GROUP_SMALL 1000u                     /* less weight may wait for what is announced */
#define GROUP_MS 50u                          /* a group that has run so long takes no more tasks: who waits does not wait for all */
#define CLOCK_BACK_MAX_MS 300000u             /* how far a clock may be set back while we run on */

#endif

#include "store/writer_group.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "store/meta.h"
#include "store/sums.h"
#include "store/writer_tasks.h"

#define LOOKUP_TRIES 30
#define LOOKUP_PAUSE_MS 100
#define AHEAD_MAX_MS 1000u                    /* of the clock, beside others */

bool group_recover(struct group_state *s, struct err *err)
{
    struct last_group last;

    if (!store_meta_group(s->db, &last, err))
        return false;
    s->number = last.number;
    s->turn_ms = last.now_ms;
    s->clock_ms = last.clock_ms;
    s->since = last.since;
    beside_note_turn(&s->beside, s->number);
    /* Times that were given to groups that were not kept stay used up. */
    if (s->turn_ms > s->now_ms)
        s->now_ms = s->turn_ms;
    s->known = true;
    return true;
}

/* What was read by a group before is old where others have written since. */
static void look_who_wrote(struct group_state *s)
{
    if (!db_others_wrote(s->db))
        return;
    s->known = s->folded = false;
    s->after_ms = 0;
    s->others++;
}

static bool begin(struct group_state *s, struct err *err)
{
    uint64_t began_ms = clock_monotonic_ms();

    if (!db_begin(s->db, err))
        return false;
    if (db_place(s->db).others)
        beside_note_wait(&s->beside, clock_monotonic_ms() - began_ms);
    look_who_wrote(s);
    return true;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* What a turn must know before it does anything.  What it folds in is read anew unless it is kept. */
static bool catch_up(struct group_state *s, struct err *err)
{
    struct folded folded;

    if (!s->known && !group_recover(s, err))
        return false;
    if (s->folded)
        return true;
    if (!store_sums_fold(s->db, &folded, err))
        return false;
    s->known = folded.groups == 0;
    s->number = later(s->number, folded.number);
    s->now_ms = later(s->now_ms, folded.now_ms);
    s->clock_ms = later(s->clock_ms, folded.clock_ms);
    return true;
}

/* No task succeeded, so nothing is kept; where the database ended the transaction by itself that is not the task's fault.  The last
 * that failed is the one in which it did. */
static bool keep_nothing(struct group_state *s, const struct outcomes *outcomes, struct err *err)
{
    const struct outcome *last = outcomes->count > 0 ? &outcomes->list[outcomes->count - 1] : NULL;
    bool lost = db_is_lost(s->db);

    db_rollback(s->db);
    return !lost || err_set(err, ERR_AGAIN, "not kept: the database rolled the transaction back: %s",
                            last != NULL && last->failure != NULL ? last->failure->text : "it did not say why");
}

/* Where others write too, the last group may be one of theirs. */
static bool was_kept(struct group_state *s, uint64_t number, bool *kept, struct err *err)
{
    uint64_t last = 0;

    if (db_is_shared(s->db))
        return db_was_kept(s->db, kept, err);
    if (!store_meta_get(s->db, "group", &last, err))
        return false;
    *kept = last == number;
    return true;
}

/* ERR_UNKNOWN: it could not be found out. */
static bool look_up(struct group_state *s, uint64_t number, bool *committed, struct err *err)
{
    for (int i = 0; i < LOOKUP_TRIES; i++) {
        struct err why;

        /* A transaction, because beginning one is what reopens a connection that was lost. */
        if (begin(s, &why)) {
            bool ok = was_kept(s, number, committed, &why);

            db_rollback(s->db);
            if (ok)
                return true;
        }
        clock_sleep_ms(LOOKUP_PAUSE_MS);
    }
    return err_set(err, ERR_UNKNOWN, "it cannot be found out whether group %" PRIu64 " was kept", number);
}

/* *looked_up: what is in memory may be old. */
static bool commit(struct group_state *s, const struct group *group, bool *looked_up, struct err *err)
{
    bool committed = false;
    struct err why;

    if (db_commit(s->db, &why))
        return true;
    if (why.code != ERR_UNKNOWN)
        return err_set(err, ERR_AGAIN, "not kept: %s", why.text);
    *looked_up = true;
    s->known = s->folded = false;
    s->after_ms = 0;
    if (!look_up(s, group->number, &committed, err))
        return false;
    return committed || err_set(err, ERR_AGAIN, "not kept: %s", why.text);
}

/* Behind what it once said: either it is wrong now, and receipts would be judged by it, or it was wrong then.  We cannot
 * tell; a person can. */
static bool clock_is_believed(const struct group_state *s, uint64_t clock_ms, struct err *err)
{
    return s->trust_clock || s->clock_ms <= clock_ms || s->clock_ms - clock_ms <= CLOCK_BACK_MAX_MS
        || err_set(err, ERR_AGAIN, "the clock is %" PRIu64 " s behind what it said before: set it right, or, where it was wrong"
                   " before, stop the service and run `quittance store trust-clock`", (s->clock_ms - clock_ms) / 1000);
}

/* A clock that stands still or goes back must not give two groups one time. */
static void set_time(struct group_state *s, uint64_t clock_ms, struct group *group)
{
    s->now_ms = clock_ms > s->now_ms ? clock_ms : s->now_ms + 1;
    *group = (struct group){ .db = s->db, .number = s->number + 1, .now_ms = s->now_ms, .others = s->others, .after_ms = s->after_ms };
    group->clock_ms = s->now_ms - clock_ms <= CLOCK_BACK_MAX_MS ? s->now_ms : clock_ms;
}

/* The turn of the first store of two that are shared, which a group of the other holds as well: it may be lost, like any turn. */
static bool holds_gate(const struct group_state *s, struct err *err)
{
    uint64_t number;

    return s->turns == NULL || s->turns->gate == NULL || s->turns->gated == s
        || store_meta_get(s->turns->gate, "group", &number, err);
}

static void note_turn(struct group_state *s, const struct group *group, uint64_t clock_ms, uint64_t since)
{
    s->number = group->number;
    s->turn_ms = s->after_ms = group->now_ms;
    s->clock_ms = clock_ms;
    s->since = since;
    s->known = s->folded = true;
    beside_note_turn(&s->beside, group->number);
}

/* *again: nothing was kept, and the same is to be run with savepoints.  Not where the database took it back: that is no task's fault. */
static bool try_group(struct group_state *s, struct task *first, bool bare, struct group *group, struct outcomes *outcomes,
                      struct task **rest, bool *again, struct err *err)
{
    uint64_t clock_ms, since;
    bool looked_up = false;
    struct err why;

    if (!begin(s, &why))
        return err_set(err, ERR_AGAIN, "not kept: %s", why.text);
    clock_ms = clock_now_ms(&s->clock);       /* a turn may be waited for */
    if (!catch_up(s, &why) || !clock_is_believed(s, clock_ms, &why))
        goto undo;
    set_time(s, clock_ms, group);
    group->bare = bare;
    if (clock_ms < s->clock_ms && !s->trust_clock)
        clock_ms = s->clock_ms;               /* the latest it said stays the measure */
    if (!tasks_run(&s->clock, first, bare, group, outcomes, rest, again, &why))
        goto undo;
    if (*again || outcomes->succeeded == 0) {
        if (keep_nothing(s, outcomes, err))
            return true;
        *again = false;
        return false;
    }
    if (!tasks_seal(group, outcomes, &why)) {
        *again = bare && group->again && !db_is_lost(s->db);
        goto undo;
    }
    since = db_place(s->db).since;
    if (!store_meta_set_group(s->db, group->number, group->now_ms, clock_ms, &why)
        || (since != s->since && !store_meta_set(s->db, "writers_since", since, &why))
        || !holds_gate(s, &why))
        goto undo;
    if (!commit(s, group, &looked_up, err))
        return false;
    if (!looked_up)
        note_turn(s, group, clock_ms, since);
    return true;
undo:
    db_rollback(s->db);
    return err_set(err, ERR_AGAIN, "not kept: %s", why.text);
}

/* -- beside others -- */

/* Of all who write beside each other each uses up every so many times; those that are used up come back with the clock. */
static bool set_time_beside(struct group_state *s, uint64_t clock_ms, struct db_place place, struct group *group, struct err *err)
{
    uint64_t now_ms = beside_time(clock_ms > s->now_ms ? clock_ms : s->now_ms + 1, place);

    if (now_ms > clock_ms + AHEAD_MAX_MS)
        return err_set(err, ERR_AGAIN, "times are used up: a turn comes first");
    s->now_ms = now_ms;
    *group = (struct group){
        .db = s->db, .number = beside_number(&s->beside, place), .now_ms = s->now_ms, .clock_ms = clock_ms,
        .others = s->others, .after_ms = s->turn_ms, .bare = true, .beside = true, .writers = place.writers,
    };
    if (s->now_ms - clock_ms <= CLOCK_BACK_MAX_MS)
        group->clock_ms = s->now_ms;
    return true;
}

static bool run_beside(struct group_state *s, struct task *first, struct db_place place, struct group *group, struct outcomes *outcomes,
                       struct task **rest, struct buf *sums, struct err *err)
{
    uint64_t clock_ms = clock_now_ms(&s->clock);
    bool again = false;

    look_who_wrote(s);
    if ((!s->known && !group_recover(s, err)) || !clock_is_believed(s, clock_ms, err))
        return false;
    /* Numbers and times of before, when each had another place, are behind the next turn's. */
    if (place.writers == 0 || place.since != s->since)
        return err_set(err, ERR_AGAIN, "a turn comes first");
    if (!set_time_beside(s, clock_ms, place, group, err))
        return false;
    group->sums = sums;
    if (tasks_run(&s->clock, first, true, group, outcomes, rest, &again, err)
        && (outcomes->succeeded == outcomes->count || err_set(err, ERR_AGAIN, "a task failed"))
        && tasks_seal(group, outcomes, err)
        && store_sums_keep(s->db, group->number, group->now_ms, later(clock_ms, s->clock_ms), sums, err))
        return true;
    beside_note_refused(&s->beside);
    return false;
}

/* *refused: nothing of it was kept, and it is to be run in a turn. */
static bool try_beside(struct group_state *s, struct task *first, struct group *group, struct outcomes *outcomes, struct task **rest,
                       bool *refused, struct err *err)
{
    bool ok, looked_up = false;
    struct db_place place;
    struct buf sums;
    struct err why;

    *refused = false;
    if (!db_begin_beside(s->db, &place, &why))
        return err_set(err, ERR_AGAIN, "not kept: %s", why.text);
    *refused = true;
    buf_init(&sums);
    ok = run_beside(s, first, place, group, outcomes, rest, &sums, err);
    buf_clear(&sums);
    if (!ok) {
        db_rollback(s->db);
        return false;
    }
    if (commit(s, group, &looked_up, err)) {
        beside_note_kept(&s->beside);
        *refused = false;
        return true;
    }
    *refused = err->code != ERR_UNKNOWN;
    beside_note_refused(&s->beside);
    return false;
}

static bool write_group(struct group_state *s, struct task *first, struct group *group, struct outcomes *outcomes, struct task **rest,
                        struct err *err)
{
    bool again = false, refused = true;
    bool ok;

    if (s->turns == NULL && beside_is_wanted(&s->beside, s->db, first)) {
        ok = try_beside(s, first, group, outcomes, rest, &refused, err);
        if (!refused)
            return ok;
        outcomes_reset(outcomes);
        *err = (struct err){ .code = ERR_NONE };
    }
    ok = try_group(s, first, tasks_begin_bare(first), group, outcomes, rest, &again, err);
    if (!again)
        return ok;
    again = false;
    outcomes_reset(outcomes);
    return try_group(s, first, false, group, outcomes, rest, &again, err);
}

static bool write_behind_gate(struct group_state *s, struct task *first, struct group *group, struct outcomes *outcomes, struct task **rest,
                              struct err *err)
{
    struct db *gate = s->turns->gated == s ? NULL : s->turns->gate;
    struct err why;
    bool ok;

    if (gate != NULL && !db_begin(gate, &why))
        return err_set(err, ERR_AGAIN, "not kept: %s", why.text);
    ok = write_group(s, first, group, outcomes, rest, err);
    if (gate != NULL)
        db_rollback(gate);
    return ok;
}

/* In turn with the writer of the other store, where there is one. */
static bool write_in_turn(struct group_state *s, struct task *first, struct group *group, struct outcomes *outcomes, struct task **rest,
                          struct err *err)
{
    struct writer_turns *turns = s->turns;
    bool ok;

    if (turns == NULL)
        return write_group(s, first, group, outcomes, rest, err);
    pthread_mutex_lock(&turns->lock);
    if (turns->doubt != NULL && turns->doubt != s)
        ok = err_set(err, ERR_AGAIN, "not kept: what the other store has kept is not known yet");
    else
        ok = write_behind_gate(s, first, group, outcomes, rest, err);
    if (!ok && err->code == ERR_UNKNOWN)
        turns->doubt = s;
    else if (turns->doubt == s && s->known)
        turns->doubt = NULL;
    pthread_mutex_unlock(&turns->lock);
    return ok;
}

bool group_run(struct group_state *s, struct task *first, struct task **rest)
{
    struct outcomes outcomes = { 0 };
    struct err err = { .code = ERR_NONE };
    struct task *next = first;
    struct group group;
    size_t count = 0;
    bool ok;

    for (const struct task *t = first; t != NULL; t = t->next)
        count++;
    outcomes.list = mem_array(count, sizeof *outcomes.list);
    *rest = NULL;
    ok = write_in_turn(s, first, &group, &outcomes, rest, &err);
    for (size_t i = 0; next != NULL; i++) {
        struct task *task = next;
        struct err *failure = i < outcomes.count ? outcomes.list[i].failure : NULL;

        next = task->next;                    /* done may free the task */
        task->next = NULL;
        if (!ok)
            task->done(task, false, &err);    /* also what a task failed with: it was judged by what is not kept */
        else
            task->done(task, failure == NULL, failure != NULL ? failure : &err);
        free(failure);
    }
    free(outcomes.list);
    return ok;
}

static bool nothing(struct task *task, struct group *group, struct err *err)
{
    (void)task, (void)group, (void)err;
    return true;
}

static void no_matter(struct task *task, bool ok, const struct err *err)
{
    (void)task, (void)ok, (void)err;
}

bool group_fold(struct group_state *s)
{
    struct task task = { .run = nothing, .done = no_matter };
    struct task *rest;

    return s->beside.oldest_ms == 0 || group_run(s, &task, &rest);
}

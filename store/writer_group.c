#include "store/writer_group.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "store/meta.h"

#define LOOKUP_TRIES 30
#define LOOKUP_PAUSE_MS 100

/* How each task went, until the commit has decided whether it counts. */
struct outcome {
    struct task *task;
    struct err *failure;                      /* owned; NULL: it succeeded */
};
struct outcomes {
    struct outcome *list;
    size_t count, succeeded;
};

bool group_recover(struct group_state *s, struct err *err)
{
    uint64_t now_ms;

    if (!store_meta_group(s->db, &s->number, &now_ms, &s->clock_ms, err))
        return false;
    /* Times that were given to groups that were not kept stay used up. */
    if (now_ms > s->now_ms)
        s->now_ms = now_ms;
    s->known = true;
    return true;
}

/* What was read by a group before is old where others have written since. */
static bool begin(struct group_state *s, struct err *err)
{
    if (!db_begin(s->db, err))
        return false;
    if (db_others_wrote(s->db)) {
        s->known = false;
        s->after_ms = 0;
        s->others++;
    }
    return true;
}

/* Whether the group may begin without savepoints: where one fails it is run again with them.  A task that has the group to itself
 * needs none, as there is nothing else to keep. */
static bool begins_bare(const struct task *first)
{
    for (const struct task *task = first; task != NULL; task = task->next)
        if (!task->repeatable && first->next != NULL)
            return false;
    return true;
}

static bool run_task(struct task *task, bool bare, struct group *group, struct outcomes *outcomes, struct err *err)
{
    struct outcome *outcome = &outcomes->list[outcomes->count];
    struct err why = { .code = ERR_NONE };

    if (!bare && !db_savepoint(group->db, err))
        return false;
    *outcome = (struct outcome){ .task = task };
    outcomes->count++;
    if (task->run(task, group, &why)) {
        outcomes->succeeded++;
        return bare || db_savepoint_release(group->db, err);
    }
    outcome->failure = mem_new(sizeof why);
    *outcome->failure = why;
    if (!bare)
        db_savepoint_rollback(group->db);
    return true;
}

static bool foreseen_before(const struct task *first, const struct task *task)
{
    for (const struct task *t = first; t != task; t = t->next)
        if (t->foresee == task->foresee && t->seal_self == task->seal_self)
            return true;
    return false;
}

/* *again: one of several failed that had no savepoint.  As soon as the group has run for long it is cut: *rest. */
static bool run_tasks(const struct group_state *s, struct task *first, bool bare, struct group *group, struct outcomes *outcomes,
                      struct task **rest, bool *again, struct err *err)
{
    bool many = first->next != NULL;
    uint64_t began_ms = clock_now_ms(&s->clock);

    for (const struct task *task = first; task != NULL; task = task->next)
        if (task->foresee != NULL && !foreseen_before(first, task) && !task->foresee(task->seal_self, first, group, err))
            return false;
    for (struct task *task = first; task != NULL && !*again; task = task->next) {
        if (!run_task(task, bare, group, outcomes, err))
            return false;
        *again = bare && many && outcomes->succeeded < outcomes->count;
        if (task->next != NULL && *rest == NULL && clock_now_ms(&s->clock) >= began_ms + GROUP_MS) {
            *rest = task->next;
            task->next = NULL;
        }
    }
    return true;
}

static void outcomes_reset(struct outcomes *outcomes)
{
    for (size_t i = 0; i < outcomes->count; i++)
        free(outcomes->list[i].failure);
    outcomes->count = outcomes->succeeded = 0;
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

static bool sealed_before(const struct outcomes *outcomes, size_t before, const struct task *task)
{
    for (size_t i = 0; i < before; i++) {
        const struct outcome *o = &outcomes->list[i];

        if (o->failure == NULL && o->task->seal == task->seal && o->task->seal_self == task->seal_self)
            return true;
    }
    return false;
}

static bool run_seals(struct group *group, const struct outcomes *outcomes, struct err *err)
{
    /* Nearly all tasks of a group share one seal, so the search ends at the first that succeeded. */
    for (size_t i = 0; i < outcomes->count; i++) {
        const struct task *task = outcomes->list[i].task;

        if (outcomes->list[i].failure != NULL || task->seal == NULL || sealed_before(outcomes, i, task))
            continue;
        if (!task->seal(task->seal_self, group, err))
            return false;
    }
    return true;
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

static bool commit(struct group_state *s, const struct group *group, struct err *err)
{
    bool committed = false;
    struct err why;

    if (db_commit(s->db, &why)) {
        s->after_ms = group->now_ms;
        return true;
    }
    if (why.code != ERR_UNKNOWN)
        return err_set(err, ERR_AGAIN, "not kept: %s", why.text);
    s->known = false;
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

/* *again: nothing was kept, and the same is to be run with savepoints.  Not where the database took it back: that is no task's fault. */
static bool try_group(struct group_state *s, struct task *first, bool bare, struct group *group, struct outcomes *outcomes,
                      struct task **rest, bool *again, struct err *err)
{
    uint64_t clock_ms;
    struct err why;

    if (!begin(s, &why))
        return err_set(err, ERR_AGAIN, "not kept: %s", why.text);
    clock_ms = clock_now_ms(&s->clock);       /* a turn may be waited for */
    if (!s->known && !group_recover(s, &why))
        goto undo;
    if (!clock_is_believed(s, clock_ms, &why))
        goto undo;
    set_time(s, clock_ms, group);
    group->bare = bare;
    if (clock_ms < s->clock_ms && !s->trust_clock)
        clock_ms = s->clock_ms;               /* the latest it said stays the measure */
    if (!run_tasks(s, first, bare, group, outcomes, rest, again, &why))
        goto undo;
    if (*again || outcomes->succeeded == 0) {
        if (keep_nothing(s, outcomes, err))
            return true;
        *again = false;
        return false;
    }
    if (!run_seals(group, outcomes, &why)) {
        *again = bare && group->again && !db_is_lost(s->db);
        goto undo;
    }
    if (!store_meta_set_group(s->db, group->number, group->now_ms, clock_ms, &why)
        || !holds_gate(s, &why))
        goto undo;
    if (!commit(s, group, err))
        return false;
    s->number = group->number;
    s->clock_ms = clock_ms;
    return true;
undo:
    db_rollback(s->db);
    return err_set(err, ERR_AGAIN, "not kept: %s", why.text);
}

static bool write_group(struct group_state *s, struct task *first, struct group *group, struct outcomes *outcomes, struct task **rest,
                        struct err *err)
{
    bool again = false;
    bool ok = try_group(s, first, begins_bare(first), group, outcomes, rest, &again, err);

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

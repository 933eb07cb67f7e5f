#include "store/writer_tasks.h"

#include <stdlib.h>

#include "gateway/base/mem.h"

void outcomes_reset(struct outcomes *outcomes)
{
    for (size_t i = 0; i < outcomes->count; i++)
        free(outcomes->list[i].failure);
    outcomes->count = outcomes->succeeded = 0;
}

bool tasks_begin_bare(const struct task *first)
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

bool tasks_run(const struct clock *clock, struct task *first, bool bare, struct group *group, struct outcomes *outcomes,
               struct task **rest, bool *again, struct err *err)
{
    bool many = first->next != NULL;
    uint64_t began_ms = clock_now_ms(clock);

    for (const struct task *task = first; task != NULL; task = task->next)
        if (task->foresee != NULL && !foreseen_before(first, task) && !task->foresee(task->seal_self, first, group, err))
            return false;
    for (struct task *task = first; task != NULL && !*again; task = task->next) {
        if (!run_task(task, bare, group, outcomes, err))
            return false;
        *again = bare && many && outcomes->succeeded < outcomes->count;
        if (task->next != NULL && *rest == NULL && clock_now_ms(clock) >= began_ms + GROUP_MS) {
            *rest = task->next;
            task->next = NULL;
        }
    }
    return true;
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

bool tasks_seal(struct group *group, const struct outcomes *outcomes, struct err *err)
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

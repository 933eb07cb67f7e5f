/* store/writer_tasks.h - the tasks of a group within its transaction, one after the other, and their seals; writer_group.c only. */
#ifndef QUITTANCE_STORE_WRITER_TASKS_H
#define QUITTANCE_STORE_WRITER_TASKS_H

#include "store/writer.h"

/* How each task went, until the commit has decided whether it counts. */
struct outcome {
    struct task *task;
    struct err *failure;                      /* owned; NULL: it succeeded */
};
struct outcomes {
    struct outcome *list;
    size_t count, succeeded;
};
void outcomes_reset(struct outcomes *outcomes);

/* Whether the group may begin without savepoints: where one fails it is run again with them.  A task that has the group to itself
 * needs none, as there is nothing else to keep. */
bool tasks_begin_bare(const struct task *first);
/* *again: one of several failed that had no savepoint.  As soon as the group has run for long it is cut: *rest.  Outcomes has room for all. */
MUST_USE bool tasks_run(const struct clock *clock, struct task *first, bool bare, struct group *group, struct outcomes *outcomes,
                        struct task **rest, bool *again, struct err *err);
/* Of those that succeeded. */
MUST_USE bool tasks_seal(struct group *group, const struct outcomes *outcomes, struct err *err);

#endif

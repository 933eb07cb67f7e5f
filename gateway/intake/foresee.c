/* What the submissions of a commit group will ask of a store that is far away, asked at once: which of their jobs are known.  A job that
 * stands in the group twice counts as known, so each of its receipts asks for itself and finds those before it. */
#include "gateway/intake/inside.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

static int by_job(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct job_id));
}

static void add(struct jobs *jobs, struct job_id job)
{
    if (jobs->count == jobs->capacity) {
        jobs->capacity = jobs->capacity == 0 ? 256 : 2 * jobs->capacity;
        jobs->list = mem_grow(jobs->list, jobs->capacity, sizeof *jobs->list);
    }
    jobs->list[jobs->count++] = job;
}

static void sort(struct jobs *jobs)
{
    if (jobs->count > 0)
        qsort(jobs->list, jobs->count, sizeof *jobs->list, by_job);
}

static void jobs_of(struct intake *intake, const struct task *first, struct jobs *all)
{
    for (const struct task *t = first; t != NULL; t = t->next) {
        const struct submission *s = t->run == accept_run && t->seal_self == intake ? submission_of(t) : NULL;

        for (size_t i = 0; s != NULL && i < s->count; i++)
            if (!s->items[i].goes_on && accept_may_ask(&s->items[i]))
                add(all, s->items[i].signed_.receipt.job_id);
    }
    sort(all);
}

/* Leaves each once in all. */
static void take_twins(struct jobs *all, struct jobs *known)
{
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++)
        if (count > 0 && by_job(&all->list[count - 1], &all->list[i]) == 0)
            add(known, all->list[i]);
        else
            all->list[count++] = all->list[i];
    all->count = count;
}

static void add_known(void *self, size_t i)
{
    struct foreseen *f = self;

    add(&f->known, f->all.list[i]);
}

bool foresee_group(void *seal_self, const struct task *first, struct group *group, struct err *err)
{
    struct intake *intake = seal_self;
    struct foreseen *f = &intake->foreseen;

    f->now_ms = 0;
    if (!db_is_shared(group->db))
        return true;
    f->all.count = f->known.count = 0;
    jobs_of(intake, first, &f->all);
    take_twins(&f->all, &f->known);
    if (!store_receipt_jobs_known(group->db, f->all.list, f->all.count, add_known, f, err))
        return false;
    sort(&f->known);
    f->now_ms = group->now_ms;
    return true;
}

bool foresee_is_done(const struct intake *intake, const struct group *group)
{
    return intake->foreseen.now_ms == group->now_ms;
}

bool foresee_is_new(const struct intake *intake, struct job_id job)
{
    const struct jobs *known = &intake->foreseen.known;

    return known->count == 0 || bsearch(&job, known->list, known->count, sizeof job, by_job) == NULL;
}

void foresee_free(struct intake *intake)
{
    free(intake->foreseen.all.list);
    free(intake->foreseen.known.list);
}

/* What the submissions of a commit group will ask of a store that is far away, asked at once: which of their jobs are known, and what their
 * providers earned on this day.  A job that stands in the group twice counts as known, so each of its receipts asks for itself and finds
 * those before it. */
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

static int by_provider(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct address));   /* the first member of each */
}

/* Most receipts have the provider of the one before, and few groups have many. */
static void add_provider(struct foreseen *f, struct address provider, uint64_t day)
{
    if (f->day_count > 0 && by_provider(&f->days[f->day_count - 1], &provider) == 0)
        return;
    if (f->day_count == f->day_capacity) {
        f->day_capacity = f->day_capacity == 0 ? 64 : 2 * f->day_capacity;
        f->days = mem_grow(f->days, f->day_capacity, sizeof *f->days);
    }
    f->days[f->day_count++] = (struct provider_day){ .provider = provider, .day = day };
}

static void sort_providers(struct foreseen *f)
{
    size_t count = 0;

    if (f->day_count > 0)
        qsort(f->days, f->day_count, sizeof *f->days, by_provider);
    for (size_t i = 0; i < f->day_count; i++)
        if (count == 0 || by_provider(&f->days[count - 1], &f->days[i]) != 0)
            f->days[count++] = f->days[i];
    f->day_count = count;
}

static bool is_submission(const struct intake *intake, const struct task *task)
{
    return task->run == accept_run && task->seal_self == intake;
}

static bool has_only_submissions(const struct intake *intake, const struct task *first)
{
    while (first != NULL && is_submission(intake, first))
        first = first->next;
    return first == NULL;
}

static void keys_of(struct intake *intake, const struct task *first, uint64_t day, struct foreseen *f)
{
    f->all.count = f->known.count = f->day_count = 0;
    for (const struct task *t = first; t != NULL; t = t->next) {
        const struct submission *s = is_submission(intake, t) ? submission_of(t) : NULL;

        for (size_t i = 0; s != NULL && i < s->count; i++) {
            const struct intake_item *item = &s->items[i];

            if (item->goes_on || !accept_may_ask(item))
                continue;
            add(&f->all, item->signed_.receipt.job_id);
            add_provider(f, item->signed_.receipt.provider, day);
        }
    }
    sort(&f->all);
    sort_providers(f);
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

static bool ask_jobs(struct foreseen *f, struct db *db, struct err *err)
{
    bool *known;
    bool ok;

    if (f->all.count == 0)
        return true;
    known = mem_array(f->all.count, sizeof *known);
    ok = store_receipt_jobs_known(db, f->all.list, f->all.count, f->all.list[0], f->all.list[f->all.count - 1], known, err);
    for (size_t i = 0; ok && i < f->all.count; i++)
        if (known[i])
            add(&f->known, f->all.list[i]);
    free(known);
    return ok;
}

/* There must be a page of them at least.  Where the database is far away a page's number is a question more than rows ask. */
static bool will_page(const struct intake *intake, const struct task *first, const struct group *group)
{
    size_t count = 0;

    if (!group->bare || intake->other != NULL || db_is_shared(group->db))
        return false;
    for (const struct task *t = first; t != NULL && count < PAGE_LEAST; t = t->next)
        if (is_submission(intake, t) && paging_is_small(submission_of(t)))
            count += submission_of(t)->count;
    return count >= PAGE_LEAST;
}

bool foresee_group(void *seal_self, const struct task *first, struct group *group, struct err *err)
{
    struct intake *intake = seal_self;
    struct foreseen *f = &intake->foreseen;

    f->submissions_ms = has_only_submissions(intake, first) ? group->now_ms : 0;
    f->paging_ms = will_page(intake, first, group) ? group->now_ms : 0;
    f->now_ms = 0;
    if (!db_is_shared(group->db))
        return true;
    keys_of(intake, first, group->clock_ms / DAY_MS, f);
    take_twins(&f->all, &f->known);
    if (!store_provider_days_find_soon(group->db, f->days, f->day_count, err) || !ask_jobs(f, group->db, err)
        || !store_provider_days_find(group->db, f->days, f->day_count, err))
        return false;
    sort(&f->known);
    f->now_ms = group->now_ms;
    return true;
}

bool foresee_paging(const struct intake *intake, const struct group *group)
{
    return intake->foreseen.paging_ms == group->now_ms;
}

bool foresee_is_done(const struct intake *intake, const struct group *group)
{
    return intake->foreseen.now_ms == group->now_ms;
}

static bool has(const struct jobs *jobs, struct job_id job)
{
    return jobs->count > 0 && bsearch(&job, jobs->list, jobs->count, sizeof job, by_job) != NULL;
}

bool foresee_is_new(const struct intake *intake, struct job_id job)
{
    return has(&intake->foreseen.all, job) && !has(&intake->foreseen.known, job);
}

bool foresee_day(const struct intake *intake, const struct group *group, struct address provider, struct amount *earned)
{
    const struct foreseen *f = &intake->foreseen;
    const struct provider_day *day = NULL;

    if (foresee_is_done(intake, group) && f->day_count > 0)
        day = bsearch(&provider, f->days, f->day_count, sizeof *f->days, by_provider);
    if (day != NULL)
        *earned = day->amount;
    return day != NULL;
}

void foresee_free(struct intake *intake)
{
    free(intake->foreseen.days);
    free(intake->foreseen.all.list);
    free(intake->foreseen.known.list);
}

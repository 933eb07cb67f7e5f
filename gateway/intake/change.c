/* Tasks of our own that the caller waits for. */
#include "gateway/intake/inside.h"

#include "store/keys.h"

struct change {
    struct task task;                         /* first: a change is found by its task */
    struct intake *intake;
    change_fn *fn;
    void *self;
    bool kept;                                /* it ran and succeeded: only the group can fail now */
    pthread_mutex_t lock;
    pthread_cond_t finished;
    bool done, ok;
    struct err err;
};

static bool change_run(struct task *task, struct group *group, struct err *err)
{
    struct change *c = (struct change *)task;

    if (!gather_enter(c->intake, group, err) || !c->fn(c->self, c->intake, group, err)) {
        gather_undo(c->intake);
        return false;
    }
    c->kept = true;
    return true;
}

static void change_done(struct task *task, bool ok, const struct err *err)
{
    struct change *c = (struct change *)task;

    if (!ok && c->kept)
        gather_lost(c->intake);
    pthread_mutex_lock(&c->lock);
    c->done = true;
    c->ok = ok;
    if (!ok)
        c->err = *err;
    pthread_cond_signal(&c->finished);        /* under the lock: the waiter's stack goes with it */
    pthread_mutex_unlock(&c->lock);
}

bool intake_change(struct intake *intake, change_fn *fn, void *self, size_t weight, bool alone, struct err *err)
{
    struct change c = {
        .task = { .run = change_run, .seal = seal_group, .seal_self = intake, .done = change_done, .weight = weight, .alone = alone },
        .intake = intake, .fn = fn, .self = self,
        .lock = PTHREAD_MUTEX_INITIALIZER, .finished = PTHREAD_COND_INITIALIZER,
    };
    bool may_take;

    pthread_mutex_lock(&intake->lock);
    may_take = intake_may_take(intake, err);
    pthread_mutex_unlock(&intake->lock);
    if (!may_take || !writer_submit(intake->writer, &c.task, err))
        return false;
    pthread_mutex_lock(&c.lock);
    while (!c.done)
        pthread_cond_wait(&c.finished, &c.lock);
    pthread_mutex_unlock(&c.lock);
    pthread_cond_destroy(&c.finished);
    pthread_mutex_destroy(&c.lock);
    if (!c.ok)
        *err = c.err;
    return c.ok;
}

bool change_record(struct group *group, const char *who, const char *action, json *owned_detail, struct err *err)
{
    struct buf text;
    bool ok;

    buf_init(&text);
    json_write(owned_detail, &text);
    json_free(owned_detail);
    ok = store_audit_add(group->db, group->now_ms, who, action, buf_text(&text), err);
    buf_clear(&text);
    return ok;
}

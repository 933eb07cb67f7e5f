#include "tests/support/side.h"

#include <time.h>

#include "store/batches.h"
#include "store/sums.h"

static bool side_run(struct task *task, struct group *group, struct err *err)
{
    struct side *s = (struct side *)task;

    s->runs++;
    s->beside += group->beside;
    s->group = *group;
    return s->fn(s, group, err);
}

static void side_done(struct task *task, bool ok, const struct err *err)
{
    struct side *s = (struct side *)task;

    s->ok = ok;
    s->err = *err;
    sem_post(&s->done);
}

void side_init(struct side *s)
{
    sem_init(&s->done, 0, 0);
    sem_init(&s->met, 0, 0);
    sem_init(&s->go, 0, 0);
    s->ready = true;
}

void side_start(struct side *s, struct writer *w, side_fn *fn)
{
    struct err err = { 0 };

    s->task = (struct task){ .run = side_run, .done = side_done, .weight = 1, .repeatable = true, .beside = true };
    s->fn = fn;
    if (!s->ready)
        side_init(s);
    store_ok(writer_submit(w, &s->task, &err));
}

bool comes(sem_t *what, unsigned ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return sem_timedwait(what, &until) == 0;
}

bool side_end(struct side *s)
{
    bool came = comes(&s->done, SOON_MS);

    if (!came || !s->ok)
        print_message("%s\n", came ? s->err.text : "it did not come");
    return came && s->ok;
}

bool leave_one(struct side *s, struct group *group, struct err *err)
{
    const struct sum sum = { .key = { .kind = SUM_BATCH, .number = 1 }, .amount = amount_from_u64(1), .count = 1 };

    (void)s;
    if (!group->beside)
        return store_batch_add(group->db, 1, 1, amount_from_u64(1), err);
    store_sum_pack(&sum, group->sums);
    return true;
}

bool meet(struct side *s, struct group *group, struct err *err)
{
    sem_post(&s->met);
    return (comes(&s->go, MEET_MS) || err_set(err, ERR_BUG, "nobody let it go")) && leave_one(s, group, err);
}

struct writer *open_writer(struct store_fixture *f, const struct clock *clock)
{
    struct writer *w;
    struct err err = { 0 };

    store_ok(writer_open(f->url, clock, &w, &err));
    writer_work_beside(w, BESIDE_ALWAYS);
    store_ok(writer_start(w, &err));
    return w;
}

static bool note_group(void *self, struct group *group, struct err *err)
{
    (void)err;
    *(struct group *)self = *group;
    return true;
}

struct group one_turn(struct writer *w)
{
    struct group group;
    struct err err = { 0 };

    store_ok(writer_do(w, note_group, &group, &err));
    return group;
}

struct two open_two(struct store_fixture *f)
{
    struct two t = { open_writer(f, &f->clock), open_writer(f, &f->clock) };

    (void)one_turn(t.a);
    (void)one_turn(t.b);
    return t;
}

void close_two(struct two *t)
{
    writer_close(t->a);
    writer_close(t->b);
}

uint64_t receipts_of_batch(struct store_fixture *f)
{
    struct batch_row batch;
    struct err err = { 0 };
    struct db *db;

    store_ok(db_open(f->url, DB_READ, &db, &err) && store_batch_open(db, &batch, &err));
    db_close(db);
    return batch.receipts;
}

uint64_t rows_of(struct store_fixture *f, const char *literal_sql)
{
    struct err err = { 0 };
    struct db *db;
    uint64_t rows;

    store_ok(db_open(f->url, DB_READ, &db, &err));
    rows = (uint64_t)store_number(db, literal_sql);
    db_close(db);
    return rows;
}

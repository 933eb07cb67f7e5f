#include "tests/support/store_fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "store/meta.h"
#include "tests/support/folder.h"

static uint64_t fixture_now(void *self)
{
    const struct store_fixture *f = self;

    return f->now_ms;
}

int store_dir_setup(void **state)
{
    struct store_fixture *f = mem_new(sizeof *f);

    folder_make("store", f->dir, sizeof f->dir);
    snprintf(f->path, sizeof f->path, "%s/store.db", f->dir);
    store_place_new(f->path, f->url);
    f->now_ms = 1000;
    f->clock = (struct clock){ fixture_now, f };
    *state = f;
    return 0;
}

int store_db_setup(void **state)
{
    struct store_fixture *f;
    struct err err;

    if (store_dir_setup(state) != 0)
        return -1;
    f = *state;
    return db_open(f->url, DB_WRITE, &f->db, &err) && db_migrate(f->db, &err) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info, (void)type, (void)place;
    return remove(path);
}

int store_teardown(void **state)
{
    struct store_fixture *f = *state;

    db_close(f->db);
    store_place_gone(f->url);
    nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

void store_sql(struct db *db, const char *sql)
{
    struct err err;

    store_ok(db_exec_script(db, sql, &err));
}

int64_t store_number(struct db *db, const char *literal_sql)
{
    struct stmt st;
    struct err err;
    int64_t number;
    bool row = false;

    store_ok(db_prepare(db, literal_sql, &st, &err));
    store_ok(stmt_step(&st, &row, &err));
    assert_true(row);
    number = stmt_i64(&st);
    stmt_end(&st);
    return number;
}

static void fill(uint8_t *bytes, size_t len, uint8_t first, unsigned n)
{
    memset(bytes, 0, len);
    bytes[0] = first;
    bytes[len - 2] = (uint8_t)(n >> 8);
    bytes[len - 1] = (uint8_t)n;
}

struct address some_address(unsigned n)     { struct address v;   fill(v.b, sizeof v.b, 0xAD, n); return v; }
struct hash some_hash(unsigned n)           { struct hash v;      fill(v.b, sizeof v.b, 0x4A, n); return v; }
struct job_id some_job(unsigned n)          { struct job_id v;    fill(v.b, sizeof v.b, 0x01, n); return v; }
struct signature some_signature(unsigned n) { struct signature v; fill(v.b, sizeof v.b, 0x51, n); return v; }
struct amount some_amount(uint64_t v)       { return (struct amount){ u256_from_u64(v) }; }

struct amount amount_of_256_bits(void)
{
    return (struct amount){ { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } } };
}

void assert_amount_equal(struct amount a, struct amount b)
{
    assert_memory_equal(&a, &b, sizeof a);
}

static struct receipt_row any_receipt(unsigned n)
{
    struct receipt_row row;
    struct receipt *r = &row.signed_.receipt;

    memset(&row, 0, sizeof row);
    r->job_id = some_job(n);
    r->provider = some_address(1);
    r->model = some_hash(2);
    r->consumer = some_address(3);
    for (size_t i = 0; i < METER_COUNT; i++)
        r->count[i] = 100 * (i + 1) + n;
    r->started_at_ms = 5000;
    r->finished_at_ms = 6000;
    r->quote = some_hash(4);
    r->evidence = some_hash(5);
    row.signed_.has_signature = row.signed_.has_consumer_signature = true;
    row.signed_.signature = some_signature(n);
    row.signed_.consumer_signature = some_signature(n + 1);
    row.hash = some_hash(n);
    row.received_at_ms = 7000 + n;
    return row;
}

struct receipt_row some_receipt(unsigned n)
{
    struct receipt_row row = any_receipt(n);

    row.state = RECEIPT_ACCEPTED;
    row.code = CODE_ACCEPTED;
    row.accepted_at_ms = 7001 + n;
    row.batch = 1;
    row.price_version = 3;
    row.amount = amount_of_256_bits();
    row.has_charged = true;
    row.charged = some_address(3);
    row.promise = 9;
    row.promise_index = n;
    return row;
}

struct receipt_row some_held_receipt(unsigned n)
{
    struct receipt_row row = any_receipt(n);

    row.state = RECEIPT_QUARANTINED;
    row.code = CODE_UNKNOWN_PROVIDER;
    memcpy(row.faults, "[{\"code\":\"unknown-provider\"}]", sizeof "[{\"code\":\"unknown-provider\"}]");
    return row;
}

void board_open(struct board *b, struct store_fixture *f, bool threaded)
{
    struct err err;

    memset(b, 0, sizeof *b);
    b->fixture = f;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    store_ok(writer_open(f->url, &f->clock, &b->writer, &err));
    if (threaded)
        store_ok(writer_start(b->writer, &err));
}

void board_close(struct board *b)
{
    writer_close(b->writer);
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->lock);
}

static bool probe_run(struct task *task, struct group *group, struct err *err)
{
    struct probe *p = (struct probe *)task;

    p->runs++;
    p->board->fixture->now_ms += p->takes_ms;
    p->group = group->number;
    p->now_ms = group->now_ms;
    if (!store_meta_set(group->db, p->key, group->number, err))
        return false;
    return !p->fails || err_set(err, ERR_INVALID, "told to fail");
}

static void probe_done(struct task *task, bool ok, const struct err *err)
{
    struct probe *p = (struct probe *)task;

    pthread_mutex_lock(&p->board->lock);
    p->ok = ok;
    p->err = *err;
    p->finished = true;
    p->board->finished++;
    p->board->succeeded += ok;
    pthread_cond_broadcast(&p->board->changed);
    pthread_mutex_unlock(&p->board->lock);
}

bool board_seal(void *self, struct group *group, struct err *err)
{
    struct board *b = self;

    b->seals++;
    if (!store_meta_set(group->db, "sealed", group->number, err))
        return false;
    group->again = b->seal_fails_bare && group->bare;
    return (!b->seal_fails && !group->again) || err_set(err, ERR_AUTH, "no key to seal with");
}

void probe_init(struct probe *p, struct board *b, unsigned n)
{
    memset(p, 0, sizeof *p);
    snprintf(p->key, sizeof p->key, "probe%u", n);
    p->board = b;
    p->task = (struct task){ .run = probe_run, .done = probe_done, .weight = 1 };
}

void board_wait(struct board *b, int finished)
{
    pthread_mutex_lock(&b->lock);
    while (b->finished < finished)
        pthread_cond_wait(&b->changed, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

static bool gate_run(struct task *task, struct group *group, struct err *err)
{
    struct board *b = ((struct probe *)task)->board;

    pthread_mutex_lock(&b->lock);
    b->gate_reached = true;
    pthread_cond_broadcast(&b->changed);
    while (!b->gate_open)
        pthread_cond_wait(&b->changed, &b->lock);
    pthread_mutex_unlock(&b->lock);
    return probe_run(task, group, err);
}

void gate_close(struct board *b, struct probe *gate)
{
    struct err err;

    probe_init(gate, b, 9999);
    gate->task.run = gate_run;
    store_ok(writer_submit(b->writer, &gate->task, &err));
    pthread_mutex_lock(&b->lock);
    while (!b->gate_reached)
        pthread_cond_wait(&b->changed, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

void gate_open(struct board *b)
{
    pthread_mutex_lock(&b->lock);
    b->gate_open = true;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

uint64_t store_kept(struct store_fixture *f, const char *key)
{
    struct db *reader;
    uint64_t value;
    struct err err;

    store_ok(db_open(f->url, DB_READ, &reader, &err));
    store_ok(store_meta_get(reader, key, &value, &err));
    db_close(reader);
    return value;
}

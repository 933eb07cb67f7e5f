#include "store/measures.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

bool store_measure(struct db *db, struct address provider, enum measure kind, uint64_t slot, uint64_t *value, bool *found, struct err *err)
{
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT value FROM provider_measures WHERE provider = ? AND kind = ? AND slot = ?", &st, err))
        return false;
    stmt_bind_address(&st, &provider);
    stmt_bind_int(&st, kind);
    stmt_bind_u64(&st, slot);
    if (!stmt_step(&st, &row, err))
        return false;
    *value = row ? stmt_u64(&st) : 0;
    *found = row;
    stmt_end(&st);
    return stmt_ok(&st, err);
}

bool store_measure_set(struct db *db, struct address provider, enum measure kind, uint64_t slot, uint64_t value, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO provider_measures (provider, kind, slot, value) VALUES (?, ?, ?, ?)"
                        " ON CONFLICT (provider, kind, slot) DO UPDATE SET value = excluded.value", &st, err))
        return false;
    stmt_bind_address(&st, &provider);
    stmt_bind_int(&st, kind);
    stmt_bind_u64(&st, slot);
    stmt_bind_u64(&st, value > MEASURE_MAX ? MEASURE_MAX : value);
    return stmt_exec_rows(&st, 1, err);
}

bool store_measure_past(struct db *db, struct address provider, enum measure kind, uint64_t from, uint64_t before,
                        uint64_t *sum, uint64_t *span, struct err *err)
{
    uint64_t total = 0, first = before, slot;
    struct stmt st;
    bool row, ok;

    if (!db_prepare(db, "SELECT slot, value FROM provider_measures WHERE provider = ? AND kind = ? AND slot >= ? AND slot < ?"
                        " ORDER BY slot", &st, err))
        return false;
    stmt_bind_address(&st, &provider);
    stmt_bind_int(&st, kind);
    stmt_bind_u64(&st, from);
    stmt_bind_u64(&st, before);
    while ((ok = stmt_step(&st, &row, err)) && row) {
        uint64_t value;

        slot = stmt_u64(&st);
        value = stmt_u64(&st);
        first = slot < first ? slot : first;
        total = value > UINT64_MAX - total ? UINT64_MAX : total + value;
    }
    if (!ok || !stmt_ok(&st, err))
        return false;
    *sum = total;
    *span = before - first;
    return true;
}

bool store_measures_drop(struct db *db, struct address provider, enum measure kind, uint64_t before, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "DELETE FROM provider_measures WHERE provider = ? AND kind = ? AND slot < ?", &st, err))
        return false;
    stmt_bind_address(&st, &provider);
    stmt_bind_int(&st, kind);
    stmt_bind_u64(&st, before);
    return stmt_exec_later(&st, STMT_ANY_ROWS, err);
}

bool store_evidence_find(struct db *db, struct address provider, uint64_t day, struct hash evidence, struct job_id *job,
                         bool *found, struct err *err)
{
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT job_id FROM provider_evidence WHERE provider = ? AND day IN (?, ?) AND evidence = ? LIMIT 1", &st, err))
        return false;
    stmt_bind_address(&st, &provider);
    stmt_bind_u64(&st, day);
    stmt_bind_u64(&st, day > 0 ? day - 1 : 0);
    stmt_bind_hash(&st, &evidence);
    if (!stmt_step(&st, &row, err))
        return false;
    if (row)
        *job = stmt_job_id(&st);
    *found = row;
    stmt_end(&st);
    return stmt_ok(&st, err);
}

bool store_evidence_add(struct db *db, struct address provider, uint64_t day, struct hash evidence, struct job_id job,
                        struct err *err)
{
    struct stmt st;

    /* One that an operator released stands beside the first. */
    if (!db_prepare(db, "INSERT INTO provider_evidence (provider, day, evidence, job_id) VALUES (?, ?, ?, ?)"
                        " ON CONFLICT (provider, day, evidence) DO NOTHING", &st, err))
        return false;
    stmt_bind_address(&st, &provider);
    stmt_bind_u64(&st, day);
    stmt_bind_hash(&st, &evidence);
    stmt_bind_job_id(&st, &job);
    return stmt_exec_later(&st, STMT_ANY_ROWS, err);
}

bool store_evidence_drop(struct db *db, struct address provider, uint64_t before_day, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "DELETE FROM provider_evidence WHERE provider = ? AND day < ?", &st, err))
        return false;
    stmt_bind_address(&st, &provider);
    stmt_bind_u64(&st, before_day);
    return stmt_exec_later(&st, STMT_ANY_ROWS, err);
}

static void bind_cache_day(const void *self, size_t i, struct stmt *st)
{
    const struct cache_day *day = (const struct cache_day *)self + i;

    stmt_bind_u64(st, day->day);
    stmt_bind_hash(st, &day->model);
    stmt_bind_address(st, &day->provider);
}

static bool read_cache_day(void *self, size_t i, struct stmt *st, struct err *err)
{
    struct cache_use *use = &((struct cache_day *)self)[i].use;

    (void)err;
    use->jobs = stmt_u64(st);
    use->input = stmt_u64(st);
    use->cached = stmt_u64(st);
    return true;
}

bool store_cache_days_find(struct db *db, struct cache_day *list, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        list[i].use = (struct cache_use){ 0 };
    return db_each_key(db, "SELECT jobs, input, cached FROM cache_days WHERE day = ? AND model = ? AND provider = ?", count,
                       bind_cache_day, read_cache_day, list, err);
}

static bool set_cache_day(struct db *db, const struct cache_day *day, struct err *err)
{
    const struct cache_use *use = &day->use;
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO cache_days (day, model, provider, jobs, input, cached) VALUES (?, ?, ?, ?, ?, ?)"
                        " ON CONFLICT (day, model, provider) DO UPDATE SET jobs = excluded.jobs, input = excluded.input,"
                        " cached = excluded.cached", &st, err))
        return false;
    bind_cache_day(day, 0, &st);
    stmt_bind_u64(&st, use->jobs);
    stmt_bind_u64(&st, use->input > MEASURE_MAX ? MEASURE_MAX : use->input);
    stmt_bind_u64(&st, use->cached > MEASURE_MAX ? MEASURE_MAX : use->cached);
    return stmt_exec_rows(&st, 1, err);
}

static bool drop_cache_days(struct db *db, uint64_t before_day, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "DELETE FROM cache_days WHERE day < ?", &st, err))
        return false;
    stmt_bind_u64(&st, before_day);
    return stmt_exec_later(&st, STMT_ANY_ROWS, err);
}

bool store_cache_days_add(struct db *db, const struct cache_day *more, size_t count, struct err *err)
{
    struct cache_day *days = mem_array(count + 1, sizeof *days);
    bool ok;

    memcpy(days, more, count * sizeof *days);
    ok = store_cache_days_find(db, days, count, err);
    for (size_t i = 0; ok && i < count; i++) {
        uint64_t day = days[i].day;

        if (more[i].use.jobs == 0)
            continue;
        ok = days[i].use.jobs != 0 || drop_cache_days(db, day > HIDDEN_DAYS_KEPT ? day - HIDDEN_DAYS_KEPT : 0, err);
        cache_use_add(&days[i].use, &more[i].use);
        ok = ok && set_cache_day(db, &days[i], err);
    }
    free(days);
    return ok;
}

/* Summed here: a sum in SQL may pass 63 bits, which is an error there. */
bool store_cache_uses(struct db *db, uint64_t from_day, cache_use_fn *visit, void *self, struct err *err)
{
    struct cache_use sum = { 0 };
    struct address provider = { { 0 } };
    struct hash model = { { 0 } };
    struct stmt st;
    bool row, ok;

    if (!db_prepare(db, "SELECT model, provider, jobs, input, cached FROM cache_days WHERE day >= ? ORDER BY model, provider", &st, err))
        return false;
    stmt_bind_u64(&st, from_day);
    while ((ok = stmt_step(&st, &row, err)) && row) {
        struct hash m = stmt_hash(&st);
        struct address p = stmt_address(&st);
        struct cache_use use = { .jobs = stmt_u64(&st) };

        use.input = stmt_u64(&st);
        use.cached = stmt_u64(&st);
        if (sum.jobs > 0 && (!hash_eq(m, model) || !address_eq(p, provider))) {
            if (!visit(self, model, provider, &sum)) {
                stmt_end(&st);
                return stmt_ok(&st, err);
            }
            sum = (struct cache_use){ 0 };
        }
        model = m;
        provider = p;
        cache_use_add(&sum, &use);
    }
    if (!ok || !stmt_ok(&st, err))
        return false;
    if (sum.jobs > 0)
        visit(self, model, provider, &sum);
    return true;
}

/* The providers of one model, until the next begins. */
struct judging { struct hash model; struct cache_peer *peers; size_t count, capacity; hidden_fn *visit; void *self; };

static void judge_model(struct judging *j)
{
    hidden_judge(j->peers, j->count);
    for (size_t i = 0; i < j->count; i++)
        if (j->peers[i].hides)
            j->visit(j->self, j->model, &j->peers[i]);
    j->count = 0;
}

static bool add_peer(void *self, struct hash model, struct address provider, const struct cache_use *use)
{
    struct judging *j = self;

    if (j->count > 0 && !hash_eq(j->model, model))
        judge_model(j);
    j->model = model;
    if (j->count == j->capacity) {
        j->capacity = j->capacity == 0 ? 16 : j->capacity * 2;
        j->peers = mem_grow(j->peers, j->capacity, sizeof *j->peers);
    }
    j->peers[j->count++] = (struct cache_peer){ .provider = provider, .use = *use };
    return true;
}

bool store_cache_hidden(struct db *db, uint64_t day, hidden_fn *visit, void *self, struct err *err)
{
    struct judging j = { .visit = visit, .self = self };
    bool ok = store_cache_uses(db, day >= HIDDEN_DAYS ? day - HIDDEN_DAYS + 1 : 0, add_peer, &j, err);

    if (ok)
        judge_model(&j);
    free(j.peers);
    return ok;
}

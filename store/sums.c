#include "store/sums.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/core/word.h"
#include "store/batches.h"
#include "store/ledger.h"
#include "store/market.h"
#include "store/measures.h"
#include "store/popularity.h"
#include "store/receipts.h"

/* -- as bytes: kind, role, number, second, count, account, model, amount -- */
#define PACKED (1 + 1 + 8 + 8 + 8 + 20 + 32 + 32)
_Static_assert(PACKED == 110, "as the schema says");
_Static_assert(ROLES <= 255, "a role is one byte");

void store_sum_pack(const struct sum *s, struct buf *sums)
{
    uint8_t *to = buf_extend(sums, PACKED);

    if (to == NULL)
        return;
    to[0] = (uint8_t)s->key.kind;
    to[1] = (uint8_t)s->key.role;
    be64_put(to + 2, s->key.number);
    be64_put(to + 10, s->key.second);
    be64_put(to + 18, s->count);
    memcpy(to + 26, s->key.account.b, 20);
    memcpy(to + 46, s->key.model.b, 32);
    u256_to_be(s->amount.base_units, to + 78);
}

static bool unpack(const uint8_t *from, struct sum *s, struct err *err)
{
    *s = (struct sum){
        .key = { .kind = (enum sum_kind)from[0], .number = be64_get(from + 2), .second = be64_get(from + 10), .role = from[1] },
        .amount = { u256_from_be(from + 78) }, .count = be64_get(from + 18),
    };
    memcpy(s->key.account.b, from + 26, 20);
    memcpy(s->key.model.b, from + 46, 32);
    return (from[0] >= SUM_BATCH && from[0] <= SUM_KINDS && from[1] < ROLES) || err_set(err, ERR_STORE, "a damaged sum");
}

bool store_sums_keep(struct db *db, uint64_t number, uint64_t now_ms, uint64_t clock_ms, const struct buf *sums, struct err *err)
{
    struct stmt st;

    if (sums->failed)
        return err_set(err, ERR_LIMIT, "the sums of one group are too many");
    if (!db_prepare(db, "INSERT INTO group_sums (number, now_ms, clock_ms, sums) VALUES (?, ?, ?, ?)", &st, err))
        return false;
    stmt_bind_u64(&st, number);
    stmt_bind_u64(&st, now_ms);
    stmt_bind_u64(&st, clock_ms);
    stmt_bind_blob(&st, sums->data != NULL ? sums->data : (const uint8_t *)"", sums->len);
    return stmt_exec_later(&st, 1, err);
}

bool store_sums_wait(struct db *db, bool *waiting, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT 1 FROM group_sums LIMIT 1", &st, err) || !stmt_step(&st, waiting, err))
        return false;
    stmt_end(&st);
    return stmt_ok(&st, err);
}

/* -- folding -- */

struct sums { struct sum *list; size_t count, capacity; };     /* owned */

static bool add_packed(struct sums *all, const uint8_t *bytes, size_t len, struct err *err)
{
    if (len % PACKED != 0)
        return err_set(err, ERR_STORE, "a damaged row of %zu bytes", len);
    for (size_t at = 0; at < len; at += PACKED) {
        if (all->count == all->capacity) {
            all->capacity = all->capacity == 0 ? 1024 : 2 * all->capacity;
            all->list = mem_grow(all->list, all->capacity, sizeof *all->list);
        }
        if (!unpack(bytes + at, &all->list[all->count++], err))
            return false;
    }
    return true;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static bool read_all(struct db *db, struct sums *all, struct folded *folded, struct err *err)
{
    const void *bytes;
    uint64_t number;
    struct stmt st;
    bool row, ok;
    size_t len;

    if (!db_prepare(db, "SELECT number, now_ms, clock_ms, sums FROM group_sums ORDER BY number", &st, err))
        return false;
    while ((ok = stmt_step(&st, &row, err)) && row) {
        folded->groups++;
        number = stmt_u64(&st);
        folded->number = later(folded->number, number);
        folded->now_ms = later(folded->now_ms, stmt_u64(&st));
        folded->clock_ms = later(folded->clock_ms, stmt_u64(&st));
        stmt_blob(&st, &bytes, &len);
        if (!stmt_ok(&st, err) || !add_packed(all, bytes, len, err)) {
            stmt_end(&st);
            return err_prefix(err, "group_sums, number %" PRIu64, number);
        }
    }
    return ok && stmt_ok(&st, err);
}

static int key_cmp(const struct sum_key *a, const struct sum_key *b)
{
    int order = (int)a->kind - (int)b->kind;

    if (order == 0 && a->number != b->number)
        order = a->number < b->number ? -1 : 1;
    if (order == 0 && a->second != b->second)
        order = a->second < b->second ? -1 : 1;
    if (order == 0)
        order = address_cmp(&a->account, &b->account);
    if (order == 0)
        order = a->role - b->role;
    return order != 0 ? order : memcmp(a->model.b, b->model.b, sizeof a->model.b);
}

static int by_key(const void *a, const void *b)
{
    return key_cmp(&((const struct sum *)a)->key, &((const struct sum *)b)->key);
}

/* One of each key, in order. */
static bool merge(struct sums *all, struct err *err)
{
    size_t count = 0;

    if (all->count > 0)
        qsort(all->list, all->count, sizeof *all->list, by_key);
    for (size_t i = 0; i < all->count; i++) {
        struct sum *last = count > 0 ? &all->list[count - 1] : NULL;

        if (last == NULL || key_cmp(&last->key, &all->list[i].key) != 0) {
            all->list[count++] = all->list[i];
            continue;
        }
        last->count += all->list[i].count;
        if (!amount_add(last->amount, all->list[i].amount, &last->amount))
            return err_set(err, ERR_OVERFLOW, "the sums of groups are over 256 bits");
    }
    all->count = count;
    return true;
}

static bool fold_batches(struct db *db, const struct sum *list, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!store_batch_add(db, list[i].key.number, list[i].count, list[i].amount, err))
            return false;
    return true;
}

static bool fold_postings(struct db *db, const struct sum *list, size_t count, struct err *err)
{
    struct posting *postings = mem_array(count, sizeof *postings);
    bool ok;

    for (size_t i = 0; i < count; i++) {
        const struct sum_key *k = &list[i].key;

        postings[i] = (struct posting){ k->number, { k->account, (enum role)k->role, k->model, list[i].amount }, list[i].count };
    }
    ok = store_postings_add(db, postings, count, err);
    free(postings);
    return ok;
}

/* Those of one epoch at a time. */
static bool fold_fees(struct db *db, const struct sum *list, size_t count, struct err *err)
{
    struct batch_fee *fees = mem_array(count, sizeof *fees);
    bool ok = true;

    for (size_t from = 0, some; ok && from < count; from += some) {
        for (some = 0; from + some < count && list[from + some].key.number == list[from].key.number; some++) {
            const struct sum *s = &list[from + some];

            fees[some] = (struct batch_fee){ s->key.second, { s->key.model, s->key.account, s->amount } };
        }
        ok = store_pool_fees_add(db, list[from].key.number, fees, some, err);
    }
    free(fees);
    return ok;
}

static bool fold_provider_days(struct db *db, const struct sum *list, size_t count, struct err *err)
{
    struct provider_day *days = mem_array(count, sizeof *days);
    bool ok;

    for (size_t i = 0; i < count; i++)
        days[i] = (struct provider_day){ list[i].key.account, list[i].key.number, list[i].amount };
    ok = store_provider_days_add(db, days, count, err);
    free(days);
    return ok;
}

static bool fold_consumer_days(struct db *db, const struct sum *list, size_t count, struct err *err)
{
    struct consumer_day *days = mem_array(count, sizeof *days);
    bool ok;

    for (size_t i = 0; i < count; i++)
        days[i] = (struct consumer_day){ list[i].key.account, list[i].key.number, list[i].amount };
    ok = store_consumer_days_add(db, days, count, err);
    free(days);
    return ok;
}

static bool fold_cache_days(struct db *db, const struct sum *list, size_t count, struct err *err)
{
    struct cache_day *days = mem_array(count, sizeof *days);
    bool ok;

    for (size_t i = 0; i < count; i++)
        days[i] = (struct cache_day){ list[i].key.number, list[i].key.model, list[i].key.account,
                                      cache_use_unpack(list[i].amount, list[i].count) };
    ok = store_cache_days_add(db, days, count, err);
    free(days);
    return ok;
}

static bool fold_demand(struct db *db, const struct sum *list, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!store_demand_add(db, list[i].key.number, list[i].key.second, list[i].amount, err))
            return false;
    return true;
}

typedef bool fold_fn(struct db *db, const struct sum *list, size_t count, struct err *err);
static fold_fn *const folds[SUM_KINDS + 1] = {
    [SUM_BATCH] = fold_batches, [SUM_POSTING] = fold_postings, [SUM_FEE] = fold_fees, [SUM_PROVIDER_DAY] = fold_provider_days,
    [SUM_CONSUMER_DAY] = fold_consumer_days, [SUM_CACHE_DAY] = fold_cache_days, [SUM_DEMAND] = fold_demand,
};

static bool apply(struct db *db, const struct sums *all, struct err *err)
{
    for (size_t from = 0, count; from < all->count; from += count) {
        enum sum_kind kind = all->list[from].key.kind;

        for (count = 1; from + count < all->count && all->list[from + count].key.kind == kind; count++)
            ;
        if (!folds[kind](db, all->list + from, count, err))
            return false;
    }
    return true;
}

static bool forget_rows(struct db *db, const struct folded *folded, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "DELETE FROM group_sums", &st, err))
        return false;
    return stmt_exec_later(&st, folded->groups, err);
}

bool store_sums_fold(struct db *db, struct folded *folded, struct err *err)
{
    struct sums all = { 0 };
    bool ok;

    *folded = (struct folded){ 0 };
    ok = read_all(db, &all, folded, err) && (folded->groups == 0 || (merge(&all, err) && apply(db, &all, err) && forget_rows(db, folded, err)));
    free(all.list);
    return ok;
}

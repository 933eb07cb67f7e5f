#include "api/market_shape.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/lib/exposition.h"
#include "store/market.h"

struct figures { uint64_t from_ms; struct u256 demand, capacity; };

struct announced { struct announcement *list; size_t count; };

static bool keep(void *self, const struct announcement *a, struct err *err)
{
    struct announced *all = self;

    (void)err;
    all->list = mem_grow(all->list, all->count + 1, sizeof *all->list);
    all->list[all->count++] = *a;
    return true;
}

/* Of the window before the one that is judged next. */
static bool read_figures(struct db *db, const struct market_row *m, struct figures *f, struct err *err)
{
    const struct market_rule rule = { .window_s = (uint32_t)m->window_s };
    struct announced all = { 0 };
    bool ok;

    f->from_ms = m->next_ms - m->window_s * 1000;
    ok = store_demand(db, m->base, f->from_ms, &f->demand, err)
      && store_capacities(db, m->model, f->from_ms - CAPACITY_REACH_MS, f->from_ms, keep, &all, err);
    if (ok)
        f->capacity = market_capacity(&rule, f->from_ms, all.list, all.count);
    free(all.list);
    return ok;
}

static json *to_json(const struct market_row *m, const struct figures *f)
{
    json *object = json_new_object(), *window = json_new_object();

    json_put_u64(window, "from", f->from_ms);
    json_put_u64(window, "to", m->next_ms);
    json_put_u64(object, "base", m->base);
    json_put_amount(object, "multiplier", (struct amount){ m->multiplier });
    json_put(object, "window", window);
    json_put_amount(object, "demand", (struct amount){ f->demand });
    json_put_amount(object, "capacity", (struct amount){ f->capacity });
    return object;
}

static bool load_markets(struct db *db, struct market_row **list, size_t *count, struct err *err)
{
    struct market_row *read = mem_array(MARKETS_MAX, sizeof *read);

    if (!store_markets_due(db, UINT64_MAX, read, MARKETS_MAX, count, err)) {
        free(read);
        return false;
    }
    *list = read;
    return true;
}

bool market_to_answer(struct db *db, struct hash model, json **out, struct err *err)
{
    struct market_row *list;
    struct figures figures;
    json *answer = NULL;
    bool ok = true;
    size_t count;

    if (!load_markets(db, &list, &count, err))
        return false;
    /* The newest base: one that was replaced is ended only with its next window. */
    for (size_t i = count; ok && answer == NULL && i > 0; i--)
        if (hash_eq(list[i - 1].model, model)) {
            ok = read_figures(db, &list[i - 1], &figures, err);
            answer = ok ? to_json(&list[i - 1], &figures) : NULL;
        }
    free(list);
    if (ok)
        *out = answer;
    return ok;
}

/* As a plain ratio: what is a wide fixed point inside is a figure for people here. */
static double ratio(struct u256 a, struct u256 b)
{
    struct u256 millionths;
    uint64_t value;

    return !u256_is_zero(b) && u256_mul_div(a, u256_from_u64(1000000), b, &millionths) && u256_to_u64(millionths, &value)
        ? (double)value / 1e6 : 0.0;
}

static void put_one(struct buf *out, const char *name, struct hash model, double value)
{
    char text[HASH_TEXT];

    hash_to_text(model, text);
    buf_printf(out, "%s{model=\"%s\"} %.6f\n", name, text, value);
}

static bool put_markets(struct buf *out, struct db *db, const struct market_row *list, size_t count, struct err *err)
{
    struct figures f[METRICS_MARKETS];

    for (size_t i = 0; i < count; i++)
        if (!read_figures(db, &list[i], &f[i], err))
            return false;
    exposition_head(out, "quittance_market_multiplier", "gauge", "What a market has made of its base price.");
    for (size_t i = 0; i < count; i++)
        put_one(out, "quittance_market_multiplier", list[i].model, ratio(list[i].multiplier, u256_from_u64(MARKET_ONE)));
    exposition_head(out, "quittance_market_utilisation", "gauge", "Demand of the last window over announced capacity; 0 without any.");
    for (size_t i = 0; i < count; i++)
        put_one(out, "quittance_market_utilisation", list[i].model, ratio(f[i].demand, f[i].capacity));
    return true;
}

bool metrics_put_markets(struct buf *out, struct db *db, struct err *err)
{
    struct market_row *list;
    size_t count, unique = 0;
    bool ok;

    if (!load_markets(db, &list, &count, err))
        return false;
    exposition_one(out, "quittance_markets", "gauge", "Markets that run.", count);
    /* One series a model: a newer base stands for the one it replaces. */
    for (size_t i = 0; i < count; i++) {
        bool replaced = false;

        for (size_t k = i + 1; k < count && !replaced; k++)
            replaced = hash_eq(list[i].model, list[k].model);
        if (!replaced && unique < METRICS_MARKETS)
            list[unique++] = list[i];
    }
    ok = put_markets(out, db, list, unique, err);
    free(list);
    return ok;
}

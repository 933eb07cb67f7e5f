#include "gateway/audit/market_inputs.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/base/mem.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/secp.h"

#define NAME (ADDRESS_TEXT + 16)
#define FOLD_FROM 1024u                       /* entries, before the first fold */

void market_inputs_clear(struct market_inputs *in)
{
    free(in->announced);
    free(in->covering);
    free(in->demand);
    *in = (struct market_inputs){ 0 };
}

/* -- capacity -- */

static void name_capacity(const struct announcement *a, char name[NAME])
{
    char address[ADDRESS_TEXT];

    address_to_text(a->capacity.provider, address);
    snprintf(name, NAME, "capacity of %s", address);
}

static bool check(const struct market_inputs *in, const struct announcement *a, struct place at, struct err *err)
{
    struct address signer;
    struct err why = { 0 };

    if (a->withdrawn)
        return a->capacity.units_per_second == 0
            || differs_u64(err, DIFFERS_CATALOG, at, 0, a->capacity.units_per_second);
    if (!capacity_check(&a->capacity, a->recorded_at_ms, &why))
        return differs(err, DIFFERS_CATALOG, at, "an announcement within its bounds", why.text);
    if (!secp_recover(&a->signature, typed_digest(in->domain, capacity_struct_hash(&a->capacity)), &signer, &why))
        return differs(err, DIFFERS_SIGNATURE, at, "the provider's signature", "one that recovers to nobody");
    return address_eq(signer, a->capacity.provider)
        || differs_address(err, DIFFERS_SIGNATURE, at, a->capacity.provider, signer);
}

bool market_inputs_capacity(struct market_inputs *in, const struct announcement *a, uint64_t sequence, struct err *err)
{
    char name[NAME];

    name_capacity(a, name);
    if (!check(in, a, (struct place){ sequence, name }, err))
        return false;
    if (in->announced_count == in->announced_capacity) {
        in->announced_capacity = in->announced_capacity == 0 ? 64 : in->announced_capacity * 2;
        in->announced = mem_grow(in->announced, in->announced_capacity, sizeof *in->announced);
    }
    in->announced[in->announced_count++] = *a;
    return true;
}

static int by_recorded(const void *a, const void *b)
{
    const struct announcement *x = a, *y = b;
    int models = memcmp(x->capacity.model.b, y->capacity.model.b, sizeof x->capacity.model.b);

    if (models != 0)
        return models;
    if (x->recorded_at_ms != y->recorded_at_ms)
        return x->recorded_at_ms < y->recorded_at_ms ? -1 : 1;
    return announcement_order(x, y);
}

/* How many are not after (model, recorded). */
static size_t position(const struct market_inputs *in, struct hash model, uint64_t recorded_ms)
{
    size_t low = 0, high = in->announced_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct announcement *a = &in->announced[middle];
        int models = memcmp(a->capacity.model.b, model.b, sizeof model.b);

        if (models < 0 || (models == 0 && a->recorded_at_ms <= recorded_ms))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct u256 market_inputs_capacity_of(struct market_inputs *in, const struct price_version *base, uint64_t from_ms)
{
    size_t first = position(in, base->model, from_ms > CAPACITY_REACH_MS ? from_ms - CAPACITY_REACH_MS : 0);
    size_t count = position(in, base->model, from_ms) - first;

    if (count == 0)
        return U256_ZERO;
    if (count > in->covering_capacity) {
        in->covering_capacity = 2 * count;
        in->covering = mem_grow(in->covering, in->covering_capacity, sizeof *in->covering);
    }
    memcpy(in->covering, in->announced + first, count * sizeof *in->covering);
    qsort(in->covering, count, sizeof *in->covering, announcement_order);
    return market_capacity(&base->market, from_ms, in->covering, count);
}

uint64_t market_inputs_busy(const struct market_inputs *in, const struct price_version *base, uint64_t from_ms)
{
    size_t first = position(in, base->model, from_ms > CAPACITY_REACH_MS ? from_ms - CAPACITY_REACH_MS : 0);

    if (first == in->announced_count || !hash_eq(in->announced[first].capacity.model, base->model))
        return UINT64_MAX;
    return in->announced[first].recorded_at_ms <= from_ms ? from_ms
         : market_first_window(&base->market, in->announced[first].recorded_at_ms, 0);
}

/* -- demand -- */

static int by_window(const void *a, const void *b)
{
    const struct window_demand *x = a, *y = b;

    if (x->base != y->base)
        return x->base < y->base ? -1 : 1;
    return (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

static bool fold(struct market_inputs *in, struct err *err)
{
    size_t kept = 0;

    if (in->demand_count > 1)
        qsort(in->demand, in->demand_count, sizeof *in->demand, by_window);
    for (size_t i = 0; i < in->demand_count; i++) {
        if (kept > 0 && by_window(&in->demand[kept - 1], &in->demand[i]) == 0) {
            if (!u256_add(in->demand[kept - 1].units, in->demand[i].units, &in->demand[kept - 1].units))
                return err_set(err, ERR_OVERFLOW, "a window's demand is over 256 bits");
        } else {
            in->demand[kept++] = in->demand[i];
        }
    }
    in->demand_count = kept;
    return true;
}

bool market_inputs_demand(struct market_inputs *in, uint64_t base, uint64_t from_ms, uint64_t units, struct err *err)
{
    if (in->demand_count == in->demand_capacity) {
        if (!fold(in, err))
            return false;
        if (in->demand_capacity == 0 || in->demand_count > in->demand_capacity / 2) {
            in->demand_capacity = in->demand_capacity == 0 ? FOLD_FROM : in->demand_capacity * 2;
            in->demand = mem_grow(in->demand, in->demand_capacity, sizeof *in->demand);
        }
    }
    in->demand[in->demand_count++] = (struct window_demand){ base, from_ms, u256_from_u64(units) };
    return true;
}

struct u256 market_inputs_demand_of(const struct market_inputs *in, uint64_t base, uint64_t from_ms)
{
    struct window_demand key = { .base = base, .from_ms = from_ms };
    const struct window_demand *found = in->demand_count == 0 ? NULL
        : bsearch(&key, in->demand, in->demand_count, sizeof key, by_window);

    return found == NULL ? U256_ZERO : found->units;
}

bool market_inputs_settle(struct market_inputs *in, const struct catalog *catalog, uint64_t sequence, struct err *err)
{
    for (; in->checked < in->announced_count; in->checked++) {
        const struct announcement *a = &in->announced[in->checked];
        char name[NAME];

        name_capacity(a, name);
        if (!a->withdrawn && catalog_provider(catalog, a->capacity.provider, a->recorded_at_ms) == NULL)
            return differs(err, DIFFERS_CATALOG, (struct place){ sequence, name }, "an admitted provider", "none");
    }
    if (in->announced_count > 1)
        qsort(in->announced, in->announced_count, sizeof *in->announced, by_recorded);
    return fold(in, err);
}

#include "tests/histories/mutations.h"

#include "gateway/rebuild/parts.h"
#include "store/adjustments.h"
#include "store/market.h"
#include "tests/histories/driver.h"

#define WINDOW_MS 300000u                     /* the shortest of a history's markets */

enum history_mutation mutation = MUTATION_NONE;

static const struct { const char *name, *text; } rows[MUTATIONS] = {
    { "NONE", "the code as it is" },
#define ROW(name, text) { #name, text },
    HISTORY_MUTATIONS(ROW)
#undef ROW
};

/* Plants `name`; it stays until the next. */
bool do_plant(const json *in, json *out, struct err *err)
{
    const char *name;
    size_t len;

    (void)out;
    if (!json_get_text(json_member(in, "name"), &name, &len))
        bug("plant: name");
    for (size_t i = 0; i < MUTATIONS; i++)
        if (strcmp(rows[i].name, name) == 0) {
            mutation = (enum history_mutation)i;
            return true;
        }
    return err_set(err, ERR_INVALID, "nobody knows how to plant %s", name);
}

bool do_mutations(const json *in, json *out, struct err *err)
{
    json *list = json_new_array();

    (void)in, (void)err;
    for (size_t i = 1; i < MUTATIONS; i++) {
        json *row = json_new_object();

        json_put_text(row, "name", rows[i].name);
        json_put_text(row, "text", rows[i].text);
        json_add(list, row);
    }
    json_put(out, "mutations", list);
    return true;
}

/* ---- corrections ---- */

WRAPPED(bool, store_adjustment_add, struct db *db, struct adjustment *a, struct err *err)
{
    struct adjustment again = *a;

    return __real_store_adjustment_add(db, a, err)
        && (mutation != MUTATION_ADJUSTED_TWICE || __real_store_adjustment_add(db, &again, err));
}

WRAPPED(bool, store_debts_insert, struct db *db, uint64_t sequence, const struct debts *debts, struct err *err)
{
    return mutation == MUTATION_DEBTS_NOT_STORED || __real_store_debts_insert(db, sequence, debts, err);
}

WRAPPED(bool, nets_settle, struct nets *n, const struct debts *before, struct address protocol, struct debts *after, struct err *err)
{
    if (mutation == MUTATION_DEBT_PAID_AT_ONCE)
        protocol = (struct address){ { 0xff } };
    return __real_nets_settle(n, before, protocol, after, err);
}

WRAPPED(bool, corrections_fill, struct filling *f, struct err *err)
{
    if (mutation == MUTATION_REBUILT_WITHOUT)
        f->g->adjustment_count = 0;
    return __real_corrections_fill(f, err);
}

/* ---- markets ---- */

static struct u256 one_more(struct u256 v)
{
    struct u256 sum;

    return u256_add(v, u256_from_u64(1), &sum) ? sum : v;
}

WRAPPED(struct u256, market_next, const struct market_rule *rule, struct u256 multiplier, struct u256 demand, struct u256 capacity)
{
    struct u256 next = __real_market_next(rule, multiplier, demand, capacity);

    return mutation == MUTATION_STEP_ROUNDS_UP && u256_cmp(next, multiplier) != 0 ? one_more(next) : next;
}

WRAPPED(struct amount, market_price, struct amount base, struct u256 multiplier)
{
    struct amount price = __real_market_price(base, multiplier);
    struct u256 whole, exact;

    if (mutation != MUTATION_PRICE_ROUNDS_UP || !u256_mul_u64(price.base_units, MARKET_ONE, &whole)
        || !u256_mul_div(base.base_units, multiplier, u256_from_u64(1), &exact) || u256_cmp(whole, exact) >= 0)
        return price;
    return (struct amount){ one_more(price.base_units) };
}

WRAPPED(struct u256, market_capacity, const struct market_rule *rule, uint64_t from_ms, const struct announcement *list, size_t count)
{
    struct announcement long_[64];

    if (mutation != MUTATION_CAPACITY_UNCOVERED || count > ARRAY_LEN(long_))
        return __real_market_capacity(rule, from_ms, list, count);
    for (size_t i = 0; i < count; i++) {
        long_[i] = list[i];
        if (list[i].capacity.valid_until_ms > from_ms)
            long_[i].capacity.valid_until_ms = from_ms + rule->window_s * UINT64_C(1000);
    }
    return __real_market_capacity(rule, from_ms, long_, count);
}

WRAPPED(bool, store_demand_add, struct db *db, uint64_t base, uint64_t from_ms, struct amount units, struct err *err)
{
    return __real_store_demand_add(db, base, mutation == MUTATION_DEMAND_LATE ? from_ms + WINDOW_MS : from_ms, units, err);
}

static bool forget_demand(void *self, struct group *group, struct err *err)
{
    (void)self;
    return db_exec_script(group->db, "DELETE FROM market_demand", err);
}

WRAPPED(bool, intake_new, const struct intake_config *config, struct writer *writer, const struct signer *signer,
        const struct clock *clock, struct snapshots *snapshots, struct intake **intake, struct err *err)
{
    return (mutation != MUTATION_DEMAND_LOST_BY_RESTART || writer_do(writer, forget_demand, NULL, err))
        && __real_intake_new(config, writer, signer, clock, snapshots, intake, err);
}

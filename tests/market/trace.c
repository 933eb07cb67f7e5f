/* Prices a trace by the gateway's own market (gateway/core/market.h): no service, no store.  scripts/plot-market draws it.
 *
 *   trace WINDOW TARGET DEADBAND MAXSTEP FLOOR CEILING PRICE UNITS_PER_SECOND  <"AT_MS UNITS" lines, ascending
 *   one line a window: FROM_MS DEMAND CAPACITY MULTIPLIER PRICE, multiplier and price as they hold after it */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/core/market.h"

#define ARGUMENTS 8

struct run {
    struct market_rule rule;
    struct amount price;
    struct u256 multiplier, demand;
    struct announcement capacity;
    uint64_t from_ms;
};

static void put(struct u256 v, char end)
{
    char text[U256_DECIMAL_MAX];

    u256_to_decimal(v, text);
    printf("%s%c", text, end);
}

/* The one announcement covers each window: a provider would renew it every hour. */
static void end_window(struct run *r)
{
    struct u256 capacity;

    r->capacity.capacity.valid_from_ms = r->capacity.recorded_at_ms = r->from_ms;
    r->capacity.capacity.valid_until_ms = r->from_ms + r->rule.window_s * UINT64_C(1000);
    capacity = market_capacity(&r->rule, r->from_ms, &r->capacity, 1);
    r->multiplier = market_next(&r->rule, r->multiplier, r->demand, capacity);
    printf("%" PRIu64 " ", r->from_ms);
    put(r->demand, ' ');
    put(capacity, ' ');
    put(r->multiplier, ' ');
    put(market_price(r->price, r->multiplier).base_units, '\n');
    r->from_ms += r->rule.window_s * UINT64_C(1000);
    r->demand = U256_ZERO;
}

static bool read_rule(char **words, struct run *r)
{
    char text[400];
    struct err err = { 0 };
    json *object = NULL;
    bool ok;

    snprintf(text, sizeof text, "{\"window\":%s,\"target\":%s,\"deadBand\":%s,\"maxStep\":%s,\"floor\":%s,\"ceiling\":%s}", words[0],
             words[1], words[2], words[3], words[4], words[5]);
    ok = json_read(text, strlen(text), &object, &err) && market_rule_from_json(object, &r->rule, &err);
    json_free(object);
    if (!ok)
        fprintf(stderr, "trace: %s\n", err.text);
    return ok && u256_from_decimal(words[6], strlen(words[6]), &r->price.base_units);
}

int main(int argc, char **argv)
{
    struct run r = { .multiplier = u256_from_u64(MARKET_ONE) };
    uint64_t at_ms, units, jobs = 0;

    if (argc != ARGUMENTS + 1 || !read_rule(argv + 1, &r)) {
        fprintf(stderr, "usage: trace WINDOW TARGET DEADBAND MAXSTEP FLOOR CEILING PRICE UNITS_PER_SECOND\n");
        return 64;
    }
    r.capacity.capacity.units_per_second = strtoull(argv[ARGUMENTS], NULL, 10);
    for (; scanf("%" SCNu64 " %" SCNu64, &at_ms, &units) == 2; jobs++) {
        if (jobs == 0)
            r.from_ms = market_window_of(&r.rule, at_ms);
        while (at_ms >= r.from_ms + r.rule.window_s * UINT64_C(1000))
            end_window(&r);
        if (!u256_add(r.demand, u256_from_u64(units), &r.demand))
            return 65;
    }
    if (jobs > 0)
        end_window(&r);
    return ferror(stdin) ? 74 : 0;
}

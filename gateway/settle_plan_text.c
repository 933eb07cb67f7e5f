/* gateway/settle_plan_text.c - a dry run, for people too. */
#include "gateway/settle_ways.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "gateway/open.h"

/* Millionths of the coin, rounded up; what is wider is shown as it is. */
static void tell_coin(const char *what, const json *wei)
{
    const char *text = "0";
    struct u256 v;
    uint64_t millionths, rest;
    size_t len;

    if (!json_get_text(wei, &text, &len) || !u256_from_decimal(text, len, &v))
        return;
    v = u256_div_u64(v, UINT64_C(1000000000000), &rest);
    if (u256_to_u64(v, &millionths) && millionths < UINT64_MAX) {
        millionths += rest > 0;
        fprintf(stderr, "%s %" PRIu64 ".%06" PRIu64 " coin", what, millionths / 1000000, millionths % 1000000);
    } else {
        fprintf(stderr, "%s %s wei", what, text);
    }
}

static const char *text_of(const json *object, const char *key)
{
    const char *text;
    size_t len;

    return json_get_text(json_member(object, key), &text, &len) ? text : "?";
}

static uint64_t count_of(const json *object, const char *key)
{
    uint64_t count;

    return json_get_u64(json_member(object, key), &count) ? count : 0;
}

static void tell_plan(const json *plan)
{
    const json *calls = json_member(plan, "calls"), *left = json_member(plan, "leftOut"), *stops = json_member(plan, "stops");

    fprintf(stderr, "%zu transactions, %" PRIu64 " accounts paid, %" PRIu64 " gas;", json_count(calls),
            count_of(plan, "dueAccounts"), count_of(plan, "gas"));
    tell_coin(" at most", json_member(plan, "maxCostWei"));
    tell_coin("; the signer has", json_member(plan, "balanceWei"));
    fputc('\n', stderr);
    for (size_t i = 0; left != NULL && i < json_count(left); i++)
        fprintf(stderr, "left out: %" PRIu64 " accounts, %s base units: %s\n", count_of(json_at(left, i), "accounts"),
                text_of(json_at(left, i), "amount"), text_of(json_at(left, i), "reason"));
    for (size_t i = 0; stops != NULL && i < json_count(stops); i++)
        fprintf(stderr, "stops at %s: %s\n", text_of(json_at(stops, i), "reason"), text_of(json_at(stops, i), "detail"));
}

void settle_print_plan(json *owned)
{
    if (isatty(STDOUT_FILENO) == 1)
        tell_plan(owned);
    print_json(owned);
}

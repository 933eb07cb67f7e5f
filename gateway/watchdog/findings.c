#include "gateway/watchdog/findings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "gateway/base/clock.h"

/* Names are kept in monitoring systems: never rename. */
static const struct { const char *name; enum err_code error; } codes[FINDING_CODES] = {
    [FINDING_UNSETTLED]     = { "unsettled",     ERR_HALT },
    [FINDING_STUCK]         = { "stuck",         ERR_HALT },
    [FINDING_HALTED]        = { "halted",        ERR_HALT },
    [FINDING_HELD]          = { "held",          ERR_HALT },
    [FINDING_CANCELLED]     = { "cancelled",     ERR_HALT },
    [FINDING_NONCE_FOREIGN] = { "nonce-foreign", ERR_HALT },
    [FINDING_CHAIN_AWAY]    = { "chain-away",    ERR_AGAIN },
    [FINDING_ENDPOINT_OUT]  = { "endpoint-out",  ERR_AGAIN },
    [FINDING_GAS_LOW]       = { "gas-low",       ERR_AGAIN },
    [FINDING_FEES_HIGH]     = { "fees-high",     ERR_AGAIN },
    [FINDING_FUNDS_LOW]     = { "funds-low",     ERR_AGAIN },
    [FINDING_CAP_SHORT]     = { "cap-short",     ERR_AGAIN },
    [FINDING_PAUSED]        = { "paused",        ERR_AGAIN },
    [FINDING_NOT_OPERATOR]  = { "not-operator",  ERR_HALT },
    [FINDING_ROOT_FOREIGN]  = { "root-foreign",  ERR_HALT },
    [FINDING_CACHE_HIDDEN]  = { "cache-hidden",  ERR_HALT },
};

const char *finding_name(enum finding_code code)
{
    return codes[code].name;
}

const char *finding_level_name(enum finding_level level)
{
    switch (level) {
    case LEVEL_NONE:    return "none";
    case LEVEL_WARNING: return "warning";
    case LEVEL_FAILURE: return "failure";
    }
    bug("level %d", (int)level);
}

enum err_code finding_error(const char *name)
{
    for (size_t i = 0; i < FINDING_CODES; i++)
        if (strcmp(codes[i].name, name) == 0)
            return codes[i].error;
    return ERR_HALT;
}

void findings_join(struct findings *findings, const struct findings *other)
{
    for (size_t i = 0; i < FINDING_CODES; i++)
        if (other->by_code[i].level > findings->by_code[i].level)
            findings->by_code[i] = other->by_code[i];
}

bool findings_any(const struct findings *findings, enum finding_level least)
{
    for (size_t i = 0; i < FINDING_CODES; i++)
        if (findings->by_code[i].level >= least)
            return true;
    return false;
}

/* ---- figures ---- */

uint64_t gas_runs_left(struct wei balance, struct wei price, uint64_t gas)
{
    struct u256 run, runs, rest;
    uint64_t left;

    if (!u256_mul_u64(price.v, gas, &run))
        return 0;
    if (!u256_divmod(balance.v, run, &runs, &rest) || !u256_to_u64(runs, &left))
        return UINT64_MAX;
    return left;
}

uint64_t funds_days_left(struct amount funds, struct amount owed, struct amount growth, uint64_t span_ms)
{
    struct amount left;
    struct u256 a_day, days;
    uint64_t count;

    if (!amount_sub(funds, owed, &left))
        return 0;
    if (amount_is_zero(growth))
        return UINT64_MAX;
    /* left / (growth * day / span), in one division so that nothing is rounded twice. */
    if (!u256_mul_u64(growth.base_units, DAY_MS, &a_day))
        return 0;
    if (!u256_mul_div(left.base_units, u256_from_u64(span_ms), a_day, &days) || !u256_to_u64(days, &count))
        return UINT64_MAX;
    return count;
}

/* ---- the rules, one a function ---- */

static void find(struct findings *f, enum finding_code code, enum finding_level level, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void find(struct findings *f, enum finding_code code, enum finding_level level, const char *format, ...)
{
    va_list args;

    f->by_code[code].level = level;
    va_start(args, format);
    vsnprintf(f->by_code[code].text, sizeof f->by_code[code].text, format, args);
    va_end(args);
}

static uint64_t seconds_since(const struct facts *facts, uint64_t since_ms)
{
    return since_ms != 0 && facts->now_ms > since_ms ? (facts->now_ms - since_ms) / 1000 : 0;
}

/* Below these limits: the lower is the failure. */
static enum finding_level level_below(uint64_t value, uint64_t warn, uint64_t fail)
{
    return value < fail ? LEVEL_FAILURE : value < warn ? LEVEL_WARNING : LEVEL_NONE;
}

static void judge_store(const struct facts *facts, const struct watchdog_limits *limits, struct findings *f)
{
    uint64_t unsettled_s = seconds_since(facts, facts->unsettled_since_ms);
    uint64_t stuck_s = seconds_since(facts, facts->stuck_since_ms);

    if (unsettled_s > limits->unsettled_max_s)
        find(f, FINDING_UNSETTLED, LEVEL_FAILURE, "the oldest receipt that no commit holds was accepted %" PRIu64 " s ago, over %" PRIu64
             " s: is `settle` run?", unsettled_s, limits->unsettled_max_s);
    if (stuck_s > limits->stuck_max_s)
        find(f, FINDING_STUCK, LEVEL_FAILURE, "settlement has not moved for %" PRIu64 " s, over %" PRIu64 " s%s%s", stuck_s,
             limits->stuck_max_s, facts->stuck[0] != '\0' ? ": " : "", facts->stuck);
    if (facts->halted)
        find(f, FINDING_HALTED, LEVEL_FAILURE, "settlement is halted: %s", facts->stuck);
    if (facts->held > limits->held_max)
        find(f, FINDING_HELD, LEVEL_WARNING, "%" PRIu64 " receipts are held, over %" PRIu64 ": release or refuse them", facts->held,
             limits->held_max);
    if (facts->cancelled_batch != 0)
        find(f, FINDING_CANCELLED, LEVEL_FAILURE, "the settlement of batch %" PRIu64 " was cancelled: look why, then carry it",
             facts->cancelled_batch);
    if (facts->hiding != 0)
        find(f, FINDING_CACHE_HIDDEN, LEVEL_WARNING, "%" PRIu64 " providers of a model report under a tenth of their peers' cache hits: %s",
             facts->hiding, facts->hiding_one);
    if (facts->has_foreign)
        find(f, FINDING_NONCE_FOREIGN, LEVEL_FAILURE, "nonce %" PRIu64 " of the signer was used by somebody else: its key is halted",
             facts->foreign_nonce);
}

static void judge_gas(const struct chain_facts *chain, const struct watchdog_limits *limits, struct findings *f)
{
    enum finding_level level = level_below(chain->gas_runs_left, limits->gas_runs_warn, limits->gas_runs_fail);
    char balance[U256_DECIMAL_MAX];

    u256_to_decimal(chain->gas_balance.v, balance);
    if (level != LEVEL_NONE)
        find(f, FINDING_GAS_LOW, level, "gas for %" PRIu64 " runs is left (%s wei), below %" PRIu64 ": send coin to the signer",
             chain->gas_runs_left, balance, level == LEVEL_FAILURE ? limits->gas_runs_fail : limits->gas_runs_warn);
    if (chain->fees_over_ceiling)
        find(f, FINDING_FEES_HIGH, LEVEL_WARNING, "gas costs more than [settle] max_fee_gwei: settlement waits");
}

static void judge_funds(const struct chain_facts *chain, const struct watchdog_limits *limits, struct findings *f)
{
    enum finding_level level = level_below(chain->funds_days_left, limits->funds_days_warn, limits->funds_days_fail);
    char funds[U256_DECIMAL_MAX], owed[U256_DECIMAL_MAX], available[U256_DECIMAL_MAX];

    u256_to_decimal(chain->funds.base_units, funds);
    u256_to_decimal(chain->owed.base_units, owed);
    u256_to_decimal(chain->cap_available.base_units, available);
    if (level != LEVEL_NONE)
        find(f, FINDING_FUNDS_LOW, level, "funds for %" PRIu64 " days are left (%s base units, of which %s are owed), below %" PRIu64
             ": %s", chain->funds_days_left, funds, owed,
             level == LEVEL_FAILURE ? limits->funds_days_fail : limits->funds_days_warn,
             chain->prefunded ? "send tokens to the contract" : "raise the funder's balance and allowance");
    if (amount_cmp(chain->uncommitted, chain->cap_available) > 0)
        find(f, FINDING_CAP_SHORT, LEVEL_WARNING, "what is to be committed is over the %s base units that the cap leaves now",
             available);
}

static void judge_contract(const struct chain_facts *chain, struct findings *f)
{
    if (chain->paused_until_s != 0)
        find(f, FINDING_PAUSED, LEVEL_FAILURE, "the contract is paused: no commit until %" PRIu64, chain->paused_until_s);
    if (!chain->is_operator)
        find(f, FINDING_NOT_OPERATOR, LEVEL_FAILURE, "the signer is not the contract's operator: it cannot commit");
    if (chain->strange_sequence != 0)
        find(f, FINDING_ROOT_FOREIGN, LEVEL_FAILURE, "the root of sequence %" PRIu64
             " was committed by the operator's key, but not by this store: cancel it, revoke the key", chain->strange_sequence);
}

void findings_judge(const struct facts *facts, const struct watchdog_limits *limits, struct findings *findings)
{
    memset(findings, 0, sizeof *findings);
    judge_store(facts, limits, findings);
    if (facts->chain.asked && facts->chain.away_since_ms != 0)
        find(findings, FINDING_CHAIN_AWAY, LEVEL_FAILURE, "the chain has not answered for %" PRIu64 " s: %s",
             seconds_since(facts, facts->chain.away_since_ms), facts->chain.away);
    /* It stops nothing yet; the next that fails may. */
    if (facts->chain.endpoints_out != 0)
        find(findings, FINDING_ENDPOINT_OUT, LEVEL_WARNING, "%" PRIu64 " RPC endpoints are left out: %s", facts->chain.endpoints_out,
             facts->chain.endpoint_out);
    if (!facts->chain.seen)
        return;
    judge_gas(&facts->chain, limits, findings);
    judge_funds(&facts->chain, limits, findings);
    judge_contract(&facts->chain, findings);
}

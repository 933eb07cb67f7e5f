#include "chain/fee.h"

#include <stdlib.h>

#define GWEI 1000000000u
#define TIP_MIN 1000000u                /* 0.001 gwei, geth's own default */
#define TIP_MAX (100ull * GWEI)         /* a node that reports more is broken or lies */
#define TIP_WHEN_EMPTY GWEI             /* no used block to learn from, as on a fresh test chain */
#define RPC_FEE_CAP_WEI 1000000000000000000ull      /* 1 ETH: --rpc.txfeecap of geth, as by default */

static int wei_cmp(struct wei a, struct wei b)
{
    return u256_cmp(a.v, b.v);
}

static struct wei wei_min(struct wei a, struct wei b)
{
    return wei_cmp(a, b) < 0 ? a : b;
}

static struct wei wei_max(struct wei a, struct wei b)
{
    return wei_cmp(a, b) > 0 ? a : b;
}

static struct wei wei_from_u64(uint64_t v)
{
    return (struct wei){ u256_from_u64(v) };
}

struct wei wei_from_gwei(uint64_t gwei)
{
    struct wei wei;

    if (!u256_mul_u64(u256_from_u64(gwei), GWEI, &wei.v))
        bug("2^64 gwei are within 256 bits");
    return wei;
}

static int order_by_wei(const void *a, const void *b)
{
    return wei_cmp(*(const struct wei *)a, *(const struct wei *)b);
}

/* The upper median over blocks that were used: an empty block's reward is 0 and says nothing. */
static struct wei median_tip(const struct fee_history *history)
{
    struct wei used[ARRAY_LEN(history->rewards)];
    size_t count = 0;

    for (size_t i = 0; i < history->count; i++)
        if (history->gas_used_ratio[i] > 0)
            used[count++] = history->rewards[i];
    if (count == 0)
        return wei_from_u64(TIP_WHEN_EMPTY);
    qsort(used, count, sizeof used[0], order_by_wei);
    return wei_max(wei_from_u64(TIP_MIN), wei_min(wei_from_u64(TIP_MAX), used[count / 2]));
}

static bool over_ceiling(const char *what, struct wei asked, struct wei ceiling, struct err *err)
{
    char asked_text[U256_DECIMAL_MAX], ceiling_text[U256_DECIMAL_MAX];

    u256_to_decimal(asked.v, asked_text);
    u256_to_decimal(ceiling.v, ceiling_text);
    return err_set(err, ERR_AGAIN, "%s of %s wei is above the ceiling of %s wei a gas", what, asked_text, ceiling_text);
}

static bool suggest_legacy(struct wei price, struct wei ceiling, struct fee *fee, struct err *err)
{
    if (wei_cmp(price, ceiling) > 0)
        return over_ceiling("the gas price", price, ceiling, err);
    *fee = (struct fee){ price, price, true };
    return true;
}

bool fee_suggest(const struct fee_market *market, struct wei ceiling, struct fee *fee, struct err *err)
{
    const struct fee_history *history = &market->history;
    struct wei tip, cap;

    if (market->legacy)
        return suggest_legacy(market->gas_price, ceiling, fee, err);
    tip = median_tip(history);
    if (wei_cmp(history->next_base_fee, ceiling) > 0)
        return over_ceiling("the next base fee", history->next_base_fee, ceiling, err);
    /* Full blocks raise the base fee by an eighth each (EIP-1559): 1.125^5 = 1.80, so twice covers five of them. */
    if (!u256_mul_u64(history->next_base_fee.v, 2, &cap.v) || !u256_add(cap.v, tip.v, &cap.v))
        cap = ceiling;
    fee->max_fee = wei_min(cap, ceiling);
    fee->max_priority_fee = wei_min(tip, fee->max_fee);      /* EIP-1559: a tip above the cap is invalid */
    fee->legacy = false;
    return true;
}

bool fee_is_low(struct fee offered, const struct fee_market *market, struct fee fresh)
{
    struct u256 needed;

    if (market->legacy)
        return wei_cmp(offered.max_fee, market->gas_price) < 0;
    return !u256_add(market->history.next_base_fee.v, fresh.max_priority_fee.v, &needed)
        || u256_cmp(offered.max_fee.v, needed) < 0 || wei_cmp(offered.max_priority_fee, fresh.max_priority_fee) < 0;
}

/* ceil(old * 9 / 8) and more than nothing, or fresh where that is more.  geth asks for 10 %, some nodes for 12.5 %. */
static bool raise_fee(struct wei old, struct wei fresh, struct wei *raised)
{
    struct u256 v;
    uint64_t rest;

    if (!u256_mul_u64(old.v, 9, &v))
        return false;
    v = u256_div_u64(v, 8, &rest);
    if ((rest > 0 || u256_is_zero(v)) && !u256_add(v, u256_from_u64(1), &v))
        return false;
    *raised = wei_max((struct wei){ v }, fresh);
    return true;
}

bool fee_replace(struct fee old, struct fee fresh, struct wei ceiling, struct fee *fee, struct err *err)
{
    struct fee raised = { .legacy = old.legacy };

    /* Both fields, never one: a pool compares each by itself. */
    if (!raise_fee(old.max_priority_fee, fresh.max_priority_fee, &raised.max_priority_fee)
        || !raise_fee(old.max_fee, fresh.max_fee, &raised.max_fee))
        return err_set(err, ERR_OVERFLOW, "a fee over 256 bits");
    if (raised.legacy)
        raised.max_priority_fee = raised.max_fee = wei_max(raised.max_fee, raised.max_priority_fee);
    if (wei_cmp(raised.max_fee, ceiling) > 0)
        return over_ceiling("a replacement's fee", raised.max_fee, ceiling, err);
    *fee = raised;
    return true;
}

void fee_put(struct fee fee, struct tx *tx)
{
    tx->legacy = fee.legacy;
    tx->max_fee = fee.max_fee;
    tx->max_priority_fee = fee.max_priority_fee;
}

uint64_t fee_gas_max(struct fee fee)
{
    struct u256 gas, rest;
    uint64_t most;

    if (!u256_divmod(u256_from_u64(RPC_FEE_CAP_WEI), fee.max_fee.v, &gas, &rest) || !u256_to_u64(gas, &most))
        return UINT64_MAX;                     /* free gas */
    return most;
}

static struct wei most_wei(void)
{
    return (struct wei){ { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } } };
}

struct wei wei_sum(struct wei a, struct wei b)
{
    struct wei sum;

    return u256_add(a.v, b.v, &sum.v) ? sum : most_wei();
}

struct wei fee_cost(uint64_t gas, struct wei max_fee, struct wei data_fee)
{
    struct wei cost;

    return u256_mul_u64(max_fee.v, gas, &cost.v) ? wei_sum(cost, data_fee) : most_wei();
}

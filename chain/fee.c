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

bool fee_suggest(const struct fee_history *history, struct wei ceiling, struct fee *fee, struct err *err)
{
    struct wei tip = median_tip(history), cap;

    if (wei_cmp(history->next_base_fee, ceiling) > 0)
        return over_ceiling("the next base fee", history->next_base_fee, ceiling, err);
    /* Full blocks raise the base fee by an eighth each (EIP-1559): 1.125^5 = 1.80, so twice covers five of them. */
    if (!u256_mul_u64(history->next_base_fee.v, 2, &cap.v) || !u256_add(cap.v, tip.v, &cap.v))
        cap = ceiling;
    fee->max_fee = wei_min(cap, ceiling);
    fee->max_priority_fee = wei_min(tip, fee->max_fee);      /* EIP-1559: a tip above the cap is invalid */
    return true;
}

/* ceil(old * 9 / 8), or fresh where that is more.  geth asks for 10 %, some nodes for 12.5 %. */
static bool raise_fee(struct wei old, struct wei fresh, struct wei *raised)
{
    struct u256 v;
    uint64_t rest;

    if (!u256_mul_u64(old.v, 9, &v))
        return false;
    v = u256_div_u64(v, 8, &rest);
    if (rest > 0 && !u256_add(v, u256_from_u64(1), &v))
        return false;
    *raised = wei_max((struct wei){ v }, fresh);
    return true;
}

bool fee_replace(struct fee old, struct fee fresh, struct wei ceiling, struct fee *fee, struct err *err)
{
    struct fee raised;

    /* Both fields, never one: a pool compares each by itself. */
    if (!raise_fee(old.max_priority_fee, fresh.max_priority_fee, &raised.max_priority_fee)
        || !raise_fee(old.max_fee, fresh.max_fee, &raised.max_fee))
        return err_set(err, ERR_OVERFLOW, "a fee over 256 bits");
    if (wei_cmp(raised.max_fee, ceiling) > 0)
        return over_ceiling("a replacement's fee", raised.max_fee, ceiling, err);
    *fee = raised;
    return true;
}

uint64_t fee_gas_max(struct fee fee)
{
    struct u256 gas, rest;
    uint64_t most;

    if (!u256_divmod(u256_from_u64(RPC_FEE_CAP_WEI), fee.max_fee.v, &gas, &rest) || !u256_to_u64(gas, &most))
        return UINT64_MAX;                     /* free gas */
    return most;
}

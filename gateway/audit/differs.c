#include "gateway/audit/differs.h"

#include <inttypes.h>
#include <stdio.h>

#include "gateway/lib/address_text.h"

static const char *const names[DIFFERENCES] = {
    [DIFFERS_HEADER]         = "header",
    [DIFFERS_ARCHIVE]        = "archive",
    [DIFFERS_BATCH]          = "batch",
    [DIFFERS_CATALOG]        = "catalog",
    [DIFFERS_QUOTE]          = "quote",
    [DIFFERS_MARKET]         = "market",
    [DIFFERS_BUNDLE]         = "bundle",
    [DIFFERS_RECEIPT]        = "receipt",
    [DIFFERS_DOUBLE_BILLING] = "double billing",
    [DIFFERS_SIGNATURE]      = "signature",
    [DIFFERS_PRICE]          = "price version",
    [DIFFERS_AMOUNT]         = "amount",
    [DIFFERS_SPLIT]          = "split",
    [DIFFERS_RECEIPTS_ROOT]  = "receipts root",
    [DIFFERS_POPULARITY]     = "popularity",
    [DIFFERS_ADJUSTMENT]     = "adjustment",
    [DIFFERS_REWARD]         = "reward",
    [DIFFERS_LEAF_FELL]      = "leaf fell",
    [DIFFERS_DEBT]           = "debt",
    [DIFFERS_REWARDS_ROOT]   = "rewards root",
    [DIFFERS_TOTAL]          = "total",
    [DIFFERS_REWARDS_JSON]   = "rewards.json",
    [DIFFERS_PAYMENT]        = "payment",
};

const char *difference_name(enum difference kind)
{
    return names[kind];
}

bool differs(struct err *err, enum difference kind, struct place at, const char *expected, const char *found)
{
    char settlement[40] = "";

    if (at.sequence != 0)
        snprintf(settlement, sizeof settlement, "settlement %" PRIu64 ": ", at.sequence);
    return err_set(err, ERR_DIFFERS, "%s%s: %s: expected %s, found %s", settlement, names[kind], at.where, expected, found);
}

bool differs_u64(struct err *err, enum difference kind, struct place at, uint64_t expected, uint64_t found)
{
    char e[24], f[24];

    snprintf(e, sizeof e, "%" PRIu64, expected);
    snprintf(f, sizeof f, "%" PRIu64, found);
    return differs(err, kind, at, e, f);
}

bool differs_hash(struct err *err, enum difference kind, struct place at, struct hash expected, struct hash found)
{
    char e[HASH_TEXT], f[HASH_TEXT];

    hash_to_text(expected, e);
    hash_to_text(found, f);
    return differs(err, kind, at, e, f);
}

bool differs_address(struct err *err, enum difference kind, struct place at, struct address expected, struct address found)
{
    char e[ADDRESS_TEXT], f[ADDRESS_TEXT];

    address_to_text(expected, e);
    address_to_text(found, f);
    return differs(err, kind, at, e, f);
}

bool differs_amount(struct err *err, enum difference kind, struct place at, struct amount expected, struct amount found)
{
    char e[U256_DECIMAL_MAX], f[U256_DECIMAL_MAX];

    u256_to_decimal(expected.base_units, e);
    u256_to_decimal(found.base_units, f);
    return differs(err, kind, at, e, f);
}

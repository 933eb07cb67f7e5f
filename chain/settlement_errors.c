#include "chain/settlement.h"

#define REASON_SHOWN 200      /* bytes of a stranger's text */

/* A custom error: its signature, what it means for who called, and its words; %s is its argument where it has one. */
static const struct revert_row { const char *signature; enum err_code code; const char *words, *unit; } reverts[] = {
    /* later it may go through */
    { "IsPaused()",             ERR_AGAIN, "IsPaused: commits are paused", NULL },
    { "StillPending()",         ERR_AGAIN, "StillPending: the batch before waits for its activation", NULL },
    { "OverCap(uint256)",       ERR_AGAIN, "OverCap:", "base units are available" },
    { "Underfunded(uint256)",   ERR_AGAIN, "Underfunded:", "base units are missing" },
    { "TooEarly()",             ERR_AGAIN, "TooEarly: the delay is not over", NULL },

    /* our books and the chain disagree, or somebody took a role away: a person must look */
    { "WrongSequence(uint64)",  ERR_HALT,  "WrongSequence:", "is the next" },
    { "WrongParent()",          ERR_HALT,  "WrongParent: the chain holds another history than the store", NULL },
    { "ZeroRoot()",             ERR_HALT,  "ZeroRoot: a rewards root of zero", NULL },
    { "TotalFell()",            ERR_HALT,  "TotalFell: the total is below the active one", NULL },
    { "ExceedsTotal()",         ERR_HALT,  "ExceedsTotal: the leaves add up to more than the total", NULL },
    { "BadRun()",               ERR_HALT,  "BadRun: the steps do not fit leaves and proof", NULL },
    { "BadProof()",             ERR_HALT,  "BadProof: the proof leads to no accepted root", NULL },
    { "NotOperator()",          ERR_HALT,  "NotOperator: the signer is not the operator", NULL },
    { "IsRetired()",            ERR_HALT,  "IsRetired: the contract takes no more batches", NULL },

    { "NotGuardian()",          ERR_CHAIN, "NotGuardian: the signer is not the guardian", NULL },
    { "NothingPending()",       ERR_CHAIN, "NothingPending: no batch waits for its activation", NULL },
    { "NothingToClaim()",       ERR_CHAIN, "NothingToClaim: all that is proven was paid", NULL },
    { "WrongToken()",           ERR_CHAIN, "WrongToken: the reward is not the contract's token", NULL },
    { "BadConfig()",            ERR_CHAIN, "BadConfig: an argument out of bounds", NULL },
    { "OwnableUnauthorizedAccount(address)", ERR_CHAIN,
      "OwnableUnauthorizedAccount: the signer is not the owner", NULL },
    { "ReentrancyGuardReentrantCall()",      ERR_CHAIN, "ReentrancyGuardReentrantCall", NULL },
    { "SafeERC20FailedOperation(address)",   ERR_CHAIN, "SafeERC20FailedOperation: the token refused", NULL },
};

static bool has_selector(const uint8_t *data, size_t len, const char *signature)
{
    return len >= 4 && memcmp(data, abi_topic(signature).b, 4) == 0;
}

static bool custom_error(const struct revert_row *row, struct abi_in args, struct err *err)
{
    char number[U256_DECIMAL_MAX] = "?";
    struct u256 v;

    if (row->unit == NULL)
        return err_set(err, row->code, "%s", row->words);
    if (abi_get_u256(&args, &v))
        u256_to_decimal(v, number);
    return err_set(err, row->code, "%s %s %s", row->words, number, row->unit);
}

static bool reason_text(struct abi_in args, struct err *err)
{
    char shown[REASON_SHOWN + 1];
    const uint8_t *text;
    size_t len;

    if (!abi_get_bytes(&args, &text, &len))
        return err_set(err, ERR_CHAIN, "reverted with a damaged text");
    if (len > REASON_SHOWN)
        len = REASON_SHOWN;
    /* A zero byte would end it; the log escapes what else is strange. */
    for (size_t i = 0; i < len; i++)
        shown[i] = text[i] != 0 ? (char)text[i] : '?';
    shown[len] = '\0';
    return err_set(err, ERR_CHAIN, "reverted: %s", shown);
}

bool settlement_revert(const uint8_t *data, size_t len, struct err *err)
{
    struct abi_in args = { .data = data, .len = len, .at = 0 };
    uint64_t panic;

    if (len == 0)
        return err_set(err, ERR_CHAIN, "reverted without a reason");
    if (len < 4)
        return err_set(err, ERR_CHAIN, "reverted with %zu bytes", len);
    args.data += 4;
    args.len -= 4;
    for (size_t i = 0; i < ARRAY_LEN(reverts); i++)
        if (has_selector(data, len, reverts[i].signature))
            return custom_error(&reverts[i], args, err);
    if (has_selector(data, len, "Error(string)"))
        return reason_text(args, err);
    if (has_selector(data, len, "Panic(uint256)") && abi_get_u64(&args, &panic))
        return err_set(err, ERR_CHAIN, "panic 0x%02llx", (unsigned long long)panic);
    return err_set(err, ERR_CHAIN, "reverted with the unknown error 0x%02x%02x%02x%02x", data[0], data[1], data[2],
                   data[3]);
}

#include "gateway/core/adjustment.h"

#include <stdio.h>

#include "gateway/core/text.h"

#define AMOUNT_BITS 128                       /* the contract's total stays below 2^128 */

struct share adjustment_credit(const struct adjustment *a)
{
    return (struct share){ .account = a->up ? a->account : a->counter_account, .role = ROLE_ADJUSTED_UP, .amount = a->amount };
}

struct share adjustment_debit(const struct adjustment *a)
{
    return (struct share){ .account = a->up ? a->counter_account : a->account, .role = ROLE_ADJUSTED_DOWN, .amount = a->amount };
}

json *adjustment_to_json(const struct adjustment *a)
{
    json *object = json_new_object();

    json_put_u64(object, "id", a->id);
    json_put_address(object, "account", a->account);
    json_put_address(object, "counterAccount", a->counter_account);
    json_put_amount(object, "amount", a->amount);
    json_put_text(object, "sign", a->up ? "+" : "-");
    json_put_text(object, "reason", a->reason);
    if (a->has_receipt)
        json_put_hash(object, "receipt", a->receipt);
    json_put_u64(object, "recordedAt", a->recorded_at_ms);
    return object;
}

static bool read_amount(const json *object, struct adjustment *a, struct err *err)
{
    uint8_t bytes[32];

    if (!json_get_amount(json_member(object, "amount"), &a->amount))
        return err_set(err, ERR_INVALID, "amount: a decimal string of base units");
    u256_to_be(a->amount.base_units, bytes);
    for (size_t i = 0; i < sizeof bytes - AMOUNT_BITS / 8; i++)
        if (bytes[i] != 0)
            return err_set(err, ERR_INVALID, "amount: below 2^%d", AMOUNT_BITS);
    return !amount_is_zero(a->amount) || err_set(err, ERR_INVALID, "amount: above 0");
}

static bool read_sign(const json *object, struct adjustment *a, struct err *err)
{
    const char *text;
    size_t len;

    if (!json_get_text(json_member(object, "sign"), &text, &len) || len != 1 || (*text != '+' && *text != '-'))
        return err_set(err, ERR_INVALID, "sign: \"+\" or \"-\"");
    a->up = *text == '+';
    return true;
}

static bool read_reason(const json *object, struct adjustment *a, struct err *err)
{
    const char *text;
    size_t len;

    if (!json_get_text(json_member(object, "reason"), &text, &len) || !text_is_plain(text, len, 1, ADJUSTMENT_REASON_MAX))
        return err_set(err, ERR_INVALID, "reason: 1 to %d characters without control characters", ADJUSTMENT_REASON_MAX);
    snprintf(a->reason, sizeof a->reason, "%s", text);
    return true;
}

bool adjustment_from_json(const json *object, struct adjustment *a, struct err *err)
{
    struct adjustment read = { 0 };

    if (!json_get_address(json_member(object, "account"), &read.account) || address_is_zero(read.account))
        return err_set(err, ERR_INVALID, "account: an address that is not zero");
    if (!read_amount(object, &read, err) || !read_sign(object, &read, err) || !read_reason(object, &read, err))
        return false;
    read.has_receipt = json_member(object, "receipt") != NULL;
    if (read.has_receipt && !json_get_hash(json_member(object, "receipt"), &read.receipt))
        return err_set(err, ERR_INVALID, "receipt: the 32 bytes of a receipt's hash");
    *a = read;
    return true;
}

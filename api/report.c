#include "api/report.h"

json *report_to_json(const struct settle_report *r)
{
    json *out = json_new_object();

    if (r->has_sequence) {
        json_put_u64(out, "sequence", r->sequence);
        json_put_text(out, "state", r->waits == WAITS_FOR_ACTIVATION ? "pending" : batch_state_name(r->state));
    } else {
        json_put(out, "sequence", json_new_null());
        json_put(out, "state", json_new_null());
    }
    json_put_u64(out, "receipts", r->receipts);
    json_put_amount(out, "total", r->total);
    json_put_amount(out, "paid", r->paid);
    json_put_u64(out, "failed", r->failed);
    json_put_u64(out, "transactions", r->transactions);
    json_put_bool(out, "nothing", r->nothing);
    if (settle_waits_name(r->waits) != NULL)
        json_put_text(out, "waits", settle_waits_name(r->waits));
    if (r->waits_detail[0] != '\0')
        json_put_text(out, "waitsDetail", r->waits_detail);
    return out;
}

json *plan_to_json(const struct settle_plan *p)
{
    json *out = json_new_object();
    struct wei cost;

    json_put_bool(out, "dryRun", true);
    json_put_u64(out, "receipts", p->receipts);
    json_put_u64(out, "accounts", p->accounts);
    json_put_amount(out, "growth", p->growth);
    json_put_amount(out, "total", p->total);
    json_put_u64(out, "dueAccounts", p->due_accounts);
    json_put_amount(out, "due", p->due);
    json_put_u64(out, "sets", p->sets);
    json_put_u64(out, "gas", p->gas);
    if (u256_mul_u64(p->fee.max_fee.v, p->gas, &cost.v)) {
        char text[U256_DECIMAL_MAX];

        u256_to_decimal(cost.v, text);
        json_put_text(out, "maxCostWei", text);
    }
    return out;
}

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

static json *call_to_json(const struct plan_call *c)
{
    json *out = json_new_object();

    json_put_text(out, "kind", c->is_commit ? "commit" : "distribute");
    if (c->is_commit) {
        json_put_u64(out, "sequence", c->sequence);
        json_put_u64(out, "receipts", c->receipts);
        json_put_amount(out, "total", c->amount);
        if (c->has_roots) {
            json_put_hash(out, "receiptsRoot", c->receipts_root);
            json_put_hash(out, "rewardsRoot", c->rewards_root);
        } else {
            json_put_text(out, "roots", "made at the run");
        }
    } else {
        json_put_u64(out, "accounts", c->accounts);
        json_put_amount(out, "amount", c->amount);
    }
    json_put_u64(out, "bytes", c->bytes);
    json_put_u64(out, "gas", c->gas);
    json_put_u64(out, "gasLimit", c->gas_limit);
    json_put_wei(out, "maxDataFeeWei", c->data_fee);
    json_put_wei(out, "maxCostWei", c->max_cost);
    return out;
}

static json *left_to_json(enum plan_reason reason, const struct plan_left *left)
{
    json *out = json_new_object(), *first = json_new_array();

    json_put_text(out, "reason", plan_reason_name(reason));
    json_put_u64(out, "accounts", left->accounts);
    json_put_amount(out, "amount", left->amount);
    for (size_t i = 0; i < left->accounts && i < PLAN_FIRST; i++)
        json_add(first, json_new_address(left->first[i]));
    json_put(out, "first", first);
    return out;
}

static json *stop_to_json(const struct plan_stop *stop)
{
    json *out = json_new_object();

    json_put_text(out, "reason", stop->reason);
    json_put_text(out, "detail", stop->detail);
    return out;
}

static json *fee_to_json(const struct fee *fee)
{
    json *out = json_new_object();

    json_put_bool(out, "legacy", fee->legacy);
    json_put_wei(out, "maxFeePerGas", fee->max_fee);
    json_put_wei(out, "maxPriorityFeePerGas", fee->max_priority_fee);
    return out;
}

static void put_lists(json *out, const struct settle_plan *p)
{
    json *calls = json_new_array(), *left = json_new_array(), *stops = json_new_array();

    for (size_t i = 0; i < p->call_count; i++)
        json_add(calls, call_to_json(&p->calls[i]));
    for (unsigned i = 0; i < PLAN_REASONS; i++)
        if (p->left[i].accounts > 0)
            json_add(left, left_to_json((enum plan_reason)i, &p->left[i]));
    for (size_t i = 0; i < p->stop_count; i++)
        json_add(stops, stop_to_json(&p->stops[i]));
    json_put(out, "calls", calls);
    json_put(out, "leftOut", left);
    json_put(out, "stops", stops);
}

json *plan_to_json(const struct settle_plan *p)
{
    json *out = json_new_object();

    json_put_bool(out, "dryRun", true);
    json_put_u64(out, "receipts", p->receipts);
    json_put_u64(out, "accounts", p->accounts);
    json_put_amount(out, "growth", p->growth);
    json_put_amount(out, "total", p->total);
    json_put_u64(out, "dueAccounts", p->due_accounts);
    json_put_amount(out, "due", p->due);
    json_put_u64(out, "sets", p->sets);
    json_put_u64(out, "gas", p->gas);
    json_put_wei(out, "maxCostWei", p->max_cost);
    json_put(out, "fee", fee_to_json(&p->fee));
    put_lists(out, p);
    json_put_wei(out, "balanceWei", p->balance);
    json_put_wei(out, "inFlightWei", p->in_flight);
    json_put_wei(out, "runCostWei", p->run_cost);
    json_put_wei(out, "maxRunCostWei", p->max_run_cost);
    json_put_wei(out, "dayCostWei", p->day_cost);
    json_put_wei(out, "maxDayCostWei", p->max_day_cost);
    return out;
}

#include "api/statement_line.h"

void statement_put_batch(const struct statement_batch *batch, json *line)
{
    json_put_u64(line, "batch", batch->number);
    if (batch->sequence > 0)
        json_put_u64(line, "sequence", batch->sequence);
    if (!hash_is_zero(batch->commit.h))
        json_put_hash(line, "transaction", batch->commit.h);
}

json *statement_adjustment(const struct statement_batch *batch, const struct adjustment *a, bool up)
{
    json *line = json_new_object();

    json_put_u64(line, "at", a->recorded_at_ms);
    json_put_text(line, "kind", "adjustment");
    json_put_u64(line, "adjustment", a->id);
    if (a->has_receipt)
        json_put_hash(line, "receipt", a->receipt);
    json_put_text(line, "role", role_name(up ? ROLE_ADJUSTED_UP : ROLE_ADJUSTED_DOWN));
    json_put_text(line, "sign", up ? "+" : "-");
    json_put_amount(line, "share", a->amount);
    json_put_text(line, "reason", a->reason);
    statement_put_batch(batch, line);
    return line;
}

json *statement_receipt(const struct statement_batch *batch, const struct receipt_row *row, const struct share *share)
{
    static const char *const meters[METER_COUNT] = { "inputTokens", "cachedTokens", "outputTokens", "units", "computeMs" };
    const struct receipt *receipt = &row->signed_.receipt;
    json *line = json_new_object();

    json_put_u64(line, "at", row->accepted_at_ms);
    json_put_text(line, "kind", "receipt");
    json_put_job_id(line, "jobId", receipt->job_id);
    json_put_address(line, "provider", receipt->provider);
    json_put_hash(line, "receipt", row->hash);
    json_put_hash(line, "model", receipt->model);
    json_put_text(line, "role", role_name(share->role));
    json_put_hash(line, "paidModel", share->model);
    for (size_t i = 0; i < METER_COUNT; i++)
        json_put_u64(line, meters[i], receipt->count[i]);
    json_put_u64(line, "priceVersion", row->price_version);
    json_put_amount(line, "gross", row->amount);
    json_put_text(line, "sign", "+");
    json_put_amount(line, "share", share->amount);
    statement_put_batch(batch, line);
    return line;
}

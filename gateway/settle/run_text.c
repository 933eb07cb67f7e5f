#include "gateway/settle/run_text.h"

#include <stddef.h>
#include <stdio.h>

#include "gateway/lib/json.h"

static const struct { const char *name; size_t at; } numbers[] = {
    { "sequence",     offsetof(struct run_report, settle.sequence) },
    { "receipts",     offsetof(struct run_report, settle.receipts) },
    { "transactions", offsetof(struct run_report, settle.transactions) },
    { "activeAt",     offsetof(struct run_report, settle.active_at_s) },
    { "failed",       offsetof(struct run_report, settle.failed) },
    { "lastSuccess",  offsetof(struct run_report, last_success_ms) },
    { "stuckSince",   offsetof(struct run_report, stuck_since_ms) },
};
static const struct { const char *name; size_t at; } flags[] = {
    { "running",     offsetof(struct run_report, running) },
    { "nothing",     offsetof(struct run_report, settle.nothing) },
    { "hasSequence", offsetof(struct run_report, settle.has_sequence) },
};

void run_report_write(const struct run_report *r, struct buf *text)
{
    json *object = json_new_object();

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        json_put_u64(object, numbers[i].name, *(const uint64_t *)((const char *)r + numbers[i].at));
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        json_put_bool(object, flags[i].name, *(const bool *)((const char *)r + flags[i].at));
    json_put_u64(object, "state", (uint64_t)r->settle.state);
    json_put_u64(object, "waits", (uint64_t)r->settle.waits);
    json_put_text(object, "waitsDetail", r->settle.waits_detail);
    json_put_amount(object, "total", r->settle.total);
    json_put_amount(object, "paid", r->settle.paid);
    json_put_u64(object, "error", (uint64_t)r->error.code);
    json_put_text(object, "errorText", r->error.text);
    json_write(object, text);
    json_free(object);
}

static uint64_t number(const json *object, const char *name, uint64_t most)
{
    uint64_t v;

    return json_get_u64(json_member(object, name), &v) && v <= most ? v : 0;
}

static void take_text(const json *object, const char *name, char *text, size_t size)
{
    const char *got;
    size_t len;

    if (json_get_text(json_member(object, name), &got, &len))
        snprintf(text, size, "%.*s", (int)len, got);
}

bool run_report_read(const void *text, size_t len, struct run_report *report, struct err *err)
{
    struct run_report r = { 0 };
    json *object;

    if (!json_read(text, len, &object, err))
        return err_prefix(err, "the settler's report");
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        *(uint64_t *)((char *)&r + numbers[i].at) = number(object, numbers[i].name, INT64_MAX);
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (!json_get_bool(json_member(object, flags[i].name), (bool *)((char *)&r + flags[i].at)))
            *(bool *)((char *)&r + flags[i].at) = false;
    r.settle.state = (enum batch_state)number(object, "state", BATCH_CANCELLED);
    r.settle.waits = (enum settle_waits)number(object, "waits", WAITS_FOR_BUDGET);
    take_text(object, "waitsDetail", r.settle.waits_detail, sizeof r.settle.waits_detail);
    if (!json_get_amount(json_member(object, "total"), &r.settle.total))
        r.settle.total = AMOUNT_ZERO;
    if (!json_get_amount(json_member(object, "paid"), &r.settle.paid))
        r.settle.paid = AMOUNT_ZERO;
    r.error.code = (enum err_code)number(object, "error", ERR_USAGE);
    take_text(object, "errorText", r.error.text, sizeof r.error.text);
    json_free(object);
    *report = r;
    return true;
}

/* Receipts in, one by one or as a bundle, and an operator's word on those that are held. */
#include "tests/histories/driver.h"

#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/core/receipt_json.h"

static json *item_to_json(const struct intake_item *item)
{
    json *out = json_new_object();

    json_put_text(out, "status", item_status_name(item->status));
    json_put_text(out, "code", receipt_codes[item->code].name);
    if (item->status == ITEM_DUPLICATE)
        json_put_text(out, "state", receipt_state_name(item->existing_state));
    if (item->status == ITEM_ACCEPTED)
        json_put_amount(out, "amount", item->amount);
    return out;
}

static void read_receipt(const json *in, bool bundled, struct signed_receipt *r)
{
    struct faults faults = { 0 };
    bool has_job_id;

    receipt_from_json(json_member(in, "receipt"), RECEIPT_UNSIGNED, r, &has_job_id, &faults);
    if (faults.count > 0 || !has_job_id)
        bug("a receipt of no form: %s", faults.count > 0 ? faults.list[0].detail : "jobId");
    if (!bundled)
        world_sign(here.world, person_of(r->receipt.provider), r);
    if (flag(in, "countersigned"))
        world_countersign(here.world, person_of(r->receipt.consumer), r);
}

bool do_post(const json *in, json *out, struct err *err)
{
    const json *list = json_member(in, "receipts");
    size_t count = json_count(list);
    struct signed_receipt *receipts = mem_array(count, sizeof *receipts);
    json *items = json_new_array();
    struct submission s;
    bool ok;

    for (size_t i = 0; i < count; i++)
        read_receipt(json_at(list, i), flag(in, "bundle"), &receipts[i]);
    world_submission(&s, receipts, count);
    if (flag(in, "bundle"))
        world_bundle(here.world, person_of(receipts[0].receipt.provider), &s);
    ok = intake_submit_wait(here.world->intake, &s, err);
    for (size_t i = 0; ok && i < count; i++)
        json_add(items, item_to_json(&s.items[i]));
    json_put(out, "items", items);
    submission_clear(&s);
    free(receipts);
    return ok;
}

static bool decide(const json *in, bool release, struct err *err)
{
    struct address provider = person(in, "provider")->address;
    struct job_id job;

    if (!json_get_job_id(json_member(in, "jobId"), &job))
        bug("jobId");
    return release ? release_receipt(here.world->intake, WHO, job, provider, "history", err)
        : refuse_receipt(here.world->intake, WHO, job, provider, "history", err);
}

bool do_release(const json *in, json *out, struct err *err)
{
    (void)out;
    return decide(in, true, err);
}

bool do_refuse(const json *in, json *out, struct err *err)
{
    (void)out;
    return decide(in, false, err);
}

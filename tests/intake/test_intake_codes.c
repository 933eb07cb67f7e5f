/* The table of codes and the order of the rules (design 3). */
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "tests/support/world.h"

#define HOUR_MS UINT64_C(3600000)

/* Each spoils a good receipt of `node`, or prepares the world for it, so that it ends with the code of its row. */
static void nothing(struct world *w, struct signed_receipt *r)
{
    (void)w;
    (void)r;
}

static void cached_over_input(struct world *w, struct signed_receipt *r)
{
    r->receipt.count[METER_CACHED] = r->receipt.count[METER_INPUT] + 1;
    world_sign(w, &w->node, r);
}

static void no_signature(struct world *w, struct signed_receipt *r)
{
    (void)w;
    r->has_signature = false;
}

static void ends_before_it_starts(struct world *w, struct signed_receipt *r)
{
    r->receipt.started_at_ms = r->receipt.finished_at_ms + 1;
    world_sign(w, &w->node, r);
}

static void ends_in_future(struct world *w, struct signed_receipt *r)
{
    r->receipt.finished_at_ms = w->now_ms + 10 * 60 * 1000;
    world_sign(w, &w->node, r);
}

static void signed_by_another(struct world *w, struct signed_receipt *r)
{
    world_sign(w, &w->other, r);
}

static void signature_of_zeros(struct world *w, struct signed_receipt *r)
{
    (void)w;
    memset(r->signature.b, 0, sizeof r->signature.b);
}

static void countersigned_by_another(struct world *w, struct signed_receipt *r)
{
    world_countersign(w, &w->other, r);
}

static void countersigned_for_nobody(struct world *w, struct signed_receipt *r)
{
    r->receipt.consumer = (struct address){ { 0 } };
    world_sign(w, &w->node, r);
    world_countersign(w, &w->consumer, r);
}

static void by_a_stranger(struct world *w, struct signed_receipt *r)
{
    r->receipt.provider = w->stranger.address;
    world_sign(w, &w->stranger, r);
}

static void of_an_unknown_model(struct world *w, struct signed_receipt *r)
{
    r->receipt.model = (struct hash){ { 1 } };
    world_sign(w, &w->node, r);
}

static void of_a_claimed_model(struct world *w, struct signed_receipt *r)
{
    r->receipt.model = (struct hash){ { 2 } };
    world_claim(w, &w->creator, r->receipt.model, r->receipt.model, 0);
    world_sign(w, &w->node, r);
}

static void before_any_price(struct world *w, struct signed_receipt *r)
{
    uint64_t job_ms = w->now_ms - 2 * HOUR_MS;

    /* Prices hold since an hour ago. */
    r->receipt.finished_at_ms = job_ms;
    r->receipt.started_at_ms = job_ms;
    for (size_t i = 0; i < 6; i++)
        r->receipt.job_id.b[i] = (uint8_t)(job_ms >> (40 - 8 * i));
    world_sign(w, &w->node, r);
}

static void too_late(struct world *w, struct signed_receipt *r)
{
    w->config.limits.max_age_ms = 999;
    world_restart(w);
    world_sign(w, &w->node, r);
}

static void billed_by_another(struct world *w, struct signed_receipt *r)
{
    struct signed_receipt first = *r;
    struct intake_item item;

    first.receipt.provider = w->other.address;
    world_sign(w, &w->other, &first);
    item = world_post_one(w, &first);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
}

static void over_the_daily_limit(struct world *w, struct signed_receipt *r)
{
    (void)r;
    w->config.limits.daily_limit = amount_from_u64(1999);
    world_restart(w);
}

static void countersignature_is_required(struct world *w, struct signed_receipt *r)
{
    (void)r;
    w->config.limits.require_countersignature = true;
    world_restart(w);
}

static void with_a_quote_nobody_gave(struct world *w, struct signed_receipt *r)
{
    r->receipt.quote = (struct hash){ { 1 } };
    world_sign(w, &w->node, r);
}

static void posted_before(struct world *w, struct signed_receipt *r)
{
    struct intake_item item = world_post_one(w, r);

    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
}

static void posted_before_now_badly_signed(struct world *w, struct signed_receipt *r)
{
    posted_before(w, r);
    r->signature.b[5] ^= 1;
}

static void posted_otherwise_before(struct world *w, struct signed_receipt *r)
{
    posted_before(w, r);
    r->receipt.count[METER_OUTPUT] = 1;
    world_sign(w, &w->node, r);
}

static void too_many_strangers(struct world *w, struct signed_receipt *r)
{
    w->config.quarantine_max = 0;
    world_restart(w);
    by_a_stranger(w, r);
}

/* Two rules broken: the earlier one is named. */
static void future_and_badly_signed(struct world *w, struct signed_receipt *r)
{
    ends_in_future(w, r);
    world_sign(w, &w->other, r);
}

static void other_content_badly_signed(struct world *w, struct signed_receipt *r)
{
    posted_otherwise_before(w, r);
    world_sign(w, &w->other, r);
}

static void both_signatures_bad(struct world *w, struct signed_receipt *r)
{
    world_sign(w, &w->other, r);
    world_countersign(w, &w->other, r);
}

static void other_content_badly_countersigned(struct world *w, struct signed_receipt *r)
{
    posted_otherwise_before(w, r);
    world_countersign(w, &w->other, r);
}

static void stranger_with_unknown_model(struct world *w, struct signed_receipt *r)
{
    r->receipt.model = (struct hash){ { 1 } };
    by_a_stranger(w, r);
}

static void malformed_and_posted_before(struct world *w, struct signed_receipt *r)
{
    posted_before(w, r);
    r->has_signature = false;
}

static const struct code_case {
    const char *name;
    void (*make)(struct world *w, struct signed_receipt *r);
    enum item_status status;
    enum receipt_code code;
    bool kept;                                /* a row stands for (provider, jobId) afterwards */
} cases[] = {
    { "a good receipt is accepted",                       nothing,                      ITEM_ACCEPTED,    CODE_ACCEPTED, true },
    { "more cached than input tokens are malformed",      cached_over_input,            ITEM_REJECTED,    CODE_MALFORMED, false },
    { "a receipt without signature is malformed",         no_signature,                 ITEM_REJECTED,    CODE_MALFORMED, false },
    { "it cannot finish before it starts",                ends_before_it_starts,        ITEM_REJECTED,    CODE_FINISHED_BEFORE_STARTED, false },
    { "it cannot finish in the future",                   ends_in_future,               ITEM_REJECTED,    CODE_FINISHED_IN_FUTURE, false },
    { "the provider itself must sign",                    signed_by_another,            ITEM_REJECTED,    CODE_INVALID_SIGNATURE, false },
    { "65 zero bytes are an invalid signature",           signature_of_zeros,           ITEM_REJECTED,    CODE_INVALID_SIGNATURE, false },
    { "only the consumer may countersign",                countersigned_by_another,     ITEM_REJECTED,    CODE_INVALID_CONSUMER_SIGNATURE, false },
    { "nobody cannot countersign",                        countersigned_for_nobody,     ITEM_REJECTED,    CODE_INVALID_CONSUMER_SIGNATURE, false },
    { "a stranger's receipt is held",                     by_a_stranger,                ITEM_QUARANTINED, CODE_UNKNOWN_PROVIDER, true },
    { "an unknown model is held",                         of_an_unknown_model,          ITEM_QUARANTINED, CODE_UNKNOWN_MODEL, true },
    { "a model that is only claimed is held",             of_a_claimed_model,           ITEM_QUARANTINED, CODE_UNVERIFIED_CREATOR, true },
    { "without a price at that time it is held",          before_any_price,             ITEM_QUARANTINED, CODE_UNPRICED, true },
    { "who comes late is held",                           too_late,                     ITEM_QUARANTINED, CODE_LATE, true },
    { "a job that another one billed is held",            billed_by_another,            ITEM_QUARANTINED, CODE_DUPLICATE_JOB, true },
    { "what is over the daily limit is held",             over_the_daily_limit,         ITEM_QUARANTINED, CODE_OVER_LIMIT, true },
    { "a missing countersignature holds where required",  countersignature_is_required, ITEM_QUARANTINED, CODE_COUNTERSIGNATURE_MISSING, true },
    { "a quote that nobody gave is held",                 with_a_quote_nobody_gave,     ITEM_QUARANTINED, CODE_QUOTE_MISMATCH, true },
    { "the same again is a duplicate",                    posted_before,                ITEM_DUPLICATE,   CODE_DUPLICATE, true },
    { "also when this copy's signature is bad",           posted_before_now_badly_signed, ITEM_DUPLICATE, CODE_DUPLICATE, true },
    { "other content for the same job is a conflict",     posted_otherwise_before,      ITEM_REJECTED,    CODE_CONFLICTING_RECEIPT, true },
    { "strangers over the bound are too many",            too_many_strangers,           ITEM_REJECTED,    CODE_TOO_MANY, false },
    { "times before signatures",                          future_and_badly_signed,      ITEM_REJECTED,    CODE_FINISHED_IN_FUTURE, false },
    { "malformed before duplicate",                       malformed_and_posted_before,  ITEM_REJECTED,    CODE_MALFORMED, true },
    { "the signature before the consumer's",              both_signatures_bad,          ITEM_REJECTED,    CODE_INVALID_SIGNATURE, false },
    { "the signature before the conflict",                other_content_badly_signed,   ITEM_REJECTED,    CODE_INVALID_SIGNATURE, true },
    { "the consumer's signature before the conflict",     other_content_badly_countersigned, ITEM_REJECTED, CODE_INVALID_CONSUMER_SIGNATURE, true },
    { "the provider before the model",                    stranger_with_unknown_model,  ITEM_QUARANTINED, CODE_UNKNOWN_PROVIDER, true },
};

static const struct code_case *running;

static void code_matches(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = world_receipt(w, &w->node, 1000);
    struct intake_item item;

    running->make(w, &r);
    item = world_post_one(w, &r);
    assert_item(&item, running->status, running->code);
    assert_int_equal(world_has_row(w, &r), running->kept);
    assert_books_balance(w);
}

/* *state holds the case before the set-up and the world after it. */
static int case_setup(void **state)
{
    running = *state;
    return world_setup(state);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases)];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ cases[i].name, code_matches, case_setup, world_teardown, fixture_state(&cases[i]) };
    return cmocka_run_group_tests_name("intake codes", tests, NULL, NULL);
}

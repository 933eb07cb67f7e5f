/* What was held: released when its question is settled, or released and refused by an operator. */
#include "gateway/intake/admit.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/intake/inside.h"

#define STEP 1000u                            /* held receipts judged again in one task */

struct decision {
    const char *who, *reason;
    struct job_id job;
    struct address provider;
};

static json *decision_detail(const struct decision *d)
{
    json *detail = json_new_object();

    json_put_job_id(detail, "jobId", d->job);
    json_put_address(detail, "provider", d->provider);
    json_put_text(detail, "reason", d->reason);
    return detail;
}

static bool find_held(const struct decision *d, struct group *group, struct receipt_row *row, struct err *err)
{
    bool found;

    if (!store_receipt_find(group->db, d->job, d->provider, row, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_NOT_FOUND, "this provider sent no receipt for this job");
    if (row->state != RECEIPT_QUARANTINED)
        return err_set(err, ERR_CONFLICT, "the receipt is %s already", receipt_state_name(row->state));
    if (strlen(d->reason) >= sizeof row->reason)
        return err_set(err, ERR_INVALID, "reason: at most %zu bytes", sizeof row->reason - 1);
    snprintf(row->reason, sizeof row->reason, "%s", d->reason);
    return true;
}

static bool release(void *self, struct intake *intake, struct group *group, struct err *err)
{
    const struct decision *d = self;
    struct verdict verdict = { 0 };
    struct receipt_row row;
    bool ok;

    if (!find_held(d, group, &row, err))
        return false;
    ok = book_again(intake, group, true, &row, &verdict, err);
    if (ok && row.state != RECEIPT_ACCEPTED)
        ok = err_set(err, ERR_CONFLICT, "it stays held as %s: %s", receipt_codes[verdict.code].name, verdict.faults.list[0].detail);
    faults_clear(&verdict.faults);
    return ok && change_record(group, d->who, "release", decision_detail(d), err);
}

static bool refuse(void *self, struct intake *intake, struct group *group, struct err *err)
{
    const struct decision *d = self;
    struct receipt_row row;

    if (!find_held(d, group, &row, err) || !store_receipt_refuse(group->db, d->job, d->provider, d->reason, err))
        return false;
    gather_let_go(intake, &row, row.code, CODE_ACCEPTED);
    return change_record(group, d->who, "refuse", decision_detail(d), err);
}

static bool decide(struct intake *intake, change_fn *fn, const char *event, struct decision *d, struct err *err)
{
    if (!intake_change(intake, fn, d, 1, false, err))
        return false;
    log_event(LOG_NOTICE_LEVEL, event, KV_JOB("job", &d->job), KV_ADDRESS("provider", &d->provider), KV_TEXT("who", d->who));
    return true;
}

bool release_receipt(struct intake *intake, const char *who, struct job_id job, struct address provider, const char *reason, struct err *err)
{
    return decide(intake, release, "receipt_released", &(struct decision){ who, reason, job, provider }, err);
}

bool refuse_receipt(struct intake *intake, const char *who, struct job_id job, struct address provider, const char *reason, struct err *err)
{
    return decide(intake, refuse, "receipt_refused", &(struct decision){ who, reason, job, provider }, err);
}

/* Some held receipts, oldest first: read whole before the first is moved out of the index they are read from. */
struct held_rows { struct receipt_row *list; size_t count; };

static bool collect(void *self, const struct receipt_row *row, struct err *err)
{
    struct held_rows *rows = self;

    (void)err;
    rows->list[rows->count++] = *row;
    return true;
}

struct step {
    struct held_cursor after;
    bool begun, more;
    uint64_t released;
};

static bool judge_again(struct intake *intake, struct group *group, struct receipt_row *row, uint64_t *released, struct err *err)
{
    struct verdict verdict = { 0 };
    bool ok;

    /* What waits for an operator, or for the consumer's signature, is not helped by a change of settings; but it may be
     * worth something else since. */
    if (!receipt_codes[row->code].released_by_itself)
        return book_reprice(intake, group, row, err);
    ok = book_again(intake, group, false, row, &verdict, err);
    faults_clear(&verdict.faults);
    if (ok && row->state == RECEIPT_ACCEPTED)
        (*released)++;
    return ok;
}

static bool release_step(void *self, struct intake *intake, struct group *group, struct err *err)
{
    struct step *step = self;
    struct held_rows rows = { mem_array(STEP, sizeof *rows.list), 0 };
    bool ok = store_receipts_held(group->db, step->begun ? &step->after : NULL, STEP, collect, &rows, err);

    for (size_t i = 0; ok && i < rows.count; i++)
        ok = judge_again(intake, group, &rows.list[i], &step->released, err);
    step->more = rows.count == STEP;
    if (rows.count > 0) {
        const struct receipt_row *last = &rows.list[rows.count - 1];

        step->after = (struct held_cursor){ last->received_at_ms, last->signed_.receipt.job_id, last->signed_.receipt.provider };
        step->begun = true;
    }
    free(rows.list);
    return ok;
}

bool release_waiting(struct intake *intake, uint64_t *released, struct err *err)
{
    struct step step = { .more = true };

    while (step.more)
        if (!intake_change(intake, release_step, &step, STEP, false, err))
            return false;
    if (step.released > 0)
        log_event(LOG_NOTICE_LEVEL, "receipts_released", KV_U64("count", step.released));
    *released = step.released;
    return true;
}

/* Several gateways on one store, one of which settles: the others ask it by a row of the store, and read there how it goes. */
#include "gateway/settle/runner_parts.h"

#include "gateway/base/log.h"
#include "gateway/settle/parts.h"
#include "gateway/settle/run_text.h"

bool runner_is_settler(struct runner *r)
{
    uint64_t generation = lease_generation(r->lease);
    struct settler_row row;
    struct err ignored;                       /* then the marks are written once more */

    if (generation == r->settle->generation)
        return generation != 0;
    /* What was found out so far may have changed in another's hands. */
    settle_renew(r->settle);
    r->failures = 0;
    if (generation == 0) {
        r->wanted = false;
        return false;
    }
    /* What is wanted by now was asked of who has the lease: of us, before we noticed. */
    lease_row(r->lease, &row);
    r->asked = r->answered = row.answered;
    buf_reset(&r->told);
    if (!marks_load(r->db, &r->kept, &ignored))
        r->kept = (struct run_marks){ 0 };
    return r->settle->generation != 0;
}

void runner_hear(struct runner *r)
{
    struct settler_row row;

    /* Before we noticed that it is ours to settle, what was answered already is not known. */
    if (r->lease == NULL || !lease_is_held(r->lease) || lease_generation(r->lease) != r->settle->generation)
        return;
    lease_row(r->lease, &row);
    if (row.wanted <= r->asked)
        return;
    r->asked = row.wanted;
    runner_want(r);
}

struct telling { const struct settle *settle; const struct buf *report; uint64_t answered; };

static bool tell(void *self, struct group *group, struct err *err)
{
    const struct telling *t = self;

    return store_settler_answer(group->db, t->settle->generation, t->answered, buf_text(t->report), err);
}

void runner_tell(struct runner *r)
{
    struct telling t = { .settle = r->settle };
    struct err err = { 0 };
    struct buf report;

    if (r->lease == NULL)
        return;
    if (runner_has_news(r))
        r->answered = r->asked;
    t.answered = r->answered;
    t.report = &report;
    buf_init(&report);
    run_report_write(&r->report, &report);
    pthread_mutex_unlock(&r->lock);
    if ((t.answered != r->told_answered || report.len != r->told.len || memcmp(report.data, r->told.data, report.len) != 0)) {
        buf_reset(&r->told);
        if (!settle_do(r->settle, tell, &t, &err))
            log_event(LOG_WARN_LEVEL, "run_report_not_kept", KV_TEXT("error", err.text));
        else if (buf_add(&r->told, report.data, report.len))
            r->told_answered = t.answered;
    }
    buf_clear(&report);
    pthread_mutex_lock(&r->lock);
}

/* One moment's row and report. */
static bool read_report(struct runner *r, struct settler_row *row, struct run_report *report, struct err *err)
{
    struct buf text;
    bool ok;

    if (!db_begin(r->db, err))
        return false;
    buf_init(&text);
    ok = store_settler(r->db, row, err) && store_settler_report(r->db, &text, err)
      /* Nothing yet: what the marks of an earlier run say stays. */
      && (text.len == 0 || run_report_read(text.data, text.len, report, err));
    db_rollback(r->db);
    buf_clear(&text);
    return ok;
}

void runner_listen(struct runner *r)
{
    struct run_report report = r->report;
    struct settler_row row;
    struct err err = { 0 };
    bool ok;

    r->poked = false;
    pthread_mutex_unlock(&r->lock);
    ok = read_report(r, &row, &report, &err);
    pthread_mutex_lock(&r->lock);
    if (ok) {
        r->report = report;
        r->answered = row.answered;
    } else {
        r->report.error = err;
    }
    pthread_cond_broadcast(&r->changed);
}

static bool want(void *self, struct group *group, struct err *err)
{
    return store_settler_want(group->db, self, err);
}

void runner_request_other(struct runner *r, uint64_t wait_ms, struct run_report *report)
{
    struct timespec until = runner_deadline(wait_ms);
    uint64_t number;
    struct err err = { 0 };
    bool kept = writer_do(r->writer, want, &number, &err);

    pthread_mutex_lock(&r->lock);
    while (kept && r->answered < number && !r->stopping)
        if (pthread_cond_timedwait(&r->changed, &r->lock, &until) != 0)
            break;
    *report = r->report;
    if (!kept) {
        report->error = err;
    } else if (r->answered < number) {       /* what stands in the report is of a run before */
        report->running = true;
        report->error = (struct err){ 0 };
    }
    pthread_mutex_unlock(&r->lock);
}

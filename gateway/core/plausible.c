#include "gateway/core/plausible.h"

#include <inttypes.h>

#include "gateway/base/hex.h"

struct provider_class plausible_class(const struct plausibility *limits, const struct provider *p)
{
    struct provider_class c = p->class_;

    if (!c.has_tokens_per_second)
        c.tokens_per_second = limits->class_.tokens_per_second;
    if (!c.has_parallelism)
        c.parallelism = limits->class_.parallelism;
    return c;
}

uint64_t receipt_tokens(const struct receipt *r)
{
    return r->count[METER_INPUT] - r->count[METER_CACHED] + r->count[METER_OUTPUT];
}

uint64_t receipt_work(const struct receipt *r)
{
    return receipt_tokens(r) + r->count[METER_UNITS];
}

uint64_t receipt_busy_ms(const struct receipt *r, uint64_t minute)
{
    uint64_t from = minute * MINUTE_MS, until = from + MINUTE_MS;

    if (r->started_at_ms > from)
        from = r->started_at_ms;
    if (r->finished_at_ms < until)
        until = r->finished_at_ms;
    return from < until ? until - from : 0;
}

static uint64_t duration_ms(const struct receipt *r)
{
    return r->finished_at_ms - r->started_at_ms;
}

static void tokens_per_second(uint64_t most, const struct receipt *r, struct faults *faults)
{
    uint64_t ms = duration_ms(r) == 0 ? 1 : duration_ms(r);
    uint64_t tokens = receipt_tokens(r);      /* below 2^55: a thousand times as many fit */

    if (most != 0 && tokens * 1000 / ms > most)
        faults_add(faults, CODE_IMPLAUSIBLE_USAGE, "/outputTokens", "tokens-per-second: %" PRIu64 " tokens in %" PRIu64 " ms are %"
                   PRIu64 ", the provider's class is %" PRIu64, tokens, ms, tokens * 1000 / ms, most);
}

static void parallelism(uint64_t most, const struct usage_facts *facts, struct faults *faults)
{
    if (most != 0 && facts->minute_busy_ms > most * MINUTE_MS)
        faults_add(faults, CODE_IMPLAUSIBLE_USAGE, "/startedAt", "parallelism: %" PRIu64 " ms of jobs in the minute of %" PRIu64
                   ", the provider's class is %" PRIu64 " at once, %" PRIu64 " ms", facts->minute_busy_ms, facts->minute * MINUTE_MS,
                   most, most * MINUTE_MS);
}

/* work > most * past_work / past_hours, without losing anything to a division or to 64 bits. */
static void jump(uint64_t most, const struct receipt *r, const struct usage_facts *facts, struct faults *faults)
{
    unsigned __int128 work = (unsigned __int128)facts->hour_work + receipt_work(r);
    unsigned __int128 bound = (unsigned __int128)facts->past_work * most;
    uint64_t mean;

    if (most == 0 || facts->past_hours < JUMP_HOURS_LEAST || facts->past_work == 0 || work * facts->past_hours <= bound)
        return;
    mean = facts->past_work / facts->past_hours;
    faults_add(faults, CODE_IMPLAUSIBLE_USAGE, "/outputTokens", "jump: %" PRIu64 " tokens and units this hour, the mean of %" PRIu64
               " hours before is %" PRIu64 ", allowed are %" PRIu64 " times", (uint64_t)work, facts->past_hours, mean, most);
}

static void duration(uint64_t most_ms, const struct receipt *r, struct faults *faults)
{
    if (most_ms != 0 && duration_ms(r) > most_ms)
        faults_add(faults, CODE_IMPLAUSIBLE_USAGE, "/finishedAt", "duration: the job ran %" PRIu64 " ms, allowed are %" PRIu64 " ms",
                   duration_ms(r), most_ms);
}

static void skew(uint64_t most_ms, uint64_t received_at_ms, uint64_t time_ms, const char *pointer, struct faults *faults)
{
    if (most_ms != 0 && time_ms > received_at_ms && time_ms - received_at_ms > most_ms)
        faults_add(faults, CODE_IMPLAUSIBLE_USAGE, pointer, "skew: %" PRIu64 " ms ahead of its arrival, allowed are %" PRIu64 " ms",
                   time_ms - received_at_ms, most_ms);
}

static void evidence(const struct usage_facts *facts, struct faults *faults)
{
    char job[JOB_ID_TEXT];

    if (!facts->evidence_seen)
        return;
    job_id_to_text(facts->evidence_job, job);
    faults_add(faults, CODE_IMPLAUSIBLE_USAGE, "/evidence", "evidence: 2 receipts with the same, the other is of job %s, allowed is 1", job);
}

void plausible_judge(const struct plausibility *limits, const struct provider *p, const struct receipt *r,
                     const struct usage_facts *facts, struct faults *faults)
{
    struct provider_class class_ = plausible_class(limits, p);

    tokens_per_second(class_.tokens_per_second, r, faults);
    parallelism(class_.parallelism, facts, faults);
    jump(limits->max_jump, r, facts, faults);
    duration(limits->max_duration_ms, r, faults);
    skew(limits->max_skew_ms, facts->received_at_ms, r->finished_at_ms, "/finishedAt", faults);
    skew(limits->max_skew_ms, facts->received_at_ms, job_id_time_ms(r->job_id), "/jobId", faults);
    if (limits->unique_evidence)
        evidence(facts, faults);
}

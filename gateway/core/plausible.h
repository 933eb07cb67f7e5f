/* gateway/core/plausible.h - what usage a machine can have had (design 3, implausible-usage).  Pure.
 *
 * Rules over one receipt of an admitted provider and what its accepted ones add up to.  Each has a name, which begins its
 * fault's detail, with the limit and the measured value; a limit of 0 is no rule.
 *
 *   tokens-per-second  (input - cached + output) tokens over finishedAt - startedAt, a job beginning or ending within 1 ms as 1 ms
 *   parallelism        busy time in one minute of the clock: jobs that ran at once for all of it are so many minutes.  A provider
 *                      that never ran more than its parallelism at once never breaks it, in whatever order receipts come.
 *   jump               tokens and units accepted this hour against the mean of its hours before, up to a week of them
 *   duration, skew     finishedAt - startedAt; jobId or finishedAt ahead of arrival
 *   evidence           the same non-zero evidence in another receipt of this provider, today or yesterday */
#ifndef QUITTANCE_CORE_PLAUSIBLE_H
#define QUITTANCE_CORE_PLAUSIBLE_H

#include "gateway/core/catalog.h"

#define MINUTE_MS UINT64_C(60000)
#define HOUR_MS UINT64_C(3600000)
#define PARALLELISM_MAX 100000u
#define JUMP_HOURS_LEAST 24u                  /* before so many hours of a provider are known nothing is a jump */
#define JUMP_HOURS_KEPT 168u
#define EVIDENCE_DAY_MAX 100000u              /* pieces of evidence kept of one provider and day; further ones are not compared */

/* [plausibility]; 0: no such rule. */
struct plausibility {
    struct provider_class class_;             /* of a provider without a setting of its own */
    uint64_t max_jump;                        /* times the mean */
    uint64_t max_skew_ms, max_duration_ms;
    bool unique_evidence;
};
/* What of the provider's accepted receipts the rules look at. */
struct usage_facts {
    uint64_t received_at_ms;                  /* of this receipt */
    uint64_t minute, minute_busy_ms;          /* its fullest minute (since 1970), this receipt included; 0: none is counted */
    uint64_t hour_work;                       /* this hour's, without this receipt */
    uint64_t past_work, past_hours;
    bool evidence_seen;
    struct job_id evidence_job;
};

/* The provider's own settings where it has them, else the common ones. */
struct provider_class plausible_class(const struct plausibility *limits, const struct provider *p);
uint64_t receipt_tokens(const struct receipt *r);         /* that were worked on: what a prompt cache served is not */
uint64_t receipt_work(const struct receipt *r);           /* and units */
/* How long the job ran within this minute of the clock. */
uint64_t receipt_busy_ms(const struct receipt *r, uint64_t minute);
/* A fault for each rule that is broken. */
void plausible_judge(const struct plausibility *limits, const struct provider *p, const struct receipt *r,
                     const struct usage_facts *facts, struct faults *faults);

#endif

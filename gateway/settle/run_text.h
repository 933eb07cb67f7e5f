/* gateway/settle/run_text.h - a run's report as the JSON text that a settler leaves in the store for other gateways. */
#ifndef QUITTANCE_SETTLE_RUN_TEXT_H
#define QUITTANCE_SETTLE_RUN_TEXT_H

#include "gateway/settle/runner.h"

void run_report_write(const struct run_report *report, struct buf *text);
/* Members that are missing are zero.  ERR_INVALID: no JSON. */
MUST_USE bool run_report_read(const void *text, size_t len, struct run_report *report, struct err *err);

#endif

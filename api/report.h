/* api/report.h - the JSON of a settlement run and of a dry run (design 7): what the service answers and `settle` prints. */
#ifndef QUITTANCE_API_REPORT_H
#define QUITTANCE_API_REPORT_H

#include "gateway/lib/json.h"
#include "gateway/settle/settle.h"

/* {sequence, state, receipts, total, paid, failed, transactions, nothing, waits?, waitsDetail?}; sequence null where nothing was
 * ever settled. */
json *report_to_json(const struct settle_report *report);
json *plan_to_json(const struct settle_plan *plan);

#endif

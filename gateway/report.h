/* gateway/report.h - the JSON line of a settlement run (design 7), from the run itself or from the service's answer. */
#ifndef QUITTANCE_REPORT_H
#define QUITTANCE_REPORT_H

#include "gateway/lib/json.h"
#include "gateway/settle/settle.h"

/* {sequence, state, receipts, total, paid, failed, transactions, nothing}; sequence null where nothing was ever settled. */
json *report_to_json(const struct settle_report *report);
json *plan_to_json(const struct settle_plan *plan);

#endif

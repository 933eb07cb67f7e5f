/* gateway/watchdog/publish.h - facts and findings in the shapes in which they leave: JSON and metrics. */
#ifndef QUITTANCE_WATCHDOG_PUBLISH_H
#define QUITTANCE_WATCHDOG_PUBLISH_H

#include "gateway/lib/json.h"
#include "gateway/watchdog/findings.h"

/* Adds {code, level:"warning"|"failure", text, contract} for each that is past its limit; contract NULL: left out. */
void findings_add_to(json *list, const struct findings *findings, const struct address *contract);
/* quittance_alarm for every code, and the gauges behind them; balances only once the chain was seen. */
void watchdog_metrics(const struct facts *facts, const struct findings *findings, struct buf *out);

#endif

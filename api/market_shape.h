/* api/market_shape.h - where markets stand: their multiplier, and demand and capacity of the last window that was judged. */
#ifndef QUITTANCE_API_MARKET_SHAPE_H
#define QUITTANCE_API_MARKET_SHAPE_H

#include "api/context.h"

/* {base, multiplier, window:{from,to}, demand, capacity}; *out NULL: no market moves the model's price.  Caller owns. */
MUST_USE bool market_to_answer(struct db *db, struct hash model, json **out, struct err *err);
/* Of at most METRICS_MARKETS models, a label each. */
#define METRICS_MARKETS 64u
MUST_USE bool metrics_put_markets(struct buf *out, struct db *db, struct err *err);

#endif

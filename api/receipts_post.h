/* api/receipts_post.h - POST /v1/receipts: from items that intake has judged to the answer. */
#ifndef QUITTANCE_API_RECEIPTS_POST_H
#define QUITTANCE_API_RECEIPTS_POST_H

#include "api/request.h"
#include "gateway/intake/intake.h"

/* HTTP status of the item of a single post. */
int receipt_item_status(const struct intake_item *item);
#endif

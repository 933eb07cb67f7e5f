/* api/receipts_post.h - POST /v1/receipts: from items that intake has judged to the answer. */
#ifndef QUITTANCE_API_RECEIPTS_POST_H
#define QUITTANCE_API_RECEIPTS_POST_H

#include "api/promises.h"
#include "api/request.h"
#include "gateway/intake/intake.h"

/* HTTP status of the item of a single post. */
int receipt_item_status(const struct intake_item *item);
/* The item as design section 3 has it, without its promise and key. */
json *receipt_item_to_json(const struct intake_item *item, size_t index);

#endif

/* api/receipts_decode.h - the forms in which receipts are posted (design 3), as items of a submission.  Pure. */
#ifndef QUITTANCE_API_RECEIPTS_DECODE_H
#define QUITTANCE_API_RECEIPTS_DECODE_H

#include "api/request.h"
#include "gateway/intake/intake.h"

#define RECEIPTS_ITEMS_MAX 10000

/* Fills is_bundle, bundle, items and count; `submission` is zero before and takes the items.  *single: one object,
 * whose item is the answer's body.  false: the reply is 400, 413 or 415, and nothing was taken. */
bool receipts_decode(const char *content_type, const struct buf *body, struct submission *submission, bool *single,
                     struct reply *reply);

#endif

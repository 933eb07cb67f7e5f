/* gateway/core/receipt_json.h - receipts as JSON objects (design 2 and 3), for the API, the node side and archives. */
#ifndef QUITTANCE_CORE_RECEIPT_JSON_H
#define QUITTANCE_CORE_RECEIPT_JSON_H

#include "gateway/core/fast.h"
#include "gateway/lib/json.h"

enum receipt_form { RECEIPT_SINGLE, RECEIPT_BUNDLED, RECEIPT_UNSIGNED };  /* signature demanded; refused; either */

/* Reads one object.  Unknown members, null, wrong types and missing required members are `malformed` with a pointer
 * each; what could be read is filled in, so that the item can be named.  has_job_id tells whether jobId was read. */
void receipt_from_json(const json *object, enum receipt_form form, struct signed_receipt *r, bool *has_job_id, struct faults *faults);
/* The same of a text, without a tree of values (see fast.h): members in any order and with blanks between, but no escapes and
 * nothing that would be a fault, which is false.  The cursor then stands behind the object and blanks. */
bool receipt_from_text(struct fast *c, enum receipt_form form, struct signed_receipt *r);
/* The 13 fields in the order of the type, then signature and consumerSignature where present.  Caller owns. */
json *receipt_to_json(const struct signed_receipt *r);
/* [{code, pointer, detail}, ...]; caller owns. */
json *faults_to_json(const struct faults *faults);

#endif

/* gateway/core/receipt.h - a usage receipt: its 13 fields, its three forms, and the codes a receipt can end with.
 *
 * Forms (design 2 and 3): JSON (receipt_json.h), 13 ABI words of 32 bytes (what EIP-712 hashes and the binary bundle
 * carries), and the packed form the store keeps.  Counts are below 2^53, times Unix ms.  Pure: no I/O, no clock. */
#ifndef QUITTANCE_CORE_RECEIPT_H
#define QUITTANCE_CORE_RECEIPT_H

#include "gateway/base/amount.h"
#include "gateway/base/buf.h"

enum meter { METER_INPUT, METER_CACHED, METER_OUTPUT, METER_UNITS, METER_COMPUTE_MS };
#define METER_COUNT 5
extern const char *const meter_names[METER_COUNT];       /* inputTokens, cachedTokens, outputTokens, units, computeMs */

#define RECEIPT_COUNT_MAX ((UINT64_C(1) << 53) - 1)
#define RECEIPT_FIELDS 13
#define RECEIPT_WORDS 416                                /* 13 * 32 */
#define RECEIPT_PACKED 208                               /* words without their padding */

struct receipt {
    struct job_id job_id;
    struct address provider;
    struct hash model;
    struct address consumer;                             /* zero: nobody named */
    uint64_t count[METER_COUNT];
    uint64_t started_at_ms, finished_at_ms;
    struct hash quote, evidence;                         /* zero: none */
};

/* One row a field, in the order of the EIP-712 type: all three forms are made from it. */
enum receipt_field_kind { FIELD_JOB_ID, FIELD_ADDRESS, FIELD_HASH, FIELD_COUNT, FIELD_TIME };
struct receipt_field {
    const char *name;                                    /* in JSON */
    enum receipt_field_kind kind;
    size_t offset;                                       /* in struct receipt */
    bool required;                                       /* in JSON; the others default to zero */
};
extern const struct receipt_field receipt_fields[RECEIPT_FIELDS];

/* A receipt with what came with it.  In a bundle there is no signature of its own. */
struct signed_receipt {
    struct receipt receipt;
    bool has_signature, has_consumer_signature;
    struct signature signature, consumer_signature;
};

/* Kept in receipts.code: append only, never renumber.  The order is that in which rules are tried (design 3). */
enum receipt_code {
    CODE_ACCEPTED = 0,
    CODE_MALFORMED,
    CODE_FINISHED_BEFORE_STARTED,
    CODE_FINISHED_IN_FUTURE,
    CODE_DUPLICATE,
    CODE_INVALID_SIGNATURE,
    CODE_INVALID_CONSUMER_SIGNATURE,
    CODE_CONFLICTING_RECEIPT,
    CODE_UNKNOWN_PROVIDER,
    CODE_UNKNOWN_MODEL,
    CODE_UNVERIFIED_CREATOR,
    CODE_UNPRICED,
    CODE_LATE,
    CODE_DUPLICATE_JOB,
    CODE_IMPLAUSIBLE_USAGE,
    CODE_OVER_LIMIT,
    CODE_COUNTERSIGNATURE_MISSING,
    CODE_QUOTE_MISMATCH,
    CODE_TOO_MANY
};
#define RECEIPT_CODES (CODE_TOO_MANY + 1)

enum item_status { ITEM_ACCEPTED, ITEM_DUPLICATE, ITEM_QUARANTINED, ITEM_REJECTED };

/* One row a code: its name on the wire, the status it gives, and whether its cause may go away by itself (an
 * admission, a verification, a price). */
struct code_row {
    const char *name;                                    /* "accepted" has none: "" */
    enum item_status status;
    bool released_by_itself;
};
extern const struct code_row receipt_codes[RECEIPT_CODES];
MUST_USE bool receipt_code_from_name(const char *name, enum receipt_code *code);     /* "" names none */
const char *item_status_name(enum item_status status);

/* What is wrong with one receipt: code, JSON Pointer from the item ("/model"), and the rule in words. */
struct fault {
    enum receipt_code code;
    char pointer[96];
    char detail[160];
};
#define FAULTS_MAX 24
struct faults {
    struct fault *list;                                  /* owned; NULL while there are none */
    size_t count;
};
void faults_clear(struct faults *f);
void faults_add(struct faults *f, enum receipt_code code, const char *pointer, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));               /* beyond FAULTS_MAX: dropped */
enum receipt_code faults_first(const struct faults *f);  /* the code earliest in rule order, or CODE_ACCEPTED */

/* The rules on the content alone: jobId is a UUIDv7 within its times, counts in range, cached <= input
 * (malformed), finished-before-started, finished-in-future (over 5 min ahead of now).  Adds to faults; a member that
 * has a fault already is not judged again. */
void receipt_check(const struct receipt *r, uint64_t now_ms, struct faults *faults);

void receipt_to_words(const struct receipt *r, uint8_t words[RECEIPT_WORDS]);
/* Padding that is not zero and counts over range are `malformed` with the member's pointer; fields are filled anyway
 * as far as they go, so that the item can be named. */
void receipt_from_words(const uint8_t words[RECEIPT_WORDS], struct receipt *r, struct faults *faults);

void receipt_pack(const struct receipt *r, uint8_t packed[RECEIPT_PACKED]);
void receipt_unpack(const uint8_t packed[RECEIPT_PACKED], struct receipt *r);

uint64_t job_id_time_ms(struct job_id id);               /* the 48-bit time of a UUIDv7 */

#endif

/* api/quarantine.h - which held receipts a request means: ?code= and ?provider=, or members of a bulk post. */
#ifndef QUITTANCE_API_QUARANTINE_H
#define QUITTANCE_API_QUARANTINE_H

#include "api/request.h"
#include "gateway/intake/intake.h"

/* Held receipts that one request looks at, at most. */
#define QUARANTINE_SCAN_MAX 100000

struct quarantine_filter {
    bool has_code, has_provider;
    enum receipt_code code;
    struct address provider;
};
bool quarantine_fits(const struct quarantine_filter *filter, const struct receipt_row *row);
MUST_USE bool quarantine_filter_code(struct quarantine_filter *filter, const char *name, struct err *err);
/* Calls visit for each that fits, oldest first, from `after` on (NULL: the start) until it returns false. */
MUST_USE bool quarantine_walk(struct db *db, const struct held_cursor *after, const struct quarantine_filter *filter,
                              receipt_fn *visit, void *self, struct err *err);

/* release_receipt or refuse_receipt */
typedef bool decide_fn(struct intake *intake, const char *who, struct job_id job, struct address provider,
                       const char *reason, struct err *err);

struct held_cursor quarantine_place(const struct receipt_row *row);
#define QUARANTINE_KEY 44                     /* a held_cursor as bytes */
void quarantine_key_put(const struct receipt_row *row, uint8_t key[QUARANTINE_KEY]);
struct held_cursor quarantine_key_get(const uint8_t key[QUARANTINE_KEY]);

#endif

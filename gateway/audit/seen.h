/* gateway/audit/seen.h - which (jobId, provider) were billed already: 16 bytes each, so that millions fit in memory.
 *
 * What is kept is a hash of 128 bits under a random seed: nobody can make two jobs meet, and by chance they do not. */
#ifndef QUITTANCE_AUDIT_SEEN_H
#define QUITTANCE_AUDIT_SEEN_H

#include "gateway/base/types.h"

struct seen_mark { uint64_t high, low; };
struct seen {
    uint8_t seed[16];
    struct seen_mark *slots;                  /* owned; all zero: empty */
    size_t count, capacity;                   /* capacity is a power of two */
};
void seen_init(struct seen *s);
void seen_clear(struct seen *s);
/* False: it was there before. */
bool seen_add(struct seen *s, struct job_id job_id, struct address provider);

#endif

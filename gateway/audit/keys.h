/* gateway/audit/keys.h - the keys of sealed lines (core/seal.h): from a file, or all of them from the gateway's secret. */
#ifndef QUITTANCE_AUDIT_KEYS_H
#define QUITTANCE_AUDIT_KEYS_H

#include "gateway/core/archive.h"

struct audit_keys;
/* One JSON object a line: {sequence, key} opens all of a settlement, {jobId, provider, key} one receipt; 0x hex.  A file as
 * GET /admin/v1/settlements/{n}/keys answers, or many of them behind each other. */
MUST_USE bool audit_keys_read(const char *path, struct audit_keys **keys, struct err *err);
struct audit_keys *audit_keys_of_secret(const uint8_t secret[32]);        /* borrows it */
void audit_keys_free(struct audit_keys *keys);
/* In place where a key fits; else the line stays sealed.  keys may be NULL.  Lines are shown in the order of their file. */
MUST_USE bool audit_keys_open(struct audit_keys *keys, uint64_t sequence, struct archive_line *line, struct err *err);

#endif

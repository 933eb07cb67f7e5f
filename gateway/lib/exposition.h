/* gateway/lib/exposition.h - lines of the Prometheus text format 0.0.4: for GET /metrics and for files that a node exporter
 * collects.  Names and help texts are ours, labels from fixed sets: nothing is escaped. */
#ifndef QUITTANCE_LIB_EXPOSITION_H
#define QUITTANCE_LIB_EXPOSITION_H

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

void exposition_head(struct buf *out, const char *name, const char *type, const char *help);
/* A metric of one value, with its head. */
void exposition_one(struct buf *out, const char *name, const char *type, const char *help, uint64_t value);
/* The same for a count that may be without end: UINT64_MAX is +Inf. */
void exposition_left(struct buf *out, const char *name, const char *help, uint64_t value);
/* Appears at path whole or not at all, readable by all.  ERR_IO. */
MUST_USE bool exposition_write(const char *path, const struct buf *text, struct err *err);

#endif

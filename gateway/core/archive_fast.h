/* gateway/core/archive_fast.h - receipt lines without a tree of values: a batch has millions (see fast.h). */
#ifndef QUITTANCE_CORE_ARCHIVE_FAST_H
#define QUITTANCE_CORE_ARCHIVE_FAST_H

#include "gateway/core/archive.h"

bool archive_fast_receipt(const char *text, size_t len, struct archive_receipt *receipt);
/* Appends the line and its newline, in that one spelling. */
void archive_fast_write(const struct archive_receipt *receipt, struct buf *out);

#endif

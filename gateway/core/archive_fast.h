/* gateway/core/archive_fast.h - receipt lines as archive.c writes them, for audits, which read millions (see fast.h). */
#ifndef QUITTANCE_CORE_ARCHIVE_FAST_H
#define QUITTANCE_CORE_ARCHIVE_FAST_H

#include "gateway/core/archive.h"

bool archive_fast_receipt(const char *text, size_t len, struct archive_receipt *receipt);

#endif

/* gateway/core/archive_fast.h - receipt lines read without a JSON tree, when they are exactly as archive.c writes them.
 *
 * An audit reads millions of lines that all look alike.  This takes only the one spelling: members in the order written, no
 * blanks, no escapes; anything else is false and left to the full reader, which also finds the words for what is wrong.  So it
 * never accepts what that one refuses, and gives the same values. */
#ifndef QUITTANCE_CORE_ARCHIVE_FAST_H
#define QUITTANCE_CORE_ARCHIVE_FAST_H

#include "gateway/core/archive.h"

bool archive_fast_receipt(const char *text, size_t len, struct archive_receipt *receipt);

#endif

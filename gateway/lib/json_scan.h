/* gateway/lib/json_scan.h - what json_read looks at before the parser: depth, and values the parser has no
 * room for.
 * Part of json.h; nobody else includes it. */
#ifndef QUITTANCE_LIB_JSON_SCAN_H
#define QUITTANCE_LIB_JSON_SCAN_H

#include <stddef.h>

#include "gateway/base/err.h"

/* Overwrites each number that neither int64 nor double holds, and each value text with \u0000, by `null` and spaces; text[len] must be a zero byte.
 * What is no JSON number (01, +1, 0x10) stays, for the parser to refuse.  ERR_INVALID: too deep, a zero byte. */
MUST_USE bool json_scan(char *text, size_t len, struct err *err);

#endif

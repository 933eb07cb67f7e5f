/* api/unfold.h - how much memory a JSON text becomes.  `[{},{},...]` grows a hundredfold when it is read, so this is asked
 * before: an upper bound from the marks outside of strings.  Pure. */
#ifndef QUITTANCE_API_UNFOLD_H
#define QUITTANCE_API_UNFOLD_H

#include <stddef.h>

/* A receipt becomes six times its text, so a body may become this many times the longest its path takes. */
#define UNFOLD_TIMES 8
size_t unfold_bytes(const char *text, size_t len);

#endif

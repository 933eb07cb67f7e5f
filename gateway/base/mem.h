/* gateway/base/mem.h - allocation that does not fail, and wiping.
 *
 * Running out of memory ends the process: everything acknowledged is durable, and a restart is tested at every
 * point, so dying is safer than a path that is never exercised.  Sizes that come from outside are bounded before. */
#ifndef QUITTANCE_BASE_MEM_H
#define QUITTANCE_BASE_MEM_H

#include <stddef.h>

void *mem_new(size_t size);                              /* zeroed */
void *mem_array(size_t count, size_t size);              /* zeroed; dies on overflow of the product */
void *mem_grow(void *owned, size_t count, size_t size);  /* realloc; new part not zeroed */
char *mem_text(const char *text);                        /* a copy */
char *mem_text_n(const char *text, size_t len);
void mem_trim(void);                                     /* what was freed goes back to the system: after something large */
void mem_wipe(void *bytes, size_t len);                  /* not optimised away */

#endif

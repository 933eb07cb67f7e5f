/* gateway/lib/ini.h - the only door to inih: sections, keys and values with their line. */
#ifndef QUITTANCE_LIB_INI_H
#define QUITTANCE_LIB_INI_H

#include "gateway/base/err.h"

/* Called for each `key = value`; returns false (err set) to stop.  A line has at most 198 bytes (inih's buffer); `;`
 * after a blank begins a comment, also behind a value. */
typedef bool ini_entry_fn(void *self, const char *section, const char *key, const char *value, int line,
                          struct err *err);
/* ERR_NOT_FOUND when there is none, ERR_IO when it cannot be read; ERR_CONFIG names file and line of what is no INI. */
MUST_USE bool ini_read_file(const char *path, ini_entry_fn *entry, void *self, struct err *err);

#endif

/* gateway/config_check.h - what no single setting shows: whether they fit each other, and what is likely to be a mistake. */
#ifndef QUITTANCE_CONFIG_CHECK_H
#define QUITTANCE_CONFIG_CHECK_H

#include "gateway/config.h"

/* ERR_CONFIG names section, key and rule. */
MUST_USE bool config_check(const struct config *config, struct err *err);
/* Texts, none where all is well: files that are named and are not there, variables that look like a setting and are none.  Not errors:
 * the files may come later or lie on another machine, and orchestrators add variables of their own. */
json *config_warnings(const struct config *config, char *const *environment);
/* QUITTANCE_SECTION_... of a section that exists, with a key that does not (config.c has the table). */
bool config_mistook_variable(const char *name, size_t len);

#endif

/* gateway/core/members.h - reading a JSON object strictly: no member that we do not know. */
#ifndef QUITTANCE_CORE_MEMBERS_H
#define QUITTANCE_CORE_MEMBERS_H

#include "gateway/lib/json.h"

/* ERR_INVALID: missing (NULL), not an object, or a member that is not among the names; the text names it. */
MUST_USE bool members_known(const json *object, const char *const *names, size_t count, struct err *err);

#endif

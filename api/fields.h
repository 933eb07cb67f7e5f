/* api/fields.h - members of a posted object, one reader a type.  ERR_INVALID names the member and the rule; outputs
 * change only where the member is there.  A required member that is missing is an error too. */
#ifndef QUITTANCE_API_FIELDS_H
#define QUITTANCE_API_FIELDS_H

#include "gateway/base/err.h"
#include "gateway/lib/json.h"

enum need { OPTIONAL, REQUIRED };

MUST_USE bool field_address(const json *object, const char *name, enum need need, struct address *a, struct err *err);
/* Of 1 to `most` characters, none of them a control character; text holds 4 * most + 1 bytes. */
MUST_USE bool field_text(const json *object, const char *name, enum need need, size_t most, char *text,
                         struct err *err);
/* A decimal string; `null` takes the limit away. */
MUST_USE bool field_limit(const json *object, const char *name, bool *has, struct amount *limit, struct err *err);
/* An integer; `null` takes the limit away. */
MUST_USE bool field_count_limit(const json *object, const char *name, uint64_t most, bool *has, uint64_t *limit, struct err *err);
MUST_USE bool field_flag(const json *object, const char *name, bool *flag, struct err *err);
MUST_USE bool field_number(const json *object, const char *name, uint64_t least, uint64_t most, uint64_t *number,
                           struct err *err);

#endif

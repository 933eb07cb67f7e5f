#include "api/fields.h"

#include <inttypes.h>

#include "gateway/core/text.h"

/* true: there is a value to read.  *ok: whether to go on without one. */
static bool present(const json *object, const char *name, enum need need, const json **value, bool *ok, struct err *err)
{
    *value = json_member(object, name);
    *ok = *value != NULL || need == OPTIONAL || err_set(err, ERR_INVALID, "%s: missing", name);
    return *value != NULL;
}

bool field_address(const json *object, const char *name, enum need need, struct address *a, struct err *err)
{
    const json *value;
    bool ok;

    if (!present(object, name, need, &value, &ok, err))
        return ok;
    return json_get_address(value, a)
        || err_set(err, ERR_INVALID, "%s: must be a string of 0x and 40 hex digits", name);
}

bool field_text(const json *object, const char *name, enum need need, size_t most, char *text, struct err *err)
{
    const json *value;
    const char *given;
    size_t len;
    bool ok;

    if (!present(object, name, need, &value, &ok, err))
        return ok;
    if (!json_get_text(value, &given, &len) || !text_is_plain(given, len, 1, most))
        return err_set(err, ERR_INVALID, "%s: must be 1 to %zu characters without control characters", name, most);
    memcpy(text, given, len);
    text[len] = '\0';
    return true;
}

bool field_limit(const json *object, const char *name, bool *has, struct amount *limit, struct err *err)
{
    const json *value = json_member(object, name);

    if (value == NULL)
        return true;
    if (json_kind_of(value) == JSON_KIND_NULL) {
        *has = false;
        return true;
    }
    if (!json_get_amount(value, limit))
        return err_set(err, ERR_INVALID, "%s: must be a decimal string of base units, or null", name);
    *has = true;
    return true;
}

bool field_count_limit(const json *object, const char *name, uint64_t most, bool *has, uint64_t *limit, struct err *err)
{
    const json *value = json_member(object, name);
    uint64_t given;

    if (value == NULL)
        return true;
    if (json_kind_of(value) == JSON_KIND_NULL) {
        *has = false;
        *limit = 0;
        return true;
    }
    if (!json_get_u64(value, &given) || given > most)
        return err_set(err, ERR_INVALID, "%s: must be an integer from 0 to %" PRIu64 ", or null", name, most);
    *has = true;
    *limit = given;
    return true;
}

bool field_flag(const json *object, const char *name, bool *flag, struct err *err)
{
    const json *value = json_member(object, name);

    return value == NULL || json_get_bool(value, flag) || err_set(err, ERR_INVALID, "%s: must be true or false", name);
}

bool field_number(const json *object, const char *name, uint64_t least, uint64_t most, uint64_t *number,
                  struct err *err)
{
    const json *value = json_member(object, name);
    uint64_t given;

    if (value == NULL)
        return true;
    if (!json_get_u64(value, &given) || given < least || given > most)
        return err_set(err, ERR_INVALID, "%s: must be an integer from %" PRIu64 " to %" PRIu64, name, least, most);
    *number = given;
    return true;
}

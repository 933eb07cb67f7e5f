#include "gateway/core/members.h"

#include "gateway/core/text.h"

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

bool members_known(const json *object, const char *const *names, size_t count, struct err *err)
{
    void *cursor = NULL;
    const json *value;
    const char *name;

    if (object == NULL || json_kind_of(object) != JSON_KIND_OBJECT)
        return err_set(err, ERR_INVALID, "missing or not an object");
    while ((name = json_next_member(object, &cursor, &value)) != NULL)
        if (!is_among(name, names, count))
            return err_set(err, ERR_INVALID, "%.*s: unknown member", (int)text_cut(name, 60), name);
    return true;
}

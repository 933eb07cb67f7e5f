#include "gateway/lib/exposition.h"

#include <inttypes.h>

#include "gateway/lib/file.h"

void exposition_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void exposition_one(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
    exposition_head(out, name, type, help);
    buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

void exposition_left(struct buf *out, const char *name, const char *help, uint64_t value)
{
    if (value != UINT64_MAX) {
        exposition_one(out, name, "gauge", help, value);
        return;
    }
    exposition_head(out, name, "gauge", help);
    buf_printf(out, "%s +Inf\n", name);
}

bool exposition_write(const char *path, const struct buf *text, struct err *err)
{
    return file_write(path, text->data, text->len, 0644, err);
}

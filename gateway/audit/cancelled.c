/* What is taken from the archive of a cancelled settlement (replay.h). */
#include "gateway/audit/replay.h"

#include <stdlib.h>

#include "gateway/base/mem.h"

struct found { struct archive_line *list; size_t count, capacity; };

static bool collect(void *self, const char *text, size_t len, struct err *err)
{
    struct found *found = self;
    struct archive_line line = { 0 };
    struct err ignored = { 0 };

    (void)err;
    if (!archive_read_line(text, len, &line, &ignored))
        return true;               /* false files are what a cancel is for */
    if (!archive_is_row(line.type)) {
        archive_line_clear(&line);
        return true;
    }
    if (found->count == found->capacity) {
        found->capacity = found->capacity == 0 ? 16 : found->capacity * 2;
        found->list = mem_grow(found->list, found->capacity, sizeof *found->list);
    }
    found->list[found->count++] = line;
    return true;
}

bool replay_cancelled(struct replay *r, const struct chain_settlement *s, struct source *source, struct err *err)
{
    struct found found = { 0 };
    struct hash digest;
    bool ok = source_archive(source, s->event.sequence, collect, &found, &digest, err);

    /* Only what was really committed counts, even of a cancelled one; a line that is no good is left out by itself. */
    for (size_t i = 0; ok && hash_eq(digest, s->event.archive) && i < found.count; i++) {
        struct err ignored = { 0 };

        if (!rows_take(r->rows, &found.list[i], true, s->event.sequence, &ignored))
            continue;
    }
    free(found.list);
    return ok || err->code == ERR_NOT_FOUND || err->code == ERR_DIFFERS || err->code == ERR_INVALID;
}

#include "gateway/settle/archive_again.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/settle/archive.h"
#include "store/batches.h"

struct again {
    FILE *file;
    char *text;                               /* of getline */
    size_t size;
    bool sealed;                              /* its receipts are */
};

struct search { uint64_t batch, sequence; };

static bool is_of_batch(void *self, const struct settlement_row *s, struct err *err)
{
    struct search *search = self;

    (void)err;
    if (s->batch != search->batch || s->state != BATCH_CANCELLED)
        return true;
    search->sequence = s->sequence;
    return false;
}

/* The next receipt line, sealed or not; *line.type ARCHIVE_REWARD: there is none. */
static bool next_receipt(struct again *a, struct archive_line *line, struct err *err)
{
    ssize_t len;

    while ((len = getline(&a->text, &a->size, a->file)) > 0) {
        if (!archive_read_line(a->text, (size_t)len - (a->text[len - 1] == '\n'), line, err))
            return false;
        if (line->type == ARCHIVE_SEALED || line->type == ARCHIVE_RECEIPT || line->type == ARCHIVE_REWARD)
            return true;
        archive_line_clear(line);
    }
    *line = (struct archive_line){ .type = ARCHIVE_REWARD };
    return true;
}

/* Whether its receipts are sealed is told by the first of them. */
static bool look_inside(struct again *a, struct err *err)
{
    struct archive_line first = { 0 };

    if (!next_receipt(a, &first, err))
        return false;
    a->sealed = first.type == ARCHIVE_SEALED;
    archive_line_clear(&first);
    rewind(a->file);
    return true;
}

bool again_open(struct db *db, const char *dir, uint64_t batch, struct again **again, struct err *err)
{
    struct search search = { .batch = batch };
    struct again *a;
    char path[4096];

    *again = NULL;
    if (!store_settlements(db, 0, UINT_MAX, is_of_batch, &search, err))
        return false;
    if (search.sequence == 0)
        return true;
    archive_path(dir, search.sequence, ".archive.ndjson", path, sizeof path);
    a = mem_new(sizeof *a);
    a->file = fopen(path, "re");
    if (a->file == NULL) {
        free(a);
        return err_set(err, ERR_NOT_FOUND, "%s is needed: batch %" PRIu64 " was published in it, and its lines are sealed"
                       " only once", path, batch);
    }
    if (!look_inside(a, err)) {
        again_close(a);
        return err_prefix(err, "%s", path);
    }
    *again = a;
    return true;
}

void again_close(struct again *again)
{
    if (again == NULL)
        return;
    fclose(again->file);
    free(again->text);
    free(again);
}

bool again_take_box(struct again *again, struct archive_line *sealed, struct err *err)
{
    struct archive_line before = { 0 };
    struct buf box;

    if (again == NULL || !again->sealed)
        return true;
    if (!next_receipt(again, &before, err))
        return false;
    if (before.type != ARCHIVE_SEALED || !hash_eq(before.of.sealed.leaf, sealed->of.sealed.leaf)) {
        archive_line_clear(&before);
        return err_set(err, ERR_BUG, "a carried batch holds other receipts than before");
    }
    box = sealed->of.sealed.box;
    sealed->of.sealed.box = before.of.sealed.box;
    before.of.sealed.box = box;
    archive_line_clear(&before);
    return true;
}

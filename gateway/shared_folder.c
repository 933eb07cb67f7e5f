#include "gateway/shared_folder.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "store/meta.h"

#define NAME "archive_folder"
#define DIGITS 16

/* 0: it has none yet. */
static bool read_number(const char *path, uint64_t *number, struct err *err)
{
    struct err why = { 0 };
    struct buf text;
    bool ok;

    buf_init(&text);
    ok = file_read(path, 64, &text, &why);
    *number = ok ? strtoull(buf_text(&text), NULL, 16) : 0;
    buf_clear(&text);
    return ok || why.code == ERR_NOT_FOUND || err_set(err, why.code, "%s", why.text);
}

static bool give_number(const char *path, uint64_t *number, struct err *err)
{
    char text[DIGITS + 2];
    int len;

    crypt_random(number, sizeof *number);
    *number = *number >> 1 | 1;               /* the store's numbers are signed, and 0 is none */
    len = snprintf(text, sizeof text, "%016" PRIx64 "\n", *number);
    return file_write(path, text, (size_t)len, 0600, err);
}

struct agreeing { const char *dir; };

/* In a group, so that of two that start at once one gives the number. */
static bool agree(void *self, struct group *group, struct err *err)
{
    const struct agreeing *a = self;
    char path[PATH_MAX];
    uint64_t known, here;

    if (snprintf(path, sizeof path, "%s/folder.id", a->dir) >= (int)sizeof path)
        return err_set(err, ERR_CONFIG, "[archive] dir is too long");
    if (!store_meta_get(group->db, NAME, &known, err) || !read_number(path, &here, err))
        return false;
    if (known == 0)
        return (here != 0 || give_number(path, &here, err)) && store_meta_set(group->db, NAME, here, err);
    return known == here || err_set(err, ERR_CONFIG, "[archive] dir %s is not the folder of the gateways of this store: share one"
                                    " among them all, it holds the file folder.id with %016" PRIx64, a->dir, known);
}

bool shared_folder_check(struct db *reader, struct writer *writer, const char *dir, struct err *err)
{
    return !db_is_shared(reader) || writer_do(writer, agree, &(struct agreeing){ dir }, err);
}

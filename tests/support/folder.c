#include "tests/support/folder.h"

#include <stdarg.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/types.h"
#include "gateway/lib/file.h"

void folder_make(const char *name, char *path, size_t size)
{
    const char *place = getenv("TMPDIR");

    snprintf(path, size, "%s/quittance-%s-XXXXXX", place != NULL && place[0] != '\0' ? place : "/tmp", name);
    assert_non_null(mkdtemp(path));
}

struct folder folder_new(void)
{
    struct folder f;

    folder_make("test", f.path, sizeof f.path);
    return f;
}

void folder_path(const struct folder *f, const char *name, char path[FOLDER_PATH])
{
    snprintf(path, FOLDER_PATH, "%s/%s", f->path, name);
}

void folder_each(const struct folder *f, void (*each)(void *self, const char *name), void *self)
{
    DIR *d = opendir(f->path);
    const struct dirent *entry;

    assert_non_null(d);
    while ((entry = readdir(d)) != NULL)
        if (entry->d_name[0] != '.')
            each(self, entry->d_name);
    closedir(d);
}

static void remove_one(void *self, const char *name)
{
    char path[FOLDER_PATH];

    folder_path(self, name, path);
    unlink(path);
}

static void folder_clear(struct folder *f)
{
    folder_each(f, remove_one, f);
}

void folder_free(struct folder *f)
{
    folder_clear(f);
    rmdir(f->path);
}

struct copying { const struct folder *from, *to; };

static void copy_one(void *self, const char *name)
{
    const struct copying *c = self;
    char from[FOLDER_PATH], to[FOLDER_PATH];
    struct buf bytes;
    struct err err = { 0 };

    folder_path(c->from, name, from);
    folder_path(c->to, name, to);
    buf_init(&bytes);
    assert_true(file_read(from, 64 * MIB, &bytes, &err));
    FILE *out = fopen(to, "w");
    assert_non_null(out);
    assert_true(bytes.len == 0 || fwrite(bytes.data, 1, bytes.len, out) == bytes.len);
    fclose(out);
    buf_clear(&bytes);
}

void folder_copy(const struct folder *from, struct folder *to)
{
    struct copying c = { from, to };

    folder_clear(to);
    folder_each(from, copy_one, &c);
}

long folder_size(const struct folder *f, const char *name)
{
    char path[FOLDER_PATH];
    struct stat st;

    folder_path(f, name, path);
    return stat(path, &st) == 0 ? (long)st.st_size : 0;
}

#include "gateway/node/spool_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "gateway/lib/file.h"

#define NUMBER_DIGITS 16

static bool sync_parent(const char *dir, struct err *err)
{
    size_t size = strlen(dir) + sizeof "/..";
    char *path = mem_new(size);
    int fd;
    bool ok;

    snprintf(path, size, "%s/..", dir);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ok = (fd >= 0 && fsync(fd) == 0) || err_set(err, ERR_IO, "sync %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(path);
    return ok;
}

static bool lock(const char *dir, int *fd, struct err *err)
{
    size_t size = strlen(dir) + sizeof "/lock";
    char *path = mem_new(size);
    int opened;
    bool ok;

    snprintf(path, size, "%s/lock", dir);
    opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ok = opened >= 0 || err_set(err, ERR_IO, "open %s: %s", path, strerror(errno));
    if (ok && flock(opened, LOCK_EX | LOCK_NB) != 0) {
        ok = err_set(err, ERR_AGAIN, "another process uses the spool %s", dir);
        close(opened);
    }
    if (ok)
        *fd = opened;
    free(path);
    return ok;
}

static bool read_number(const char *name, const char *ending, uint64_t *number)
{
    uint64_t v = 0;

    for (size_t i = 0; i < NUMBER_DIGITS; i++) {
        const char *digits = "0123456789abcdef", *found = name[i] != '\0' ? strchr(digits, name[i]) : NULL;

        if (found == NULL)
            return false;
        v = v << 4 | (uint64_t)(found - digits);
    }
    *number = v;
    return strcmp(name + NUMBER_DIGITS, ending) == 0;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

bool spool_dir_open(const char *dir, int *fd, struct err *err)
{
    return file_make_dir(dir, 0700, err) && sync_parent(dir, err) && lock(dir, fd, err);
}

bool spool_dir_list(const char *dir, const char *ending, struct spool_numbers *n, struct err *err)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;
    uint64_t number;

    if (d == NULL)
        return err_set(err, ERR_IO, "open %s: %s", dir, strerror(errno));
    while ((entry = readdir(d)) != NULL) {
        if (!read_number(entry->d_name, ending, &number))
            continue;
        n->list = mem_grow(n->list, n->count + 1, sizeof *n->list);
        n->list[n->count++] = number;
    }
    closedir(d);
    if (n->count > 0)
        qsort(n->list, n->count, sizeof *n->list, compare);
    return true;
}

#include "api/tree_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/mem.h"

#define WRITE_BYTES (64 * KIB)

struct record { struct tree_key key; struct hash leaf; };

struct tree_file {
    int fd;
    uint64_t count;
    size_t levels;
    uint64_t at[TREE_DEPTH_MAX + 1], width[TREE_DEPTH_MAX + 1];      /* at[0] is 0: records */
    uint64_t written;
    struct buf pending;                       /* not yet written */
};

bool tree_file_new(const char *dir, struct tree_file **file, struct err *err)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    struct tree_file *f;

    if (fd < 0)
        return err_set(err, ERR_IO, "a file for a tree in %s: %s", dir, strerror(errno));
    f = mem_new(sizeof *f);
    f->fd = fd;
    buf_init_max(&f->pending, 2 * WRITE_BYTES);
    *file = f;
    return true;
}

void tree_file_free(struct tree_file *f)
{
    if (f == NULL)
        return;
    buf_clear(&f->pending);
    close(f->fd);
    free(f);
}

uint64_t tree_file_count(const struct tree_file *f)
{
    return f->count;
}

static bool flush(struct tree_file *f, struct err *err)
{
    size_t done = 0;

    while (done < f->pending.len) {
        ssize_t n = pwrite(f->fd, f->pending.data + done, f->pending.len - done, (off_t)f->written);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(err, ERR_IO, "writing a tree: %s", n < 0 ? strerror(errno) : "no room");
        done += (size_t)n;
        f->written += (uint64_t)n;
    }
    buf_reset(&f->pending);
    return true;
}

static bool append(struct tree_file *f, const void *bytes, size_t len, struct err *err)
{
    if (!buf_add(&f->pending, bytes, len))
        return err_set(err, ERR_LIMIT, "no memory to write a tree");
    return f->pending.len < WRITE_BYTES || flush(f, err);
}

static bool get(const struct tree_file *f, uint64_t at, void *bytes, size_t len, struct err *err)
{
    ssize_t n;

    do
        n = pread(f->fd, bytes, len, (off_t)at);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)len || err_set(err, ERR_IO, "reading a tree: %s", n < 0 ? strerror(errno) : "cut short");
}

bool tree_file_add(struct tree_file *f, const struct tree_key *key, struct hash leaf, struct err *err)
{
    const struct record record = { *key, leaf };

    f->count++;
    return append(f, &record, sizeof record, err);
}

static bool get_node(const struct tree_file *f, size_t level, uint64_t index, struct hash *node, struct err *err)
{
    return level == 0 ? get(f, index * sizeof(struct record) + offsetof(struct record, leaf), node, sizeof *node, err)
                      : get(f, f->at[level] + index * sizeof *node, node, sizeof *node, err);
}

static struct hash join(struct hash a, struct hash b)
{
    const struct proof one = { .path = { b }, .len = 1 };

    return tree_fold(a, &one);
}

static bool build_level(struct tree_file *f, size_t below, struct err *err)
{
    struct hash pair[2];

    for (uint64_t i = 0; i < f->width[below]; i += 2) {
        bool two = i + 1 < f->width[below];

        if (!get_node(f, below, i, &pair[0], err) || (two && !get_node(f, below, i + 1, &pair[1], err)))
            return false;
        if (two)
            pair[0] = join(pair[0], pair[1]);
        if (!append(f, &pair[0], sizeof pair[0], err))
            return false;
    }
    return flush(f, err);
}

bool tree_file_end(struct tree_file *f, struct err *err)
{
    if (!flush(f, err))
        return false;
    f->width[0] = f->count;
    for (f->levels = 1; f->width[f->levels - 1] > 1; f->levels++) {
        size_t top = f->levels;

        f->at[top] = f->written;
        f->width[top] = (f->width[top - 1] + 1) / 2;
        if (!build_level(f, top - 1, err))
            return false;
    }
    buf_clear(&f->pending);
    return true;
}

bool tree_file_find(const struct tree_file *f, const struct tree_key *key, uint64_t *index, bool *found, struct err *err)
{
    uint64_t low = 0, high = f->count;
    struct tree_key at;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (!get(f, middle * sizeof(struct record), &at, sizeof at, err))
            return false;
        if (memcmp(at.b, key->b, TREE_KEY) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = false;
    if (low == f->count)
        return true;
    if (!get(f, low * sizeof(struct record), &at, sizeof at, err))
        return false;
    *found = memcmp(at.b, key->b, TREE_KEY) == 0;
    *index = low;
    return true;
}

bool tree_file_prove(const struct tree_file *f, uint64_t index, struct proof *proof, struct err *err)
{
    size_t len = 0;

    for (size_t level = 0; level + 1 < f->levels; level++, index /= 2) {
        uint64_t sibling = index ^ 1;

        if (sibling >= f->width[level])       /* the odd last node: it has none */
            continue;
        if (!get_node(f, level, sibling, &proof->path[len], err))
            return false;
        len++;
    }
    proof->len = len;
    return true;
}

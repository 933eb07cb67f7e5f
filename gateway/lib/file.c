#include "gateway/lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/mem.h"

#define SECRET_MAX ((size_t)4096)
#define TEMPORARY_TRIES 1000
#define OUT_MODE 0644
#define READ_STEP ((size_t)65536)

struct file_out {
    FILE *stream;
    char *path, *temporary;      /* owned */
    uint64_t added, begun;       /* bytes; of those, on their way to the disk */
};

static bool io_error(struct err *err, const char *what, const char *path)
{
    return err_set(err, ERR_IO, "%s %s: %s", what, path, strerror(errno));
}

static int open_to_read(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "open %s: %s", path, strerror(errno));
    return fd;
}

static bool read_all(int fd, const char *path, size_t max, struct buf *out, struct err *err)
{
    uint8_t step[READ_STEP];
    size_t had = out->len;
    bool had_failed = out->failed, ok = false;

    for (;;) {
        ssize_t got = read(fd, step, sizeof step);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            io_error(err, "read", path);
            break;
        }
        if (got == 0) {
            ok = true;
            break;
        }
        if (out->len - had + (size_t)got > max || !buf_add(out, step, (size_t)got)) {
            err_set(err, ERR_LIMIT, "%s is longer than %zu bytes", path, max);
            break;
        }
    }
    mem_wipe(step, sizeof step);
    if (!ok) {
        out->len = had;
        out->failed = had_failed;
        if (out->data != NULL)
            out->data[had] = '\0';
    }
    return ok;
}

bool file_read(const char *path, size_t max, struct buf *out, struct err *err)
{
    int fd = open_to_read(path, err);
    bool ok;

    if (fd < 0)
        return false;
    ok = read_all(fd, path, max, out, err);
    close(fd);
    return ok;
}

bool file_read_secret(const char *path, struct buf *out, struct err *err)
{
    int fd = open_to_read(path, err);
    struct stat st;
    bool ok = false;

    if (fd < 0)
        return false;
    /* fstat on the open file: the one that was judged is the one that is read. */
    if (fstat(fd, &st) != 0) {
        io_error(err, "stat", path);
        goto out;
    }
    if ((st.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) != 0) {
        err_set(err, ERR_CONFIG, "%s holds a secret and others may open it: chmod 600 %s", path, path);
        goto out;
    }
    /* All room at once: a growing buffer would leave parts of the secret in freed memory. */
    if (buf_extend(out, SECRET_MAX) == NULL) {
        err_set(err, ERR_LIMIT, "no room for the secret in %s", path);
        goto out;
    }
    out->len -= SECRET_MAX;
    out->data[out->len] = '\0';
    if (!read_all(fd, path, SECRET_MAX, out, err))
        goto out;
    while (out->len > 0 && (out->data[out->len - 1] == '\n' || out->data[out->len - 1] == '\r'))
        out->data[--out->len] = '\0';
    ok = true;
out:
    close(fd);
    return ok;
}

/* Opens a new file beside path; *name is owned by the caller then.  Its name is new even when a crash left one with
 * the same process number behind; open() rather than mkstemp(), so that the umask counts. */
static int open_temporary(const char *path, unsigned mode, char **name, struct err *err)
{
    static atomic_uint next;
    struct buf text;
    int fd = -1;

    buf_init(&text);
    for (int i = 0; i < TEMPORARY_TRIES && fd < 0; i++) {
        buf_reset(&text);
        buf_printf(&text, "%s.tmp.%ld.%u", path, (long)getpid(), atomic_fetch_add(&next, 1));
        fd = open(buf_text(&text), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    if (fd < 0)
        io_error(err, "create", buf_text(&text));
    else
        *name = mem_text(buf_text(&text));
    buf_clear(&text);
    return fd;
}

/* The folder's part of path with its slash; owned by the caller. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? mem_text_n(path, (size_t)(slash - path) + 1) : mem_text("./");
}

/* A rename is only durable once the folder is. */
static bool sync_folder(const char *path, struct err *err)
{
    char *folder = folder_of(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (!ok)
        io_error(err, "sync", folder);
    if (fd >= 0)
        close(fd);
    free(folder);
    return ok;
}

bool file_begin_mode(const char *path, unsigned mode, struct file_out **out, struct err *err)
{
    struct file_out *f;
    char *temporary;
    int fd = open_temporary(path, mode, &temporary, err);

    if (fd < 0)
        return false;
    f = mem_new(sizeof *f);
    *f = (struct file_out){ .stream = fdopen(fd, "w"), .path = mem_text(path), .temporary = temporary };
    if (f->stream == NULL)
        bug("fdopen %s: %s", path, strerror(errno));
    *out = f;
    return true;
}

bool file_begin(const char *path, struct file_out **out, struct err *err)
{
    return file_begin_mode(path, OUT_MODE, out, err);
}

void file_send_step(int fd, uint64_t from, uint64_t to)
{
    uint64_t before = from < FILE_STEP ? from : FILE_STEP;

    (void)sync_file_range(fd, (off64_t)from, (off64_t)(to - from), SYNC_FILE_RANGE_WRITE);
    if (before > 0)
        (void)sync_file_range(fd, (off64_t)(from - before), (off64_t)before, SYNC_FILE_RANGE_WAIT_BEFORE);
}

static bool send_step(struct file_out *f, struct err *err)
{
    if (fflush(f->stream) != 0)
        return io_error(err, "write", f->temporary);
    file_send_step(fileno(f->stream), f->begun, f->added);
    f->begun = f->added;
    return true;
}

bool file_add(struct file_out *f, const void *bytes, size_t len, struct err *err)
{
    if (len > 0 && fwrite(bytes, 1, len, f->stream) != len)      /* C17 7.1.4: not even zero bytes of NULL */
        return io_error(err, "write", f->temporary);
    f->added += len;
    return f->added - f->begun < FILE_STEP || send_step(f, err);
}

static void free_out(struct file_out *f)
{
    free(f->path);
    free(f->temporary);
    free(f);
}

bool file_commit_free(struct file_out *owned, struct err *err)
{
    bool ok = fflush(owned->stream) == 0 && fsync(fileno(owned->stream)) == 0;

    if (!ok)
        io_error(err, "write", owned->temporary);
    if (fclose(owned->stream) != 0 && ok)
        ok = io_error(err, "write", owned->temporary);
    if (ok && rename(owned->temporary, owned->path) != 0)
        ok = io_error(err, "rename to", owned->path);
    if (!ok)
        unlink(owned->temporary);
    ok = ok && sync_folder(owned->path, err);
    free_out(owned);
    return ok;
}

void file_abandon_free(struct file_out *owned)
{
    if (owned == NULL)
        return;
    fclose(owned->stream);
    unlink(owned->temporary);
    free_out(owned);
}

bool file_write(const char *path, const void *bytes, size_t len, unsigned mode, struct err *err)
{
    struct file_out *f;

    if (!file_begin_mode(path, mode, &f, err))
        return false;
    setvbuf(f->stream, NULL, _IONBF, 0);      /* whole already; and a secret leaves no copy in stdio's buffer */
    if (!file_add(f, bytes, len, err)) {
        file_abandon_free(f);
        return false;
    }
    return file_commit_free(f, err);
}

static bool make_one_dir(const char *path, unsigned mode, struct err *err)
{
    struct stat st;

    if (mkdir(path, (mode_t)mode) == 0)
        return true;
    if (errno != EEXIST)
        return io_error(err, "make folder", path);
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return err_set(err, ERR_IO, "make folder %s: there is a file of that name", path);
    return true;
}

bool file_make_dir(const char *path, unsigned mode, struct err *err)
{
    char *part = mem_text(path);
    bool ok = true;

    for (char *at = part + 1; part[0] != '\0' && ok && (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        ok = make_one_dir(part, mode, err);
        *at = '/';
    }
    ok = ok && make_one_dir(part, mode, err);
    free(part);
    return ok;
}

bool file_exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

char *file_beside(const char *base_file, const char *relative)
{
    char *folder, *path;
    size_t len;

    if (relative[0] == '/' || strchr(base_file, '/') == NULL)
        return mem_text(relative);
    folder = folder_of(base_file);
    len = strlen(folder);
    path = mem_new(len + strlen(relative) + 1);
    memcpy(path, folder, len);
    memcpy(path + len, relative, strlen(relative));
    free(folder);
    return path;
}

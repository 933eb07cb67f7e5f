#include "gateway/node/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "gateway/core/word.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"

#define FILE_BYTES_MAX (256 * MIB)
#define HAS_SIGNATURE 1u
#define HAS_CONSUMER_SIGNATURE 2u

/* ---- records ---- */

void segment_encode(const struct signed_receipt *r, uint8_t record[SEGMENT_RECORD])
{
    uint8_t *at = record;
    struct hash check;

    memset(record, 0, SEGMENT_RECORD);
    *at++ = (uint8_t)((r->has_signature ? HAS_SIGNATURE : 0) | (r->has_consumer_signature ? HAS_CONSUMER_SIGNATURE : 0));
    receipt_pack(&r->receipt, at);
    at += RECEIPT_PACKED;
    if (r->has_signature)
        memcpy(at, r->signature.b, sizeof r->signature.b);
    at += sizeof r->signature.b;
    if (r->has_consumer_signature)
        memcpy(at, r->consumer_signature.b, sizeof r->consumer_signature.b);
    at += sizeof r->consumer_signature.b;
    check = sha256(record, (size_t)(at - record));
    memcpy(at, check.b, SEGMENT_CHECK_BYTES);
}

static bool is_record(const uint8_t record[SEGMENT_RECORD])
{
    struct hash check = sha256(record, SEGMENT_RECORD - SEGMENT_CHECK_BYTES);

    return memcmp(check.b, record + SEGMENT_RECORD - SEGMENT_CHECK_BYTES, SEGMENT_CHECK_BYTES) == 0;
}

bool segment_decode(const uint8_t record[SEGMENT_RECORD], struct signed_receipt *r)
{
    const uint8_t *signatures = record + 1 + RECEIPT_PACKED;

    if (!is_record(record))
        return false;
    memset(r, 0, sizeof *r);
    receipt_unpack(record + 1, &r->receipt);
    r->has_signature = (record[0] & HAS_SIGNATURE) != 0;
    r->has_consumer_signature = (record[0] & HAS_CONSUMER_SIGNATURE) != 0;
    memcpy(r->signature.b, signatures, sizeof r->signature.b);
    memcpy(r->consumer_signature.b, signatures + sizeof r->signature.b, sizeof r->consumer_signature.b);
    return true;
}

/* ---- files ---- */

enum part { PART_RECORDS, PART_RELEASED, PART_DAMAGED };

/* The caller frees. */
static char *path_of(const char *dir, uint64_t number, enum part part)
{
    static const char *const endings[] = { [PART_RECORDS] = "spool", [PART_RELEASED] = "released", [PART_DAMAGED] = "damaged" };
    size_t size = strlen(dir) + 32;
    char *path = mem_new(size);

    snprintf(path, size, "%s/%016" PRIx64 ".%s", dir, number, endings[part]);
    return path;
}

static bool io_error(const char *what, const char *path, struct err *err)
{
    return err_set(err, ERR_IO, "%s %s: %s", what, path, strerror(errno));
}

/* A file's name is only durable once its folder is. */
static bool sync_dir(const char *dir, struct err *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (!ok)
        io_error("sync", dir, err);
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool write_all(int fd, const void *bytes, size_t len, const char *path, struct err *err)
{
    const uint8_t *at = bytes;

    while (len > 0) {
        ssize_t wrote = write(fd, at, len);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return io_error("write", path, err);
        at += wrote;
        len -= (size_t)wrote;
    }
    return fdatasync(fd) == 0 || io_error("sync", path, err);
}

static struct segment *make(uint64_t number)
{
    struct segment *s = mem_new(sizeof *s);

    s->number = number;
    s->fd = -1;
    buf_init_max(&s->memory, FILE_BYTES_MAX);
    return s;
}

void segment_free(struct segment *segment)
{
    if (segment == NULL)
        return;
    if (segment->fd >= 0)
        close(segment->fd);
    buf_clear(&segment->memory);
    free(segment->state);
    free(segment);
}

bool segment_new(const char *dir, uint64_t number, struct segment **segment, struct err *err)
{
    struct segment *s = make(number);
    char *path;
    bool ok;

    if (dir == NULL) {
        *segment = s;
        return true;
    }
    path = path_of(dir, number, PART_RECORDS);
    s->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    ok = s->fd >= 0 || io_error("create", path, err);
    ok = ok && write_all(s->fd, SEGMENT_MAGIC, SEGMENT_MAGIC_BYTES, path, err) && sync_dir(dir, err);
    free(path);
    if (ok)
        *segment = s;
    else
        segment_free(s);
    return ok;
}

static bool cut(const char *path, uint64_t len, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = (fd >= 0 && ftruncate(fd, (off_t)len) == 0 && fsync(fd) == 0) || io_error("cut", path, err);

    if (fd >= 0)
        close(fd);
    return ok;
}

static void count_more(struct segment *s, size_t more)
{
    size_t count = s->count + more;

    if (count > s->capacity) {
        s->capacity = count > 2 * s->capacity ? count : 2 * s->capacity;
        s->state = mem_grow(s->state, s->capacity, sizeof *s->state);
    }
    memset(s->state + s->count, RECORD_WAITING, more);
    s->count = count;
    s->waiting += more;
}

static void mark_released(struct segment *s, size_t index)
{
    s->waiting--;
    s->released++;
    s->state[index] = RECORD_RELEASED;
}

/* Where the last good record ends; what lies damaged before it counts as done with, for it cannot be sent. */
static size_t find_records(struct segment *s, const struct buf *file, uint64_t *damaged)
{
    size_t end = 0;

    if (file->len < SEGMENT_MAGIC_BYTES || memcmp(file->data, SEGMENT_MAGIC, SEGMENT_MAGIC_BYTES) != 0)
        return 0;
    end = SEGMENT_MAGIC_BYTES;
    for (size_t at = end; file->len - at >= SEGMENT_RECORD; at += SEGMENT_RECORD) {
        if (!is_record(file->data + at))
            continue;
        for (; end < at; end += SEGMENT_RECORD, (*damaged)++) {
            count_more(s, 1);
            mark_released(s, s->count - 1);
        }
        count_more(s, 1);
        end = at + SEGMENT_RECORD;
    }
    return end;
}

static bool load_records(struct segment *s, const char *dir, bool last, struct segment_faults *faults, struct err *err)
{
    char *path = path_of(dir, s->number, PART_RECORDS), *kept = path_of(dir, s->number, PART_DAMAGED);
    uint64_t damaged = 0;
    struct buf file;
    size_t end = 0;
    bool ok;

    buf_init_max(&file, FILE_BYTES_MAX);
    ok = file_read(path, FILE_BYTES_MAX, &file, err);
    if (ok)
        end = find_records(s, &file, &damaged);
    if (ok && end < file.len && !last)
        damaged += (file.len - end + SEGMENT_RECORD - 1) / SEGMENT_RECORD;
    if (ok && damaged > 0)
        ok = link(path, kept) == 0 || errno == EEXIST || io_error("link", kept, err);
    if (ok && end < file.len && last) {
        faults->torn_bytes += file.len - end;
        ok = cut(path, end, err);
    }
    faults->damaged += damaged;
    buf_clear(&file);
    free(path);
    free(kept);
    return ok;
}

/* Entries after one that is none are worth nothing: what they release is sent again, and answered as a duplicate. */
static bool load_released(struct segment *s, const char *dir, struct err *err)
{
    char *path = path_of(dir, s->number, PART_RELEASED);
    struct buf file;
    size_t good = 0;
    bool ok = true;

    buf_init_max(&file, FILE_BYTES_MAX);
    ok = !file_exists(path) || file_read(path, FILE_BYTES_MAX, &file, err);
    for (; ok && file.len - good >= SEGMENT_RELEASE_BYTES; good += SEGMENT_RELEASE_BYTES) {
        uint64_t entry = be64_get(file.data + good);
        uint32_t index = (uint32_t)(entry >> 32);

        if ((uint32_t)entry != ~index || index >= s->count)
            break;
        if (s->state[index] != RECORD_RELEASED)
            mark_released(s, index);
    }
    if (ok && good < file.len)
        ok = cut(path, good, err);
    buf_clear(&file);
    free(path);
    return ok;
}

bool segment_load(const char *dir, uint64_t number, bool last, struct segment **segment, struct segment_faults *faults, struct err *err)
{
    struct segment *s = make(number);
    bool ok = load_records(s, dir, last, faults, err) && load_released(s, dir, err);

    s->sealed = true;
    if (ok)
        *segment = s;
    else
        segment_free(s);
    return ok;
}

/* ---- while it is used ---- */

bool segment_write(struct segment *s, const char *dir, const struct buf *records, struct err *err)
{
    char *path;
    bool ok;

    if (dir == NULL)
        return true;
    path = path_of(dir, s->number, PART_RECORDS);
    ok = write_all(s->fd, records->data, records->len, path, err);
    free(path);
    return ok;
}

void segment_admit(struct segment *s, const char *dir, const struct buf *records)
{
    if (dir == NULL && !buf_add(&s->memory, records->data, records->len))
        bug("a segment in memory is over its bound");
    count_more(s, records->len / SEGMENT_RECORD);
}

bool segment_read(const struct segment *s, const char *dir, size_t index, size_t count, uint8_t *records, struct err *err)
{
    size_t len = count * SEGMENT_RECORD, done = 0;
    off_t from = (off_t)(SEGMENT_MAGIC_BYTES + index * SEGMENT_RECORD);
    char *path;
    int fd;

    if (dir == NULL) {
        memcpy(records, s->memory.data + index * SEGMENT_RECORD, len);
        return true;
    }
    path = path_of(dir, s->number, PART_RECORDS);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && done < len) {
        ssize_t got = pread(fd, records + done, len - done, from + (off_t)done);

        if (got == 0)
            errno = ENODATA;
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        done += got > 0 ? (size_t)got : 0;
    }
    if (done < len)
        io_error("read", path, err);
    if (fd >= 0)
        close(fd);
    free(path);
    return done == len;
}

bool segment_release(const struct segment *s, const char *dir, const uint32_t *indices, size_t count, struct err *err)
{
    uint8_t *entries;
    char *path;
    int fd;
    bool ok;

    if (dir == NULL)
        return true;
    entries = mem_array(count, SEGMENT_RELEASE_BYTES);
    path = path_of(dir, s->number, PART_RELEASED);
    for (size_t i = 0; i < count; i++)
        be64_put(entries + i * SEGMENT_RELEASE_BYTES, (uint64_t)indices[i] << 32 | (uint32_t)~indices[i]);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    /* Its name may be lost with the machine's power: then these are sent again, which does no harm. */
    ok = (fd >= 0 || io_error("open", path, err)) && write_all(fd, entries, count * SEGMENT_RELEASE_BYTES, path, err);
    if (fd >= 0)
        close(fd);
    free(path);
    free(entries);
    return ok;
}

bool segment_remove_files(const struct segment *s, const char *dir, struct err *err)
{
    bool ok = true;

    /* Records first: a crash between the two must not leave them without what says that they are done. */
    for (enum part part = PART_RECORDS; dir != NULL && ok && part <= PART_RELEASED; part++) {
        char *path = path_of(dir, s->number, part);

        ok = unlink(path) == 0 || errno == ENOENT || io_error("remove", path, err);
        free(path);
    }
    return ok;
}

uint64_t segment_bytes(const struct segment *s)
{
    return SEGMENT_MAGIC_BYTES + (uint64_t)s->count * SEGMENT_RECORD;
}

#include "gateway/lib/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#define ZLIB_CONST      /* next_in points to const */
#include <zlib.h>
#include <zstd.h>

#include "gateway/base/mem.h"
#include "gateway/lib/file.h"

#define STEP ((size_t)65536)
#define ZSTD_LEVEL 3               /* five million lines in 12 s; level 10 takes 100 s and saves a fiftieth */
#define ZSTD_LEVEL_SEALED 1
#define ZSTD_LEVEL_FAST 1          /* on the way in */
#define GZIP_ONLY (16 + MAX_WBITS) /* 16: the gzip header is demanded (zlib.h, inflateInit2) */

/* Takes back what was added: outputs change only on success. */
static bool undo(struct buf *out, size_t had)
{
    out->len = had;
    out->failed = false;
    if (out->data != NULL)
        out->data[had] = '\0';
    return false;
}

/* Adds to out what was unpacked; ERR_LIMIT when that is more than max in all. */
static bool add_unpacked(struct buf *out, size_t had, size_t max, const uint8_t *bytes, size_t len, struct err *err)
{
    if (out->len - had + len > max || !buf_add(out, bytes, len))
        return err_set(err, ERR_LIMIT, "unpacked it is longer than %zu bytes", max);
    return true;
}

static bool inflate_all(z_stream *z, size_t had, size_t max, struct buf *out, struct err *err)
{
    uint8_t step[STEP];
    int status;

    do {
        z->next_out = step;
        z->avail_out = (uInt)sizeof step;
        status = inflate(z, Z_NO_FLUSH);
        /* Z_BUF_ERROR: the input ended before the member did. */
        if (status != Z_OK && status != Z_STREAM_END)
            return err_set(err, ERR_INVALID, "damaged gzip: %s", z->msg != NULL ? z->msg : "it ends too early");
        if (!add_unpacked(out, had, max, step, sizeof step - z->avail_out, err))
            return false;
    } while (status != Z_STREAM_END);
    if (z->avail_in > 0)
        return err_set(err, ERR_INVALID, "damaged gzip: something follows the first member");
    return true;
}

bool gunzip(const void *bytes, size_t len, size_t max, struct buf *out, struct err *err)
{
    z_stream z = { .next_in = bytes, .avail_in = (uInt)len };
    size_t had = out->len;
    bool ok;

    if (len > UINT_MAX)
        return err_set(err, ERR_LIMIT, "gzip of %zu bytes", len);
    if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
        bug("zlib does not start");
    ok = inflate_all(&z, had, max, out, err);
    inflateEnd(&z);
    return ok || undo(out, had);
}

static bool pack(const void *bytes, size_t len, int level, struct buf *out, struct err *err)
{
    size_t had = out->len, bound = ZSTD_compressBound(len), packed;
    uint8_t *room = buf_extend(out, bound);

    if (room == NULL) {
        undo(out, had);
        return err_set(err, ERR_LIMIT, "no room to pack %zu bytes", len);
    }
    packed = ZSTD_compress(room, bound, bytes, len, level);
    if (ZSTD_isError(packed)) {
        undo(out, had);
        return err_set(err, ERR_BUG, "zstd: %s", ZSTD_getErrorName(packed));
    }
    out->len = had + packed;
    out->data[out->len] = '\0';
    return true;
}

bool zstd_pack(const void *bytes, size_t len, struct buf *out, struct err *err)
{
    return pack(bytes, len, ZSTD_LEVEL, out, err);
}

bool zstd_pack_fast(const void *bytes, size_t len, struct buf *out, struct err *err)
{
    return pack(bytes, len, ZSTD_LEVEL_FAST, out, err);
}

static bool unpack_all(ZSTD_DStream *stream, ZSTD_inBuffer *in, size_t had, size_t max, struct buf *out,
                       struct err *err)
{
    uint8_t step[STEP];
    size_t left;

    do {
        ZSTD_outBuffer to = { step, sizeof step, 0 };

        left = ZSTD_decompressStream(stream, &to, in);
        if (ZSTD_isError(left))
            return err_set(err, ERR_INVALID, "damaged zstd: %s", ZSTD_getErrorName(left));
        if (!add_unpacked(out, had, max, step, to.pos, err))
            return false;
        if (left != 0 && in->pos == in->size && to.pos < to.size)
            return err_set(err, ERR_INVALID, "damaged zstd: it ends too early");
    } while (left != 0);
    if (in->pos < in->size)
        return err_set(err, ERR_INVALID, "damaged zstd: something follows the first frame");
    return true;
}

bool zstd_unpack(const void *bytes, size_t len, size_t max, struct buf *out, struct err *err)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    ZSTD_inBuffer in = { bytes, len, 0 };
    size_t had = out->len;
    bool ok;

    if (stream == NULL)
        bug("out of memory");
    ok = unpack_all(stream, &in, had, max, out, err);
    ZSTD_freeDStream(stream);
    return ok || undo(out, had);
}

/* One step of the input through the compressor into the file; the last one ends the frame. */
static bool pack_step(ZSTD_CStream *stream, const uint8_t *bytes, size_t len, bool last, struct file_out *to,
                      struct err *err)
{
    uint8_t packed[STEP];
    ZSTD_inBuffer in = { bytes, len, 0 };
    size_t left;

    do {
        ZSTD_outBuffer out = { packed, sizeof packed, 0 };

        left = ZSTD_compressStream2(stream, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return err_set(err, ERR_BUG, "zstd: %s", ZSTD_getErrorName(left));
        if (!file_add(to, packed, out.pos, err))
            return false;
    } while (last ? left != 0 : in.pos < in.size);
    return true;
}

static bool pack_stream(int fd, const char *from, int level, struct file_out *to, struct err *err)
{
    ZSTD_CStream *stream = ZSTD_createCStream();
    uint8_t step[STEP];
    bool ok = false, last = false;

    if (stream == NULL)
        bug("out of memory");
    ZSTD_CCtx_setParameter(stream, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(stream, ZSTD_c_checksumFlag, 1);
    while (!last) {
        ssize_t got = read(fd, step, sizeof step);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            err_set(err, ERR_IO, "read %s: %s", from, strerror(errno));
            goto out;
        }
        last = got == 0;
        if (!pack_step(stream, step, (size_t)got, last, to, err))
            goto out;
    }
    ok = true;
out:
    ZSTD_freeCStream(stream);
    return ok;
}

static bool pack_file(const char *from, const char *to, int level, struct err *err)
{
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    struct file_out *out;
    bool ok;

    if (fd < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "open %s: %s", from, strerror(errno));
    ok = file_begin(to, &out, err);
    if (ok && !pack_stream(fd, from, level, out, err)) {
        file_abandon_free(out);
        ok = false;
    } else if (ok)
        ok = file_commit_free(out, err);
    close(fd);
    return ok;
}

bool zstd_pack_file(const char *from, const char *to, struct err *err)
{
    return pack_file(from, to, ZSTD_LEVEL, err);
}

bool zstd_pack_sealed_file(const char *from, const char *to, struct err *err)
{
    return pack_file(from, to, ZSTD_LEVEL_SEALED, err);
}

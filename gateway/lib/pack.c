#include "gateway/lib/pack.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST      /* next_in points to const */
#include <zlib.h>
#include <zstd.h>

#include "gateway/base/mem.h"

#define STEP ((size_t)65536)
#define ZSTD_LEVEL 3               /* five million lines in 12 s; level 10 takes 100 s and saves a fiftieth */
#define ZSTD_LEVEL_SEALED 1
#define ZSTD_LEVEL_FAST (-1)       /* on the way in: as small as level 1 makes receipts, for two thirds of its time */
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

/* A thread's own, for its life: to make one costs more than to pack or unpack what comes in.  Each is made when first wanted. */
struct of_thread { ZSTD_CCtx *packs; ZSTD_DCtx *unpacks; };
static pthread_key_t of_thread;
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void free_contexts(void *self)
{
    struct of_thread *contexts = self;

    ZSTD_freeCCtx(contexts->packs);
    ZSTD_freeDCtx(contexts->unpacks);
    free(contexts);
}

static void make_key(void)
{
    if (pthread_key_create(&of_thread, free_contexts) != 0)
        bug("no room for what a thread keeps");
}

static struct of_thread *contexts_of_thread(void)
{
    struct of_thread *contexts;

    pthread_once(&made, make_key);
    contexts = pthread_getspecific(of_thread);
    if (contexts == NULL) {
        contexts = mem_new(sizeof *contexts);
        if (pthread_setspecific(of_thread, contexts) != 0)
            bug("out of memory");
    }
    return contexts;
}

static ZSTD_CCtx *packs_new(void)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();

    if (context == NULL)
        bug("out of memory");
    return context;
}

static ZSTD_DCtx *unpacks_new(void)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();

    if (context == NULL)
        bug("out of memory");
    return context;
}

static ZSTD_CCtx *packs_of_thread(void)
{
    struct of_thread *contexts = contexts_of_thread();

    if (contexts->packs == NULL)
        contexts->packs = packs_new();
    return contexts->packs;
}

/* Whatever was left of a frame that ended too early is forgotten. */
static ZSTD_DCtx *unpacks_of_thread(void)
{
    struct of_thread *contexts = contexts_of_thread();

    if (contexts->unpacks == NULL)
        contexts->unpacks = unpacks_new();
    ZSTD_DCtx_reset(contexts->unpacks, ZSTD_reset_session_only);
    return contexts->unpacks;
}

/* level 0: that of the context, as are its other parameters. */
static bool pack(ZSTD_CCtx *context, const void *bytes, size_t len, int level, struct buf *out, struct err *err)
{
    size_t had = out->len, bound = ZSTD_compressBound(len), packed;
    uint8_t *room = buf_extend(out, bound);

    if (room == NULL) {
        undo(out, had);
        return err_set(err, ERR_LIMIT, "no room to pack %zu bytes", len);
    }
    packed = level == 0 ? ZSTD_compress2(context, room, bound, bytes, len) : ZSTD_compressCCtx(context, room, bound, bytes, len, level);
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
    return pack(packs_of_thread(), bytes, len, ZSTD_LEVEL, out, err);
}

bool zstd_pack_fast(const void *bytes, size_t len, struct buf *out, struct err *err)
{
    return pack(packs_of_thread(), bytes, len, ZSTD_LEVEL_FAST, out, err);
}

static bool unpack_all(ZSTD_DCtx *context, ZSTD_inBuffer *in, size_t had, size_t max, struct buf *out, struct err *err)
{
    uint8_t step[STEP];
    size_t left;

    do {
        ZSTD_outBuffer to = { step, sizeof step, 0 };

        left = ZSTD_decompressStream(context, &to, in);
        if (ZSTD_isError(left))
            return err_set(err, ERR_INVALID, "damaged zstd: %s", ZSTD_getErrorName(left));
        if (!add_unpacked(out, had, max, step, to.pos, err))
            return false;
        if (left != 0 && in->pos == in->size && to.pos < to.size)
            return err_set(err, ERR_INVALID, "damaged zstd: it ends too early");
    } while (left != 0 || in->pos < in->size);
    return true;
}

bool zstd_unpack(const void *bytes, size_t len, size_t max, struct buf *out, struct err *err)
{
    ZSTD_inBuffer in = { bytes, len, 0 };
    size_t had = out->len;

    return unpack_all(unpacks_of_thread(), &in, had, max, out, err) || undo(out, had);
}

struct zstd_packer { ZSTD_CCtx *context; };

struct zstd_packer *zstd_packer_new(bool sealed)
{
    struct zstd_packer *packer = mem_new(sizeof *packer);

    packer->context = packs_new();
    ZSTD_CCtx_setParameter(packer->context, ZSTD_c_compressionLevel, sealed ? ZSTD_LEVEL_SEALED : ZSTD_LEVEL);
    ZSTD_CCtx_setParameter(packer->context, ZSTD_c_checksumFlag, 1);
    return packer;
}

void zstd_packer_free(struct zstd_packer *packer)
{
    if (packer == NULL)
        return;
    ZSTD_freeCCtx(packer->context);
    free(packer);
}

bool zstd_packer_frame(struct zstd_packer *packer, const void *bytes, size_t len, struct buf *out, struct err *err)
{
    return pack(packer->context, bytes, len, 0, out, err);
}

struct zstd_reader { ZSTD_DCtx *context; };

struct zstd_reader *zstd_reader_new(void)
{
    struct zstd_reader *reader = mem_new(sizeof *reader);

    reader->context = unpacks_new();
    return reader;
}

void zstd_reader_free(struct zstd_reader *reader)
{
    ZSTD_freeDCtx(reader->context);
    free(reader);
}

bool zstd_reader_add(struct zstd_reader *reader, const void *bytes, size_t len, zstd_take *take, void *self, struct err *err)
{
    ZSTD_inBuffer in = { bytes, len, 0 };
    uint8_t step[STEP];
    ZSTD_outBuffer to;

    do {
        size_t left;

        to = (ZSTD_outBuffer){ step, sizeof step, 0 };
        left = ZSTD_decompressStream(reader->context, &to, &in);
        if (ZSTD_isError(left))
            return err_set(err, ERR_INVALID, "damaged zstd: %s", ZSTD_getErrorName(left));
        take(self, step, to.pos);
    } while (in.pos < in.size || to.pos == to.size);
    return true;
}

/* gateway/lib/pack.h - the only door to zlib (gzip bodies) and libzstd (archives). */
#ifndef QUITTANCE_LIB_PACK_H
#define QUITTANCE_LIB_PACK_H

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

/* All append to out.  Unpacks one gzip member, never more than max bytes: ERR_LIMIT beyond it, ERR_INVALID when
 * damaged. */
MUST_USE bool gunzip(const void *bytes, size_t len, size_t max, struct buf *out, struct err *err);
MUST_USE bool zstd_pack(const void *bytes, size_t len, struct buf *out, struct err *err);
MUST_USE bool zstd_pack_fast(const void *bytes, size_t len, struct buf *out, struct err *err);
/* All frames there are. */
MUST_USE bool zstd_unpack(const void *bytes, size_t len, size_t max, struct buf *out, struct err *err);
/* Many frames with a checksum each, one after another: together they are a file that unpacks as one (RFC 8878, 3), and each
 * unpacks alone.  sealed: bytes that no effort makes smaller than base64 can be, packed sixteen times as fast. */
struct zstd_packer;
struct zstd_packer *zstd_packer_new(bool sealed);
void zstd_packer_free(struct zstd_packer *packer);
MUST_USE bool zstd_packer_frame(struct zstd_packer *packer, const void *bytes, size_t len, struct buf *out, struct err *err);
/* Unpacks a stream of them piece by piece; each piece of plain bytes goes to take. */
struct zstd_reader;
struct zstd_reader *zstd_reader_new(void);
void zstd_reader_free(struct zstd_reader *reader);
typedef void zstd_take(void *self, const uint8_t *bytes, size_t len);
MUST_USE bool zstd_reader_add(struct zstd_reader *reader, const void *bytes, size_t len, zstd_take *take, void *self, struct err *err);

#endif

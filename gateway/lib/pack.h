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
MUST_USE bool zstd_unpack(const void *bytes, size_t len, size_t max, struct buf *out, struct err *err);
/* Packs a file into another, streaming. */
MUST_USE bool zstd_pack_file(const char *from, const char *to, struct err *err);
/* The same for sealed bytes, that no effort makes smaller than base64 can be: sixteen times as fast. */
MUST_USE bool zstd_pack_sealed_file(const char *from, const char *to, struct err *err);

#endif

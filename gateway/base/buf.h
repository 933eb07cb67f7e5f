/* gateway/base/buf.h - growable bytes with a cap.
 *
 * A buffer that would pass its cap, or that finds no memory, becomes `failed` and takes nothing more; callers check
 * once at the end.  Contents are always followed by a zero byte, so data may be printed as text. */
#ifndef QUITTANCE_BASE_BUF_H
#define QUITTANCE_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *data;        /* owned; NULL while empty */
    size_t len, capacity;
    size_t max;           /* cap on len */
    bool failed;
};

#define BUF_DEFAULT_MAX ((size_t)64 * 1024 * 1024)

void buf_init(struct buf *b);                       /* allocates nothing; cap BUF_DEFAULT_MAX */
void buf_init_max(struct buf *b, size_t max);
void buf_clear(struct buf *b);                      /* frees the contents; usable again */
void buf_wipe(struct buf *b);                       /* overwrites, then frees: for secrets */
void buf_reset(struct buf *b);                      /* len 0, memory kept */
bool buf_add(struct buf *b, const void *bytes, size_t len);
bool buf_add_byte(struct buf *b, uint8_t byte);
bool buf_add_zeros(struct buf *b, size_t count);
bool buf_add_text(struct buf *b, const char *text);
bool buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for len more bytes, for what is then added in small pieces; false: failed. */
bool buf_reserve(struct buf *b, size_t len);
/* Room for len more bytes at the end, uninitialised, already counted; NULL when failed. */
uint8_t *buf_extend(struct buf *b, size_t len);
const char *buf_text(const struct buf *b);          /* borrowed; "" while empty */

#endif

/* gateway/lib/box.h - the door to libsodium's secretbox (XSalsa20-Poly1305), and to its base64.
 *
 * A key and a nonce together seal one text, ever: two of them would give away their difference. */
#ifndef QUITTANCE_LIB_BOX_H
#define QUITTANCE_LIB_BOX_H

#include "gateway/base/buf.h"
#include "gateway/base/types.h"

#define BOX_OVERHEAD ((size_t)16)
struct box_nonce { uint8_t b[24]; };

/* Appends len + BOX_OVERHEAD bytes to out. */
void box_seal(const struct hash *key, const struct box_nonce *nonce, const void *plain, size_t len, struct buf *out);
/* Appends what was sealed.  False: another key or nonce, or a changed box; out is as it was. */
MUST_USE bool box_open(const struct hash *key, const struct box_nonce *nonce, const void *box, size_t len, struct buf *out);

/* RFC 4648 section 4, with padding. */
void base64_add(const void *bytes, size_t len, struct buf *text);
/* Appends the bytes.  Nothing but the alphabet is taken, no spaces, no bits left over; false: out is as it was. */
MUST_USE bool base64_read(const char *text, size_t len, struct buf *out);

#endif

/* gateway/base/hex.h - strict hex, in and out, and UUID text.
 *
 * Out: lower case with 0x.  In: 0x, any case, exactly the length that is asked for (design 2).  EIP-55 checksum
 * casing needs Keccak and so lives in gateway/lib/address_text.h. */
#ifndef QUITTANCE_BASE_HEX_H
#define QUITTANCE_BASE_HEX_H

#include "gateway/base/types.h"

/* Writes "0x", 2*len digits and a zero byte: text must hold 2*len + 3. */
void hex_encode(const uint8_t *bytes, size_t len, char *text);
/* The same without 0x: text must hold 2*len + 1. */
void hex_encode_bare(const uint8_t *bytes, size_t len, char *text);
/* text is 0x and exactly 2*len digits; anything else is false. */
MUST_USE bool hex_decode(const char *text, size_t text_len, uint8_t *bytes, size_t len);
MUST_USE bool hex_decode_bare(const char *text, size_t text_len, uint8_t *bytes, size_t len);

#define HASH_TEXT 67           /* 0x, 64 digits, zero byte */
#define ADDRESS_TEXT 43
#define JOB_ID_TEXT 37
#define SIGNATURE_TEXT 133

void hash_to_text(struct hash h, char text[HASH_TEXT]);
MUST_USE bool hash_from_text(const char *text, size_t len, struct hash *h);
MUST_USE bool address_from_text(const char *text, size_t len, struct address *a);
void signature_to_text(const struct signature *s, char text[SIGNATURE_TEXT]);
/* 36 characters with dashes at their places; in any case, out in lower case; version and variant are not judged. */
void job_id_to_text(struct job_id id, char text[JOB_ID_TEXT]);
MUST_USE bool job_id_from_text(const char *text, size_t len, struct job_id *id);

#endif

/* gateway/core/seal.h - archive lines that only parties can read (design 6, `disclosure = parties`).
 *
 * receipt -> {type:"sealed", leaf, box, wrap}.  leaf (0x hex): of the receipts tree, so that its root is still computed by
 *     anybody.  box (base64): libsodium secretbox of the receipt line's JSON under the line's key, nonce 24 zero bytes.
 *     wrap (base64): secretbox of the line's key under the settlement's key, nonce the leaf's first 24 bytes: a key of 32
 *     bytes is then enough for an auditor, and the secret alone for a gateway whose store is lost.
 * bundle -> {type:"sealed-bundle", box}.  box (base64): 24 bytes of nonce, then secretbox of the bundle line's JSON under
 *     the settlement's key.  A bundle tells whose jobs it holds, and its leaves confirm a receipt that is guessed.
 * consumer -> {type:"sealed-consumer", box}, as a bundle: who the customers are is not everybody's business.
 *
 * Every receipt line is padded with spaces to SEAL_RECEIPT_TEXT bytes, the others to a multiple of SEAL_STEP:
 * else the length of a box would tell how many digits the counts have, and whether the consumer signed. */
#ifndef QUITTANCE_CORE_SEAL_H
#define QUITTANCE_CORE_SEAL_H

#include "gateway/core/archive.h"

#define SEAL_RECEIPT_TEXT ((size_t)1184)      /* the longest receipt line that can be has 1161 */
#define SEAL_STEP ((size_t)1024)

/* HMAC-SHA256(secret, "line" || jobId || provider): opens one receipt's line, given to its parties. */
struct hash seal_line_key(const uint8_t secret[32], struct job_id job_id, struct address provider);
/* HMAC-SHA256(secret, "settlement" || sequence as 8 bytes, highest first): opens all lines of an archive. */
struct hash seal_settlement_key(const uint8_t secret[32], uint64_t sequence);

/* In place.  A receipt line becomes a sealed one with this leaf, a consumer or bundle line a sealed one of its kind. */
MUST_USE bool seal_receipt(struct archive_line *line, struct hash leaf, struct hash line_key, struct hash settlement_key,
                           struct err *err);
MUST_USE bool seal_row(struct archive_line *line, struct hash settlement_key, struct err *err);

/* In place: a sealed line becomes what was sealed, others stay.  *opened false: the key is another line's. ERR_INVALID:
 * the key fits, but what it opens is no such line. */
MUST_USE bool seal_open(struct archive_line *line, struct hash settlement_key, bool *opened, struct err *err);
MUST_USE bool seal_open_line(struct archive_line *line, struct hash line_key, bool *opened, struct err *err);

#endif

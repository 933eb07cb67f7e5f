/* gateway/lib/emit.h - JSON objects written straight into a buffer, for answers to thousands of receipts: a tree of values takes
 * ten times the work and the room of its text.
 *
 * The bytes are those that json_write gives.  A member follows "{" or another member, the comma is put where it is due; braces
 * and brackets are the caller's.  Names are literals without anything to escape; texts of others go through emit_text. */
#ifndef QUITTANCE_LIB_EMIT_H
#define QUITTANCE_LIB_EMIT_H

#include "gateway/lib/json.h"

void emit_comma(struct buf *out);                            /* unless it stands behind "{", "[" or nothing */
void emit_name(struct buf *out, const char *name);           /* "name": */
void emit_u64(struct buf *out, const char *name, uint64_t v);
void emit_word(struct buf *out, const char *name, const char *word);      /* of letters and dashes, from a table of ours */
void emit_text(struct buf *out, const char *name, const char *text);      /* any */
void emit_hash(struct buf *out, const char *name, struct hash h);
void emit_hashes(struct buf *out, const char *name, const struct hash *list, size_t count);
void emit_address(struct buf *out, const char *name, struct address a);
void emit_job_id(struct buf *out, const char *name, struct job_id id);
void emit_amount(struct buf *out, const char *name, struct amount a);
void emit_signature(struct buf *out, const char *name, const struct signature *s);
void emit_json(struct buf *out, const char *name, json *owned);

#endif

/* gateway/core/fast.h - JSON objects of one known spelling, read without a tree of values.
 *
 * Millions of lines look all alike: members in one order, no blanks, no escapes.  These take exactly that; anything else is
 * false and left to the full reader, which also finds the words for what is wrong.  So they never accept what that one
 * refuses, and give the same values.  After false the cursor may stand anywhere, but with fast_name. */
#ifndef QUITTANCE_CORE_FAST_H
#define QUITTANCE_CORE_FAST_H

#include "gateway/core/receipt.h"

struct fast { const char *at, *end; };

/* Here, so that a literal of one byte is a comparison of one byte. */
static inline bool fast_text(struct fast *c, const char *text, size_t len)
{
    if ((size_t)(c->end - c->at) < len || memcmp(c->at, text, len) != 0)
        return false;
    c->at += len;
    return true;
}
#define FAST(c, literal) fast_text((c), (literal), sizeof(literal) - 1)
bool fast_name(struct fast *c, const char *name);            /* ,"name": or false and nothing taken */
void fast_blanks(struct fast *c);                            /* any number of them, for readers that allow them */
bool fast_field(struct fast *c, const struct receipt_field *f, struct receipt *r);       /* a value of its kind */
bool fast_hex(struct fast *c, uint8_t *bytes, size_t len);   /* "0x..." */
bool fast_number(struct fast *c, uint64_t *number);          /* below 10^18 */
bool fast_amount(struct fast *c, struct amount *amount);
/* All 13 fields, in the order of the type; before stands what precedes the first one's name: "{" or ",". */
bool fast_receipt(struct fast *c, const char *before, struct receipt *r);
bool fast_signatures(struct fast *c, struct signed_receipt *r);      /* those that are there */

#endif

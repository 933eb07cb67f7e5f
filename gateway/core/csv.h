/* gateway/core/csv.h - comma-separated values (RFC 4180), a row at a time, and cells as we write them.
 *
 * Lines end LF or CRLF, the last one with or without; a cell in quotes may hold commas, line ends and doubled quotes.  A cell is
 * borrowed: it stays until the next row is read. */
#ifndef QUITTANCE_CORE_CSV_H
#define QUITTANCE_CORE_CSV_H

#include "gateway/base/buf.h"
#include "gateway/base/types.h"

#define CSV_CELLS_MAX 64u                     /* of one row */

struct csv_cell { const char *text; size_t len; };      /* a zero byte follows it */
struct csv {
    const char *at, *end;
    size_t number;                            /* of the row, from 1 */
    size_t count;
    struct csv_cell cell[CSV_CELLS_MAX];
    struct buf text;                          /* owned: what the cells borrow */
};
void csv_init(struct csv *csv, const void *bytes, size_t len);           /* borrows them */
void csv_clear(struct csv *csv);
/* *row false: no more.  ERR_INVALID names the row and the rule. */
MUST_USE bool csv_next(struct csv *csv, bool *row, struct err *err);
/* Where the column stands in the row just read; CSV_CELLS_MAX: nowhere. */
size_t csv_column(const struct csv *csv, const char *name);

/* Always in quotes.  It may be somebody's words: a program that opens the file shall not take them for a formula, so what could be one
 * gets a single quote before it. */
void csv_add_text(struct buf *out, const char *text, size_t len);

#endif

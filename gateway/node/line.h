/* gateway/node/line.h - receipts as lines of JSON, in and out, as the node's commands pipe them to each other. */
#ifndef QUITTANCE_NODE_LINE_H
#define QUITTANCE_NODE_LINE_H

#include "gateway/core/receipt.h"

#define LINE_BYTES_MAX 8192

/* The object receipt_to_json() makes, without a tree of values in between, and a newline. */
void line_write(const struct signed_receipt *r, struct buf *out);
/* text without its newline.  ERR_INVALID names the member and the rule. */
MUST_USE bool line_read(const char *text, size_t len, struct signed_receipt *r, struct err *err);

/* Lines of a file descriptor as they come.  Blank ones are skipped and still numbered. */
struct lines;
struct lines *lines_new(int fd);
void lines_free(struct lines *lines);
enum lines_next {
    LINES_LINE,               /* *text, *len: borrowed until the next call */
    LINES_TOO_LONG,           /* the line was over LINE_BYTES_MAX and is skipped */
    LINES_NOTHING,            /* nothing within wait_ms, or a signal came */
    LINES_END,
    LINES_FAILED              /* errno tells */
};
enum lines_next lines_next(struct lines *lines, unsigned wait_ms, const char **text, size_t *len);
uint64_t lines_number(const struct lines *lines);          /* of the line given last, from 1 */

#endif

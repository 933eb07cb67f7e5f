#include "api/range.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "api/problem.h"

/* Digits of text into *number; *text moves behind them.  Too large a number is the largest: it lies beyond any file. */
static bool read_number(const char **text, uint64_t *number)
{
    const char *start = *text;
    uint64_t n = 0;

    for (; **text >= '0' && **text <= '9'; (*text)++)
        n = n > (UINT64_MAX - 9) / 10 ? UINT64_MAX : n * 10 + (uint64_t)(**text - '0');
    *number = n;
    return *text > start;
}

enum range { RANGE_NONE, RANGE_PART, RANGE_BEYOND };

/* "bytes=0-99", "bytes=100-", "bytes=-100" */
static enum range read_range(const char *text, uint64_t size, uint64_t *from, uint64_t *len)
{
    uint64_t first, last;

    if (strncasecmp(text, "bytes=", 6) != 0)
        return RANGE_NONE;
    text += 6 + strspn(text + 6, " ");
    if (*text == '-') {
        text++;
        if (!read_number(&text, &last) || text[strspn(text, " ")] != '\0')
            return RANGE_NONE;
        *len = last < size ? last : size;
        *from = size - *len;
        return *len > 0 ? RANGE_PART : RANGE_BEYOND;
    }
    if (!read_number(&text, &first) || *text++ != '-')
        return RANGE_NONE;
    if (!read_number(&text, &last))
        last = UINT64_MAX;
    if (last < first || text[strspn(text, " ")] != '\0')
        return RANGE_NONE;
    if (first >= size)
        return RANGE_BEYOND;
    *from = first;
    *len = (last < size ? last + 1 : size) - first;
    return RANGE_PART;
}

void range_apply(const struct request *req, const char *etag, struct reply *reply)
{
    uint64_t size = reply_file_size(reply), from = 0, len = 0;
    const char *if_range = req->header.if_range;

    reply_header(reply, "Accept-Ranges", "bytes");
    /* Only GET has ranges; of If-Range a date is never equal, as there is no Last-Modified. */
    if (req->header.range == NULL || req->head || (if_range != NULL && strcmp(if_range, etag) != 0))
        return;
    switch (read_range(req->header.range, size, &from, &len)) {
    case RANGE_NONE:
        return;
    case RANGE_PART:
        reply->status = 206;
        reply->part_at = from;
        reply->part_size = len;
        reply_header(reply, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from, from + len - 1, size);
        return;
    case RANGE_BEYOND:
        problem(reply, 416, "range-not-satisfiable", "The file has %" PRIu64 " bytes.", size);
        reply_header(reply, "Content-Range", "bytes */%" PRIu64, size);
        return;
    }
    bug("range");
}

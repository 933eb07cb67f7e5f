/* api/reply.h - what a handler answers: a status, a body in memory or a file, a few headers. */
#ifndef QUITTANCE_API_REPLY_H
#define QUITTANCE_API_REPLY_H

#include <sys/types.h>

#include "api/events.h"
#include "gateway/base/buf.h"
#include "gateway/base/err.h"
#include "gateway/lib/json.h"

#define REPLY_HEADERS_MAX 8

struct reply_header { const char *name; char value[160]; };
struct reply {
    const char *instance;                     /* the path asked for: a member of problems; kept by reply_clear */
    int status;
    const char *content_type;                 /* a literal; NULL: no body */
    struct buf body;
    /* Instead of body: a file, into which `insert` is put at a place; owned, -1: none. */
    int file;
    uint64_t file_size, insert_at;
    const char *insert;                       /* a literal, or NULL */
    uint64_t part_at, part_size;              /* of file and insert together: all that is sent; size 0: everything */
    struct listener *listener;                /* instead of both: events as they happen; owned, NULL: none */
    bool cached;                              /* reply_cache or reply_tag was asked; else nothing may be kept */
    size_t header_count;
    struct reply_header *header;              /* REPLY_HEADERS_MAX from the first on; owned, NULL: none */
};

void reply_init(struct reply *reply);
void reply_clear(struct reply *reply);        /* also closes the file; ready for another answer */
void reply_header(struct reply *reply, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
void reply_json(struct reply *reply, int status, json *owned);
void reply_empty(struct reply *reply, int status);
/* Sends the file, with 200; false: there is none, and the reply is as it was. */
bool reply_open(struct reply *reply, const char *path);
void reply_close(struct reply *reply);        /* no file after all */
uint64_t reply_file_size(const struct reply *reply);              /* of what is sent */
/* Bytes of what is sent, from `at` on; below 1: the file cannot be read. */
ssize_t reply_read_file(const struct reply *reply, uint64_t at, char *to, size_t max);
/* ETag and Cache-Control: kept for ever where it never changes, else asked for again each time. */
void reply_cache(struct reply *reply, const char *etag, bool immutable);
/* For what changes with every receipt and may be one reader's alone: an ETag of the body's bytes, to be asked for again each time;
 * 304 where the reader has them. */
void reply_tag(struct reply *reply, const char *if_none_match);
/* When If-None-Match names the etag: turns the reply into 304 and returns true. */
bool reply_not_modified(struct reply *reply, const char *if_none_match, const char *etag);

#endif

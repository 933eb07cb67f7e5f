#include "api/reply.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/lib/crypt.h"

void reply_init(struct reply *reply)
{
    *reply = (struct reply){ .instance = "", .status = 500, .file = -1 };
    buf_init_max(&reply->body, (size_t)512 * 1024 * 1024);
}

void reply_clear(struct reply *reply)
{
    const char *instance = reply->instance;

    buf_clear(&reply->body);
    free(reply->header);
    reply_close(reply);
    listener_free(reply->listener);
    reply_init(reply);
    reply->instance = instance;
}

void reply_header(struct reply *reply, const char *name, const char *format, ...)
{
    struct reply_header *header;
    va_list args;

    if (reply->header_count == REPLY_HEADERS_MAX)
        bug("too many headers for %s", name);
    if (reply->header == NULL)
        reply->header = mem_array(REPLY_HEADERS_MAX, sizeof *reply->header);
    header = &reply->header[reply->header_count++];
    header->name = name;
    va_start(args, format);
    vsnprintf(header->value, sizeof header->value, format, args);
    va_end(args);
}

void reply_json(struct reply *reply, int status, json *owned)
{
    reply->status = status;
    reply->content_type = "application/json";
    buf_reset(&reply->body);
    json_write(owned, &reply->body);
    json_free(owned);
}

void reply_empty(struct reply *reply, int status)
{
    buf_reset(&reply->body);
    reply->content_type = NULL;
    reply->status = status;
}

bool reply_open(struct reply *reply, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return false;
    }
    reply->file = fd;
    reply->file_size = (uint64_t)st.st_size;
    reply->status = 200;
    return true;
}

void reply_close(struct reply *reply)
{
    if (reply->file >= 0)
        close(reply->file);
    reply->file = -1;
}

uint64_t reply_file_size(const struct reply *reply)
{
    if (reply->part_size > 0)
        return reply->part_size;
    return reply->file_size + (reply->insert != NULL ? strlen(reply->insert) : 0);
}

ssize_t reply_read_file(const struct reply *reply, uint64_t at, char *to, size_t max)
{
    uint64_t insert = reply->insert != NULL ? strlen(reply->insert) : 0, end = reply->insert_at + insert;

    at += reply->part_at;
    if (reply->part_size > 0 && max > reply->part_at + reply->part_size - at)
        max = (size_t)(reply->part_at + reply->part_size - at);
    if (insert == 0 || at >= end)
        return pread(reply->file, to, max, (off_t)(at - insert));
    if (at < reply->insert_at) {
        uint64_t left = reply->insert_at - at;

        return pread(reply->file, to, max < left ? max : (size_t)left, (off_t)at);
    }
    max = max < end - at ? max : (size_t)(end - at);
    memcpy(to, reply->insert + (at - reply->insert_at), max);
    return (ssize_t)max;
}

void reply_cache(struct reply *reply, const char *etag, bool immutable)
{
    reply->cached = true;
    reply_header(reply, "ETag", "%s", etag);
    reply_header(reply, "Cache-Control", "%s", immutable ? "public, max-age=31536000, immutable" : "public, no-cache");
}

bool reply_not_modified(struct reply *reply, const char *if_none_match, const char *etag)
{
    /* An entity tag stands in quotes, so finding it inside the list is exact (RFC 9110 section 13.1.2). */
    if (if_none_match == NULL || (strcmp(if_none_match, "*") != 0 && strstr(if_none_match, etag) == NULL))
        return false;
    reply_empty(reply, 304);
    return true;
}

void reply_tag(struct reply *reply, const char *if_none_match)
{
    struct hash digest = sha256(reply->body.data, reply->body.len);
    char etag[2 * sizeof digest.b + 3] = "\"";

    hex_encode_bare(digest.b, sizeof digest.b / 2, etag + 1);
    memcpy(etag + 1 + sizeof digest.b, "\"", 2);
    reply->cached = true;
    reply_header(reply, "ETag", "%s", etag);
    reply_header(reply, "Cache-Control", "private, no-cache");
    (void)reply_not_modified(reply, if_none_match, etag);
}

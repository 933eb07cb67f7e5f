#include "gateway/audit/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "chain/http.h"
#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/lib/pack.h"

#define ARCHIVE_MAX ((size_t)8 * 1024 * MIB)      /* unpacked, when it does not come from a plain file */
#define REWARDS_MAX ((size_t)1024 * MIB)
#define LINE_MAX_BYTES (256 * MIB)
#define READ_STEP (64 * KIB)
#define DOWNLOAD_MS 600000u

struct source {
    char *place;                   /* owned; without a slash at the end */
    struct http_client *http;      /* NULL: a folder */
    char query[sizeof "?contract=" + ADDRESS_TEXT];
};

static bool is_url(const char *place)
{
    return strncmp(place, "http://", 7) == 0 || strncmp(place, "https://", 8) == 0;
}

bool source_open(const char *place, struct source **source, struct err *err)
{
    size_t len = strlen(place);
    struct source *s;
    struct stat info;

    while (len > 1 && place[len - 1] == '/')
        len--;
    if (!is_url(place) && (stat(place, &info) != 0 || !S_ISDIR(info.st_mode)))
        return err_set(err, ERR_NOT_FOUND, "%s is neither a URL (http://...) nor a folder", place);
    s = mem_new(sizeof *s);
    s->place = mem_text_n(place, len);
    s->http = is_url(place) ? http_new() : NULL;
    *source = s;
    return true;
}

void source_of_contract(struct source *source, struct address contract)
{
    char text[ADDRESS_TEXT];

    address_to_text(contract, text);
    snprintf(source->query, sizeof source->query, "?contract=%s", text);
}

void source_free(struct source *source)
{
    if (source == NULL)
        return;
    http_free(source->http);
    free(source->place);
    free(source);
}

bool source_is_folder(const struct source *source)
{
    return source->http == NULL;
}

/* ---- bytes into lines and digest ---- */

struct splitter {
    struct sha256_stream *sha;
    struct buf partial;            /* of the line that the bytes so far ended in */
    source_line_fn *line;
    void *self;
};

static void splitter_init(struct splitter *s, source_line_fn *line, void *self)
{
    *s = (struct splitter){ .sha = sha256_new(), .line = line, .self = self };
    buf_init_max(&s->partial, LINE_MAX_BYTES);
}

static bool splitter_add(struct splitter *s, const uint8_t *bytes, size_t len, struct err *err)
{
    const uint8_t *end;

    if (len == 0)
        return true;
    sha256_add(s->sha, bytes, len);
    while ((end = memchr(bytes, '\n', len)) != NULL) {
        size_t part = (size_t)(end - bytes);

        /* json_read wants no copy of its own, but a line cut by two reads must be put together. */
        buf_add(&s->partial, bytes, part);
        if (s->partial.failed)
            return err_set(err, ERR_DIFFERS, "the archive has a line of over %zu bytes", LINE_MAX_BYTES);
        if (!s->line(s->self, buf_text(&s->partial), s->partial.len, err))
            return false;
        buf_reset(&s->partial);
        bytes += part + 1;
        len -= part + 1;
    }
    return buf_add(&s->partial, bytes, len)
        || err_set(err, ERR_DIFFERS, "the archive has a line of over %zu bytes", LINE_MAX_BYTES);
}

static bool splitter_end(struct splitter *s, bool ok, struct hash *digest, struct err *err)
{
    struct hash sum = sha256_finish_free(s->sha);

    if (ok && s->partial.len > 0)
        ok = s->line(s->self, buf_text(&s->partial), s->partial.len, err);
    buf_clear(&s->partial);
    if (ok)
        *digest = sum;
    return ok;
}

/* ---- where the bytes come from ---- */

static bool looks_zstd(const struct buf *b)
{
    return b->len >= 4 && memcmp(b->data, "\x28\xb5\x2f\xfd", 4) == 0;      /* RFC 8878, 3.1.1 */
}

/* Packed or not, the plain bytes; packed is emptied when it was. */
static bool unpack(struct buf *packed, size_t max, struct buf *plain, struct err *err)
{
    bool ok = true;

    if (looks_zstd(packed)) {
        ok = zstd_unpack(packed->data, packed->len, max, plain, err);
    } else {
        struct buf moved = *packed;

        *packed = *plain;
        *plain = moved;
    }
    buf_clear(packed);
    return ok;
}

static bool download(struct source *s, uint64_t sequence, const char *what, size_t max, struct buf *plain, struct err *err)
{
    char *url;
    struct http_answer answer = { 0 };
    struct http_request request = { .method = "GET", .headers = { "Accept-Encoding: zstd" }, .timeout_ms = DOWNLOAD_MS,
                                    .max_bytes = max };
    bool ok;

    if ((sequence == 0 ? asprintf(&url, "%s/v1/%s%s", s->place, what, s->query)
                       : asprintf(&url, "%s/v1/settlements/%" PRIu64 "/%s%s", s->place, sequence, what, s->query)) < 0)
        bug("no memory");
    request.url = url;
    ok = http_do(s->http, &request, &answer, err);
    if (!ok && err->code == ERR_UNKNOWN)
        err->code = ERR_AGAIN;             /* reading changes nothing: it may just be repeated */
    if (ok && answer.status != 200)
        ok = err_set(err, answer.status == 404 || answer.status == 410 ? ERR_NOT_FOUND : ERR_AGAIN, "%s answers %d", url,
                     answer.status);
    ok = ok && unpack(&answer.body, max, plain, err);
    http_answer_clear(&answer);
    free(url);
    return ok;
}

static char *file_path(const struct source *s, uint64_t sequence, const char *suffix)
{
    char *path;

    if (asprintf(&path, "%s/%" PRIu64 "%s", s->place, sequence, suffix) < 0)
        bug("no memory");
    return path;
}

/* The plain file, else the packed one beside it. */
static bool read_file(const struct source *s, uint64_t sequence, const char *suffix, size_t max, struct buf *plain, struct err *err)
{
    char *path = file_path(s, sequence, suffix), *packed_path = NULL;
    struct buf bytes;
    bool ok;

    if (asprintf(&packed_path, "%s.zst", path) < 0)
        bug("no memory");
    buf_init_max(&bytes, max);
    if (!file_exists(path) && file_exists(packed_path))
        ok = file_read(packed_path, max, &bytes, err);
    else
        ok = file_read(path, max, &bytes, err);
    ok = ok && unpack(&bytes, max, plain, err);
    buf_clear(&bytes);
    free(packed_path);
    free(path);
    return ok;
}

static bool split_plain_file(const char *path, struct splitter *splitter, struct err *err)
{
    FILE *f = fopen(path, "rbe");
    uint8_t *step;
    bool ok = true;
    size_t got;

    if (f == NULL)
        return err_set(err, ERR_IO, "open %s: %s", path, strerror(errno));
    step = mem_new(READ_STEP);
    while (ok && (got = fread(step, 1, READ_STEP, f)) > 0)
        ok = splitter_add(splitter, step, got, err);
    if (ok && ferror(f) != 0)
        ok = err_set(err, ERR_IO, "read %s: %s", path, strerror(errno));
    free(step);
    fclose(f);
    return ok;
}

bool source_archive(struct source *source, uint64_t sequence, source_line_fn *line, void *self, struct hash *digest, struct err *err)
{
    char *path = file_path(source, sequence, ".archive.ndjson");
    bool plain_file = source->http == NULL && file_exists(path);
    struct splitter splitter;
    struct buf plain;
    bool ok = true;

    buf_init_max(&plain, ARCHIVE_MAX);
    splitter_init(&splitter, line, self);
    if (plain_file)
        ok = split_plain_file(path, &splitter, err);
    else
        ok = (source->http != NULL ? download(source, sequence, "archive", ARCHIVE_MAX, &plain, err)
                                   : read_file(source, sequence, ".archive.ndjson", ARCHIVE_MAX, &plain, err))
          && splitter_add(&splitter, plain.data, plain.len, err);
    ok = splitter_end(&splitter, ok, digest, err);
    buf_clear(&plain);
    free(path);
    return ok;
}

bool source_rewards(struct source *source, uint64_t sequence, json **rewards, struct err *err)
{
    struct buf plain;
    bool ok;

    buf_init_max(&plain, REWARDS_MAX);
    ok = source->http != NULL ? download(source, sequence, "rewards.json", REWARDS_MAX, &plain, err)
                              : read_file(source, sequence, ".rewards.json", REWARDS_MAX, &plain, err);
    if (ok && !json_read(plain.data, plain.len, rewards, err)) {
        err->code = ERR_DIFFERS;
        ok = err_prefix(err, "settlement %" PRIu64 ": rewards.json", sequence);
    }
    buf_clear(&plain);
    return ok;
}

bool source_fetch(struct source *source, uint64_t sequence, const char *what, struct buf *plain, struct err *err)
{
    char suffix[32];

    buf_init_max(plain, ARCHIVE_MAX);
    if (source->http != NULL)
        return download(source, sequence, what, ARCHIVE_MAX, plain, err);
    snprintf(suffix, sizeof suffix, strcmp(what, "archive") == 0 ? ".%s.ndjson" : ".%s", what);
    return read_file(source, sequence, suffix, ARCHIVE_MAX, plain, err);
}

bool source_document(struct source *source, const char *path, const char *file, size_t max, struct buf *plain, struct err *err)
{
    char *name;
    bool ok;

    if (source->http != NULL)
        return download(source, 0, path, max, plain, err);
    if (asprintf(&name, "%s/%s", source->place, file) < 0)
        bug("no memory");
    ok = file_read(name, max, plain, err);
    free(name);
    return ok;
}

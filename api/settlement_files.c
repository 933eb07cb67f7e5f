/* The published files of a settlement: rewards.json and the archive, as they lie in [archive] dir (design 6). */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/range.h"
#include "gateway/base/hex.h"
#include "gateway/settle/archive.h"

/* Whether the contract knows it: its files are public from the commit on, also after a cancellation. */
static bool find_committed(struct request *req, struct settlement_row *s, struct reply *reply)
{
    struct err err = { 0 };
    uint64_t sequence;
    bool ok, found;
    struct db *db;

    if (!request_number(req, 0, &sequence, reply) || !api_begin(req->api, &db, reply))
        return false;
    ok = store_settlement_find(db, sequence, s, &found, &err);
    api_end(req->api, db);
    if (!ok)
        problem_from_err(reply, &err);
    else if (!found || !s->has_header)
        problem(reply, 404, "not-found", "No settlement of this sequence is committed.");
    return ok && found && s->has_header;
}

/* false: there is no such file. */
static bool open_file(const struct request *req, uint64_t sequence, const char *suffix, struct reply *reply)
{
    char path[ARCHIVE_PATH];

    archive_path(req->api->config->archive_dir, sequence, suffix, path, sizeof path);
    return reply_open(reply, path);
}

static void refuse_missing(struct reply *reply)
{
    problem(reply, 503, "try-again", "The file of this settlement is not in [archive] dir.");
    reply_header(reply, "Retry-After", "10");
}

static bool is_active(enum batch_state state)
{
    switch (state) {
    case BATCH_ACTIVE:
    case BATCH_DISTRIBUTED:
    case BATCH_FINAL:     return true;
    case BATCH_OPEN:
    case BATCH_CLOSED:
    case BATCH_PREPARED:
    case BATCH_COMMITTED:
    case BATCH_CANCELLED: return false;
    }
    bug("batch state %d", (int)state);
}

/* The file was written before anyone knew whether it would become active, so that member is put in on the way out:
 * behind `"metadata":{`, which stands in the first bytes. */
static bool insert_active(struct reply *reply, bool active)
{
    static const char mark[] = "\"metadata\":{";
    char head[512];
    ssize_t len = pread(reply->file, head, sizeof head, 0);
    const char *at = len > 0 ? memmem(head, (size_t)len, mark, sizeof mark - 1) : NULL;

    if (at == NULL)
        return false;
    reply->insert_at = (uint64_t)(at - head) + sizeof mark - 1;
    reply->insert = active ? "\"active\":true," : "\"active\":false,";
    return true;
}

void settlement_rewards(struct request *req, struct reply *reply)
{
    char root[HASH_TEXT], etag[HASH_TEXT + 16];
    struct settlement_row s;

    if (!find_committed(req, &s, reply))
        return;
    hash_to_text(s.content.rewards_root, root);
    snprintf(etag, sizeof etag, "\"%s-%s\"", root + 2, is_active(s.state) ? "active" : "pending");
    reply_cache(reply, etag, false);
    if (reply_not_modified(reply, req->header.if_none_match, etag))
        return;
    reply->content_type = "application/json";
    if (!open_file(req, s.sequence, ".rewards.json", reply) || !insert_active(reply, is_active(s.state)))
        refuse_missing(reply);
    else
        range_apply(req, etag, reply);
}

void settlement_archive(struct request *req, struct reply *reply)
{
    bool packed = header_has(req->header.accept_encoding, "zstd");
    char digest[HASH_TEXT], etag[HASH_TEXT + 16];
    struct settlement_row s;

    if (!find_committed(req, &s, reply))
        return;
    packed = packed && open_file(req, s.sequence, ".archive.ndjson.zst", reply);
    hash_to_text(s.content.archive, digest);
    snprintf(etag, sizeof etag, "\"%s%s\"", digest + 2, packed ? "-zstd" : "");
    /* The next contract has a settlement of this number too: only a URL that names the contract never changes. */
    reply_cache(reply, etag, request_query(req, "contract") != NULL);
    reply_header(reply, "Vary", "Accept-Encoding");
    if (packed)
        reply_header(reply, "Content-Encoding", "zstd");
    reply->content_type = "application/x-ndjson";
    if (reply_not_modified(reply, req->header.if_none_match, etag)) {
        reply_close(reply);
    } else if (!packed && !open_file(req, s.sequence, ".archive.ndjson", reply)) {
        refuse_missing(reply);
    } else {
        range_apply(req, etag, reply);
    }
}

/* Reference price lists: imported by an administrator, published with their files. */
#include <stdio.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/page.h"
#include "api/problem.h"
#include "api/range.h"
#include "api/reference_import.h"
#include "gateway/base/hex.h"
#include "gateway/core/archive.h"
#include "gateway/core/members.h"
#include "store/references.h"

/* -- import -- */

static json *draft_of_query(const struct request *req, struct err *err)
{
    const char *date = request_query(req, "date"), *price = request_query(req, "tokenPrice"), *models = request_query(req, "models");
    json *object, *list;

    if (!reference_models_from_text(models != NULL ? models : "", &list, err))
        return NULL;
    object = json_new_object();
    json_put_text(object, "date", date != NULL ? date : "");
    json_put_text(object, "tokenPrice", price != NULL ? price : "");
    json_put(object, "models", list);
    return object;
}

/* {csv, date, tokenPrice, models}: the list is taken out of it. */
static json *draft_of_json(const struct request *req, struct buf *csv, struct err *err)
{
    static const char *const names[] = { "csv", "date", "tokenPrice", "models" };
    const char *text;
    json *object;
    size_t len;

    if (!json_read(buf_text(&req->body), req->body.len, &object, err))
        return NULL;
    if (members_known(object, names, ARRAY_LEN(names), err)) {
        if (json_get_text(json_member(object, "csv"), &text, &len)) {
            buf_add(csv, text, len);
            return object;
        }
        err_set(err, ERR_INVALID, "csv: must be the text of the file");
    }
    json_free(object);
    return NULL;
}

static void import(struct request *req, const json *draft, const struct buf *csv, struct reply *reply)
{
    struct reference r = { 0 };
    struct err err = { 0 };
    bool same;

    if (!reference_from_draft(draft, &r, &err)) {
        problem(reply, 422, "malformed", "%s", err.text);
        return;
    }
    if (reference_import(req->api->writer, req->api->config->archive_dir, req->who, &r, csv, &same, &err))
        reply_json(reply, same ? 200 : 201, reference_to_json(&r));
    else
        problem_from_err(reply, &err);
    reference_clear(&r);
}

void reference_post(struct request *req, struct reply *reply)
{
    const char *type = req->header.content_type;
    bool is_csv = header_is_type(type, "text/csv");
    struct err err = { 0 };
    struct buf csv;
    json *draft;

    if (!is_csv && type != NULL && !header_is_type(type, "application/json")) {
        problem(reply, 415, "unsupported-media-type", "This path takes text/csv or application/json.");
        return;
    }
    buf_init_max(&csv, REFERENCE_CSV_MAX);
    draft = is_csv ? draft_of_query(req, &err) : draft_of_json(req, &csv, &err);
    if (is_csv)
        buf_add(&csv, req->body.data, req->body.len);
    if (draft == NULL)
        problem(reply, 422, "malformed", "%s", err.text);
    else if (csv.failed)
        problem(reply, 413, "too-large", "A list has at most %zu bytes.", REFERENCE_CSV_MAX);
    else
        import(req, draft, &csv, reply);
    json_free(draft);
    buf_clear(&csv);
}

/* -- publication -- */

static bool add_version(const char *dir, uint64_t version, struct page *page, struct err *err)
{
    struct reference r;
    json *terms;
    bool ok;

    if (!store_reference_read(dir, version, &r, err))
        return false;
    terms = reference_terms(&r);
    json_put_u64(terms, "recordedAt", r.recorded_at_ms);
    ok = page_add_numbered(page, version, terms);
    reference_clear(&r);
    return ok;
}

void references_get(struct request *req, struct reply *reply)
{
    const char *dir = req->api->config->archive_dir;
    struct err err = { 0 };
    struct page page;
    uint64_t version = store_reference_last(dir), after;
    bool ok = true;

    if (!page_begin(req, sizeof version, &page, reply))
        return;
    after = page_after_number(&page);
    if (page.has_after && after <= version)
        version = after > 0 ? after - 1 : 0;
    for (; ok && version > 0; version--)
        ok = add_version(dir, version, &page, &err);
    page_end(&page, ok, &err, reply);
}

static void reply_list(struct request *req, struct hash digest, struct reply *reply)
{
    char text[HASH_TEXT], etag[HASH_TEXT + 2], path[ARCHIVE_PATH];

    reference_file_path(req->api->config->archive_dir, digest, path, sizeof path);
    if (!reply_open(reply, path)) {
        problem(reply, 404, "not-found", "No reference list has this digest.");
        return;
    }
    hash_to_text(digest, text);
    snprintf(etag, sizeof etag, "\"%s\"", text + 2);
    reply->content_type = "text/csv; charset=utf-8; header=present";
    reply_cache(reply, etag, true);
    if (reply_not_modified(reply, req->header.if_none_match, etag))
        reply_close(reply);
    else
        range_apply(req, etag, reply);
}

static void reply_version(struct request *req, uint64_t version, struct reply *reply)
{
    struct reference r;
    struct err err = { 0 };

    if (store_reference_read(req->api->config->archive_dir, version, &r, &err)) {
        reply_json(reply, 200, reference_to_json(&r));
        reference_clear(&r);
    } else if (err.code == ERR_NOT_FOUND) {
        problem(reply, 404, "not-found", "No reference list has this version.");
    } else {
        problem_from_err(reply, &err);
    }
}

/* A digest names the file, a number what is pinned with one. */
void reference_get(struct request *req, struct reply *reply)
{
    struct hash digest;
    uint64_t version;

    if (hash_from_text(req->param[0], strlen(req->param[0]), &digest))
        reply_list(req, digest, reply);
    else if (request_number(req, 0, &version, reply))
        reply_version(req, version, reply);
}

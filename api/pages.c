/* The pages: files that the binary carries.  Everything is of this host, nothing inline: the policy says so. */
#include <string.h>

#include "api/assets.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "gateway/lib/pack.h"

#define POLICY "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

static const struct asset *find(const char *name)
{
    for (size_t i = 0; i < asset_count; i++)
        if (strcmp(assets[i].name, name) == 0)
            return &assets[i];
    return NULL;
}

static void answer(struct request *req, const struct asset *a, bool immutable, struct reply *reply)
{
    struct err err = { 0 };

    reply_cache(reply, a->etag, immutable);
    reply_header(reply, "Content-Security-Policy", "%s", POLICY);
    reply_header(reply, "Referrer-Policy", "no-referrer");
    reply_header(reply, "Vary", "Accept-Encoding");
    if (reply_not_modified(reply, req->header.if_none_match, a->etag))
        return;
    reply->status = 200;
    reply->content_type = a->type;
    if (header_has(req->header.accept_encoding, "gzip")) {
        buf_add(&reply->body, a->packed, a->packed_len);
        reply_header(reply, "Content-Encoding", "gzip");
    } else if (!gunzip(a->packed, a->packed_len, a->len, &reply->body, &err)) {
        problem_from_err(reply, &err);
    }
}

void page_shell(struct request *req, struct reply *reply)
{
    const struct asset *a = find("desk.html");

    if (a == NULL)
        bug("the binary carries no desk.html");
    answer(req, a, false, reply);
}

void page_asset(struct request *req, struct reply *reply)
{
    const struct asset *a = find(req->param[0]);

    if (a == NULL || strcmp(a->name, "desk.html") == 0)
        problem(reply, 404, "not-found", "There is no such file; a newer version may run: load the page again.");
    else
        answer(req, a, true, reply);
}

/* The pages: files that the binary carries.  Everything is of this host, nothing inline: the policy says so. */
#include <string.h>

#include "api/assets.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "gateway/lib/pack.h"

#define STRICT "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
/* Where proofs are checked the page may also ask the RPC endpoint that its reader names, which can be any.  It carries no script but
 * ours, reads what is public, and has no session: what an endpoint learns is what was asked of it. */
#define WITH_CHAIN STRICT "; connect-src 'self' http: https:"
/* A file that is saved carries its own policy, by the hashes of its script and style; a document cannot forbid its framing itself. */
#define WITHIN "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"

static const struct asset *find(const char *name)
{
    for (size_t i = 0; i < asset_count; i++)
        if (strcmp(assets[i].name, name) == 0)
            return &assets[i];
    return NULL;
}

static void answer(struct request *req, const struct asset *a, const char *policy, bool immutable, struct reply *reply)
{
    struct err err = { 0 };

    reply_cache(reply, a->etag, immutable);
    reply_header(reply, "Content-Security-Policy", "%s", policy);
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

static void answer_document(struct request *req, const char *name, const char *policy, struct reply *reply)
{
    const struct asset *a = find(name);

    if (a == NULL)
        bug("the binary carries no %s", name);
    answer(req, a, policy, false, reply);
}

void page_desk(struct request *req, struct reply *reply)
{
    answer_document(req, "desk.html", STRICT, reply);
}

void page_earner(struct request *req, struct reply *reply)
{
    answer_document(req, "earner.html", STRICT, reply);
}

void page_earner_chain(struct request *req, struct reply *reply)
{
    answer_document(req, "earner.html", WITH_CHAIN, reply);
}

void page_claim(struct request *req, struct reply *reply)
{
    answer_document(req, "claim.html", WITHIN, reply);
}

/* Documents have their own rows, and policies. */
static bool is_document(const struct asset *a)
{
    return strncmp(a->type, "text/html", strlen("text/html")) == 0;
}

void page_asset(struct request *req, struct reply *reply)
{
    const struct asset *a = find(req->param[0]);

    if (a == NULL || is_document(a))
        problem(reply, 404, "not-found", "There is no such file; a newer version may run: load the page again.");
    else
        answer(req, a, STRICT, true, reply);
}

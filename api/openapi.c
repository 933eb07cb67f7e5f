#include <stdio.h>

#include "api/handlers.h"
#include "gateway/base/hex.h"
#include "gateway/lib/crypt.h"

/* api/openapi.json as the linker carries it (Makefile). */
extern const char _binary_api_openapi_json_start[], _binary_api_openapi_json_end[];

void openapi_get(struct request *req, struct reply *reply)
{
    size_t len = (size_t)(_binary_api_openapi_json_end - _binary_api_openapi_json_start);
    struct hash digest = sha256(_binary_api_openapi_json_start, len);
    char text[33], etag[36];

    hex_encode_bare(digest.b, 16, text);
    snprintf(etag, sizeof etag, "\"%s\"", text);
    reply_cache(reply, etag, false);
    if (reply_not_modified(reply, req->header.if_none_match, etag))
        return;
    reply->status = 200;
    reply->content_type = "application/json";
    buf_add(&reply->body, _binary_api_openapi_json_start, len);
}

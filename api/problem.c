#include "api/problem.h"

#include <stdio.h>

#include "gateway/base/log.h"

#define DETAIL_MAX 600

const char *problem_title(int status)
{
    static const struct { int status; const char *title; } titles[] = {
        { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
        { 405, "Method Not Allowed" }, { 409, "Conflict" }, { 413, "Content Too Large" },
        { 415, "Unsupported Media Type" }, { 416, "Range Not Satisfiable" }, { 421, "Misdirected Request" }, { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" }, { 500, "Internal Server Error" }, { 503, "Service Unavailable" },
    };

    for (size_t i = 0; i < ARRAY_LEN(titles); i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

void problem_with(struct reply *reply, int status, const char *code, const char *detail, json *owned_extra)
{
    json *object = json_new_object();
    void *cursor = NULL;
    const json *value;
    const char *name;

    json_put_text(object, "type", "about:blank");     /* RFC 9457 section 4.2.1: the title is then the status phrase */
    json_put_text(object, "title", problem_title(status));
    json_put_u64(object, "status", (uint64_t)status);
    json_put_text(object, "code", code);
    json_put_text(object, "detail", detail);
    json_put_text(object, "instance", reply->instance);
    while (owned_extra != NULL && (name = json_next_member(owned_extra, &cursor, &value)) != NULL)
        json_put(object, name, json_share(value));
    json_free(owned_extra);
    reply_clear(reply);
    reply_json(reply, status, object);
    reply->content_type = "application/problem+json";
}

void problem(struct reply *reply, int status, const char *code, const char *format, ...)
{
    char detail[DETAIL_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    problem_with(reply, status, code, detail, NULL);
}

const char *err_code_name(enum err_code code)
{
    switch (code) {
    case ERR_NONE:      return "none";
    case ERR_BUG:       return "bug";
    case ERR_INVALID:   return "invalid";
    case ERR_NOT_FOUND: return "not-found";
    case ERR_CONFLICT:  return "conflict";
    case ERR_OVERFLOW:  return "overflow";
    case ERR_LIMIT:     return "too-many";
    case ERR_AUTH:      return "invalid-signature";
    case ERR_IO:        return "io";
    case ERR_STORE:     return "store";
    case ERR_AGAIN:     return "try-again";
    case ERR_UNKNOWN:   return "unknown-outcome";
    case ERR_CHAIN:     return "chain";
    case ERR_HALT:      return "halt";
    case ERR_CONFIG:    return "config";
    case ERR_USAGE:     return "usage";
    case ERR_DIFFERS:   return "differs";
    }
    bug("error code %d", (int)code);
}

static int err_status(enum err_code code)
{
    switch (code) {
    case ERR_INVALID:
    case ERR_OVERFLOW:
    case ERR_AUTH:      return 422;
    case ERR_NOT_FOUND: return 404;
    case ERR_CONFLICT:  return 409;
    case ERR_LIMIT:     return 429;
    case ERR_AGAIN:
    case ERR_STORE:
    case ERR_IO:
    case ERR_UNKNOWN:
    case ERR_CHAIN:     return 503;
    case ERR_NONE:
    case ERR_BUG:
    case ERR_HALT:
    case ERR_CONFIG:
    case ERR_USAGE:
    case ERR_DIFFERS:   return 500;
    }
    bug("error code %d", (int)code);
}

/* What went wrong inside may name files and statements: it goes to the log. */
static bool is_told(enum err_code code)
{
    return err_status(code) < 500 || code == ERR_AGAIN;
}

void problem_from_err(struct reply *reply, const struct err *err)
{
    int status = err_status(err->code);

    if (!is_told(err->code)) {
        log_event(LOG_WARN_LEVEL, "request_failed", KV_TEXT("code", err_code_name(err->code)),
                  KV_TEXT("error", err->text));
        problem(reply, status, err_code_name(err->code), "The request failed inside the gateway; its log tells why.");
    } else {
        problem(reply, status, err_code_name(err->code), "%s", err->text);
    }
    if (status == 503 || status == 429)
        reply_header(reply, "Retry-After", "%d", status == 429 ? 10 : 1);
}

void problem_busy(struct reply *reply)
{
    problem(reply, 503, "try-again", "The gateway is busy or stopping.");
    reply_header(reply, "Retry-After", "1");
}

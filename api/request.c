#include "api/request.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "api/problem.h"
#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/core/members.h"

void request_add_query(struct request *req, const char *name, const char *value)
{
    if (req->query_count == REQUEST_QUERY_MAX)
        return;
    if (req->query == NULL)
        req->query = mem_array(REQUEST_QUERY_MAX, sizeof *req->query);
    req->query[req->query_count++] = (struct query_pair){ name, value };
}

const char *request_query(const struct request *req, const char *name)
{
    for (size_t i = 0; i < req->query_count; i++)
        if (strcmp(req->query[i].name, name) == 0)
            return req->query[i].value != NULL ? req->query[i].value : "";
    return NULL;
}

bool request_flag(const struct request *req, const char *name)
{
    const char *value = request_query(req, name);

    return value != NULL && (*value == '\0' || strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
}

static size_t token_len(const char *text)
{
    size_t len = strcspn(text, ",;");

    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    return len;
}

/* Of "q=0", "q=0.", "q=0.000": refused; anything else takes part (RFC 9110 section 12.4.2). */
static bool is_refused(const char *item, size_t len)
{
    const char *q = memmem(item, len, "q=0", 3);

    if (q == NULL)
        return false;
    for (q += 3; q < item + len; q++)
        if (*q >= '1' && *q <= '9')
            return false;
    return true;
}

bool header_has(const char *header, const char *token)
{
    while (header != NULL && *header != '\0') {
        size_t item, len;

        header += strspn(header, " \t,");
        item = strcspn(header, ",");
        len = token_len(header);
        if (len == strlen(token) && strncasecmp(header, token, len) == 0 && !is_refused(header, item))
            return true;
        header += item;
    }
    return false;
}

bool header_is_type(const char *header, const char *type)
{
    if (header == NULL)
        return false;
    header += strspn(header, " \t");
    return token_len(header) == strlen(type) && strncasecmp(header, type, strlen(type)) == 0;
}

static bool bad_param(struct reply *reply, const char *rule, const char *given)
{
    problem(reply, 400, "malformed", "The path holds \"%.96s\" where %s is meant.", given, rule);
    return false;
}

bool request_address(const struct request *req, size_t param, struct address *a, struct reply *reply)
{
    const char *text = req->param[param];

    return address_from_text(text, strlen(text), a) || bad_param(reply, "an address of 0x and 40 hex digits", text);
}

bool request_job_id(const struct request *req, size_t param, struct job_id *id, struct reply *reply)
{
    const char *text = req->param[param];

    return job_id_from_text(text, strlen(text), id) || bad_param(reply, "a UUID of 36 characters", text);
}

bool request_hash(const struct request *req, size_t param, struct hash *h, struct reply *reply)
{
    const char *text = req->param[param];

    return hash_from_text(text, strlen(text), h) || bad_param(reply, "a digest of 0x and 64 hex digits", text);
}

bool request_number(const struct request *req, size_t param, uint64_t *n, struct reply *reply)
{
    const char *text = req->param[param];
    struct u256 v;
    uint64_t number;

    if (!u256_from_decimal(text, strlen(text), &v) || !u256_to_u64(v, &number) || number > INT64_MAX)
        return bad_param(reply, "a number", text);
    *n = number;
    return true;
}

bool request_json(const struct request *req, json **out, struct reply *reply)
{
    struct err err = { 0 };

    if (json_read(buf_text(&req->body), req->body.len, out, &err))
        return true;
    problem(reply, 400, "malformed", "%s", err.text);
    return false;
}

bool request_object(const struct request *req, const char *const *names, size_t count, json **out, struct reply *reply)
{
    struct err err = { 0 };
    json *object;

    if (req->body.len == 0) {
        *out = json_new_object();
        return true;
    }
    if (!request_json(req, &object, reply))
        return false;
    if (!members_known(object, names, count, &err)) {
        json_free(object);
        problem(reply, 422, "malformed", "%s", err.text);
        return false;
    }
    *out = object;
    return true;
}

bool request_read(const struct request *req, const char *const *names, size_t count, body_fn *read, void *into, struct reply *reply)
{
    struct err err = { 0 };
    json *object;
    bool ok;

    if (!request_object(req, names, count, &object, reply))
        return false;
    ok = read(object, into, &err);
    json_free(object);
    if (!ok)
        problem(reply, 422, "malformed", "%s", err.text);
    return ok;
}

#include "chain/rpc_parts.h"

#include <stdlib.h>

#include "chain/rpc_auth.h"
#include "gateway/base/mem.h"
#include "gateway/lib/crypt.h"

#define REVERT_MAX (64 * KIB)
#define DATA_NESTING_MAX 3      /* error.data.data..., as some clients wrap it */

/* ---- making one ---- */

/* "https://host:port" of "https://host:port/v3/APIKEY": what may be shown. */
static bool endpoint_init(struct rpc_endpoint *endpoint, const char *url, size_t len, struct err *err)
{
    size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;
    size_t host_end;

    if (scheme == 0 || scheme >= len)
        return err_set(err, ERR_CONFIG, "rpc: a URL begins with http:// or https:// and names a host");
    host_end = scheme + strcspn(url + scheme, "/?#,");
    if (host_end > len)
        host_end = len;
    if (memchr(url, '@', host_end) != NULL)
        return err_set(err, ERR_CONFIG, "rpc: no user or password in a URL: secrets come from files");
    endpoint->url = mem_text_n(url, len);
    endpoint->name = mem_text_n(url, host_end);
    endpoint->health.name = endpoint->name;
    return true;
}

static struct rpc_endpoint *endpoint_named(struct rpc *rpc, const char *name)
{
    for (size_t i = 0; i < rpc->endpoint_count; i++)
        if (strcmp(rpc->endpoints[i].name, name) == 0)
            return &rpc->endpoints[i];
    return NULL;
}

static bool add_endpoint(struct rpc *rpc, const char *url, size_t len, struct err *err)
{
    struct rpc_endpoint *added = &rpc->endpoints[rpc->endpoint_count];

    if (rpc->endpoint_count == RPC_URLS_MAX)
        return err_set(err, ERR_CONFIG, "rpc: more than %d URLs", RPC_URLS_MAX);
    if (!endpoint_init(added, url, len, err))
        return false;
    /* One that is asked twice would agree with itself. */
    if (endpoint_named(rpc, added->name) != NULL)
        err_set(err, ERR_CONFIG, "rpc: %s is given twice: two that are to agree must be two servers", added->name);
    rpc->endpoint_count++;
    return err->code != ERR_CONFIG;
}

static bool add_endpoints(struct rpc *rpc, const char *urls, struct err *err)
{
    for (const char *at = urls; *at != '\0'; at += *at == ',') {
        size_t len;

        at += strspn(at, " \t");
        len = strcspn(at, ", \t");
        if (!add_endpoint(rpc, at, len, err))
            return false;
        at += len;
        at += strspn(at, " \t");
        if (*at != '\0' && *at != ',')
            return err_set(err, ERR_CONFIG, "rpc: URLs are separated by commas");
    }
    return rpc->endpoint_count > 0 || err_set(err, ERR_CONFIG, "rpc: no URL");
}

static bool take_authorization(void *self, const char *name, char *owned)
{
    struct rpc_endpoint *endpoint = endpoint_named(self, name);

    if (endpoint == NULL || endpoint->authorization != NULL)
        return false;
    endpoint->authorization = owned;
    return true;
}

static bool is_given(const char *path)
{
    return path != NULL && *path != '\0';
}

bool rpc_open(const struct rpc_config *config, struct rpc **rpc, struct err *err)
{
    struct rpc *made = mem_new(sizeof *made);

    buf_init_max(&made->revert, REVERT_MAX);
    pthread_mutex_init(&made->lock, NULL);
    made->http = http_new();
    made->next_id = 1;
    made->ca_file = is_given(config->ca_file) ? mem_text(config->ca_file) : NULL;
    rpc_set_clock(made, NULL, NULL, NULL);
    if (add_endpoints(made, config->urls, err)
        && (!is_given(config->auth_file) || rpc_auth_read(config->auth_file, take_authorization, made, err))) {
        *rpc = made;
        return true;
    }
    rpc_free(made);
    return false;
}

bool rpc_new(const char *urls, struct rpc **rpc, struct err *err)
{
    return rpc_open(&(struct rpc_config){ .urls = urls }, rpc, err);
}

void rpc_free(struct rpc *rpc)
{
    if (rpc == NULL)
        return;
    for (size_t i = 0; i < RPC_URLS_MAX; i++) {
        free(rpc->endpoints[i].url);
        free(rpc->endpoints[i].name);
        secret_free(rpc->endpoints[i].authorization);
    }
    free(rpc->ca_file);
    buf_clear(&rpc->revert);
    pthread_mutex_destroy(&rpc->lock);
    http_free(rpc->http);
    free(rpc);
}

enum rpc_class rpc_last_class(const struct rpc *rpc)
{
    return rpc->last_class;
}

const uint8_t *rpc_last_revert(const struct rpc *rpc, size_t *len)
{
    *len = rpc->revert.len;
    return rpc->revert.data;
}

/* ---- one exchange ---- */

json *rpc_request(uint64_t id, const char *method, json *owned_params)
{
    json *request = json_new_object();

    json_put_text(request, "jsonrpc", "2.0");
    json_put_u64(request, "id", id);
    json_put_text(request, "method", method);
    json_put(request, "params", owned_params);
    return request;
}

/* Some nodes send a JSON-RPC error with a status of its own; a proxy's page is no such thing. */
static bool judge_status(struct rpc *rpc, const struct http_answer *answer, const json *reply, struct err *err)
{
    bool fine = answer->status >= 200 && answer->status < 300;
    bool speaks = reply != NULL && json_member(reply, "error") != NULL;

    if (answer->status == 429 || (!fine && !speaks)) {
        rpc->last_class = RPC_DOWN;
        rpc->retry_after_s = answer->retry_after_s;
        /* 4xx: turned away at the door.  5xx: a gateway that lost its node's answer says so too. */
        return err_set(err, answer->status >= 500 ? ERR_UNKNOWN : ERR_AGAIN, "HTTP status %d", answer->status);
    }
    return true;
}

/* anvil puts a revert's raw arguments into its message, zero bytes as \u0000, which our JSON has no place for. */
static void replace_zero_escapes(struct buf *text)
{
    for (size_t i = 0; i + 1 < text->len; i++)
        if (text->data[i] == '\\') {
            if (text->len - i >= 6 && memcmp(text->data + i + 1, "u0000", 5) == 0)
                memcpy(text->data + i + 1, "u003f", 5);
            i++;      /* an escaped backslash begins no escape */
        }
}

bool rpc_post(struct rpc *rpc, const struct rpc_endpoint *endpoint, const json *body, unsigned timeout_ms, json **reply,
              bool *connected, struct err *err)
{
    struct http_request request = {
        .method = "POST", .url = endpoint->url,
        .headers = { "Content-Type: application/json", endpoint->authorization },
        .timeout_ms = timeout_ms, .max_bytes = RPC_ANSWER_MAX, .ca_file = rpc->ca_file,
    };
    struct http_answer answer;
    struct err not_json = { 0 };
    struct buf text;
    json *read = NULL;
    bool ok = false;

    buf_init(&text);
    json_write(body, &text);
    if (text.failed) {
        err_set(err, ERR_LIMIT, "a request over %zu bytes", text.max);
        goto out;
    }
    request.body = text.data;
    request.body_len = text.len;
    if (!http_do(rpc->http, &request, &answer, err))
        goto out;
    *connected = answer.connected;
    replace_zero_escapes(&answer.body);
    if (!json_read(buf_text(&answer.body), answer.body.len, &read, &not_json))
        read = NULL;
    ok = judge_status(rpc, &answer, read, err);
    if (ok && read == NULL)
        ok = err_set(err, ERR_INVALID, "the answer is not JSON: %s", not_json.text);
    http_answer_clear(&answer);
    if (ok)
        *reply = read;
    else if (read != NULL)
        json_free(read);
out:
    buf_clear(&text);
    return ok;
}

/* ---- errors ---- */

/* Revert data stands in error.data: as hex, as hex after a word ("Reverted 0x..."), or in an object. */
static void keep_revert(struct rpc *rpc, const json *data)
{
    const char *text, *hex;
    json *bare;
    size_t len;

    for (int i = 0; i < DATA_NESTING_MAX && json_member(data, "data") != NULL; i++)
        data = json_member(data, "data");
    if (!json_get_text(data, &text, &len) || (hex = strstr(text, "0x")) == NULL)
        return;
    bare = json_new_text(hex);
    if (!json_get_bytes(bare, &rpc->revert))
        buf_reset(&rpc->revert);
    json_free(bare);
}

static bool refused(struct rpc *rpc, const json *error, struct err *err)
{
    const char *message = "";
    size_t len;
    int64_t code = 0;

    if (!json_get_text(json_member(error, "message"), &message, &len))
        message = "";
    if (!json_get_i64(json_member(error, "code"), &code))
        code = 0;
    rpc->last_class = rpc_classify(message);
    buf_reset(&rpc->revert);
    keep_revert(rpc, json_member(error, "data"));
    /* Only as much of a stranger's text as a log line bears. */
    return err_set(err, rpc->last_class == RPC_DOWN ? ERR_AGAIN : ERR_CHAIN, "%.200s (%s, code %lld)", message,
                   rpc_class_name(rpc->last_class), (long long)code);
}

bool rpc_result(struct rpc *rpc, const json *reply, uint64_t id, const json **result, struct err *err)
{
    const json *error = json_member(reply, "error"), *found = json_member(reply, "result");
    uint64_t got;

    /* An error may have a null id: the node could not read the request's (JSON-RPC 2.0, section 5). */
    if (error != NULL && json_kind_of(error) == JSON_KIND_OBJECT)
        return refused(rpc, error, err);
    if (!json_get_u64(json_member(reply, "id"), &got) || got != id)
        return err_set(err, ERR_INVALID, "the answer is to another request");
    if (found == NULL)
        return err_set(err, ERR_INVALID, "the answer has neither result nor error");
    *result = found;
    return true;
}

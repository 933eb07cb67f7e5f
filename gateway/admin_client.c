/* gateway/admin_client.c - see admin_client.h. */
#include "gateway/admin_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/file.h"

#define ANSWER_MAX (16 * MIB)

struct admin_client {
    struct http_client *http;
    char base[96];
    char authorization[160];
    char contract[ADDRESS_TEXT];          /* whose book is asked: a service may have two */
};

char *admin_address_file(const struct config *config)
{
    static const char file[] = "sqlite:";
    struct buf name;
    char *text;

    if (strncmp(config->store.url, file, strlen(file)) != 0)       /* it lies elsewhere: beside the configuration */
        return file_beside(config->path, "quittance.serve");
    buf_init(&name);
    buf_printf(&name, "%s.serve", config->store.url + strlen(file));
    text = mem_text(buf_text(&name));
    buf_clear(&name);
    return text;
}

bool admin_address_keep(const struct config *config, const struct buf *text, struct err *err)
{
    char *path = admin_address_file(config);
    bool ok = file_write(path, text->data, text->len, 0600, err);

    free(path);
    return ok;
}

void admin_address_forget(const struct config *config)
{
    char *path = admin_address_file(config);

    if (unlink(path) != 0 && errno != ENOENT)
        log_event(LOG_WARN_LEVEL, "address_file_kept", KV_TEXT("error", strerror(errno)));
    free(path);
}

/* The admin address out of the file; false where there is none. */
static bool read_address(const struct config *config, char address[64])
{
    char *path = admin_address_file(config);
    struct err ignored = { 0 };            /* no file: no service */
    json *file = NULL;
    const char *text;
    size_t len;
    bool ok = json_read_file(path, 4096, &file, &ignored)
           && json_get_text(json_member(file, "admin_listen"), &text, &len) && len < 64;

    if (ok)
        memcpy(address, text, len + 1);
    json_free(file);
    free(path);
    return ok;
}

static bool service_answers(struct admin_client *c)
{
    char url[160];
    struct http_request request = { .method = "GET", .url = url, .timeout_ms = 5000, .max_bytes = 65536 };
    struct http_answer answer;
    struct err ignored = { 0 };            /* no answer: no service */

    /* Any answer will do, also that this needs a key. */
    snprintf(url, sizeof url, "%s/metrics", c->base);
    if (!http_do(c->http, &request, &answer, &ignored))
        return false;
    http_answer_clear(&answer);
    return true;
}

MUST_USE bool admin_connect(const struct config *config, struct admin_client **client, struct err *err)
{
    struct admin_client *c;
    char address[64];
    struct buf key;

    *client = NULL;
    if (!read_address(config, address))
        return true;
    c = mem_new(sizeof *c);
    c->http = http_new();
    address_to_text(config->chain.contract, c->contract);
    snprintf(c->base, sizeof c->base, "http://%s", address);
    if (!service_answers(c)) {
        admin_free(c);
        return true;
    }
    buf_init(&key);
    if (!file_read_secret(config->api.admin_key_file, &key, err)) {
        buf_wipe(&key);
        admin_free(c);
        return err_prefix(err, "[api] admin_key_file");
    }
    snprintf(c->authorization, sizeof c->authorization, "Authorization: Bearer %s", buf_text(&key));
    buf_wipe(&key);
    *client = c;
    return true;
}

void admin_free(struct admin_client *client)
{
    if (client == NULL)
        return;
    http_free(client->http);
    mem_wipe(client->authorization, sizeof client->authorization);
    free(client);
}

static enum err_code code_of_status(int status)
{
    switch (status) {
    case 400: case 422: return ERR_INVALID;
    case 401: case 403: return ERR_AUTH;
    case 404: return ERR_NOT_FOUND;
    case 409: return ERR_CONFLICT;
    case 429: case 503: return ERR_AGAIN;
    default:  return ERR_IO;
    }
}

static bool problem_to_err(const struct http_answer *answer, const json *body, struct err *err)
{
    const char *detail = "";
    size_t len;

    if (!json_get_text(json_member(body, "detail"), &detail, &len) && !json_get_text(json_member(body, "title"), &detail, &len))
        detail = "no detail given";
    return err_set(err, code_of_status(answer->status), "the service answered %d: %s", answer->status, detail);
}

MUST_USE bool admin_call(struct admin_client *client, const char *method, const char *path, const json *body, json **answer, struct err *err)
{
    char url[512];
    struct buf text;
    struct http_request request = { .method = method, .url = url, .timeout_ms = 60000, .max_bytes = ANSWER_MAX };
    struct http_answer reply;
    json *parsed = NULL;
    bool ok;

    snprintf(url, sizeof url, "%s%s%ccontract=%s", client->base, path, strchr(path, '?') == NULL ? '?' : '&', client->contract);
    buf_init(&text);
    request.headers[0] = client->authorization;
    if (body != NULL) {
        json_write(body, &text);
        request.headers[1] = "Content-Type: application/json";
        request.body = text.data;
        request.body_len = text.len;
    }
    ok = http_do(client->http, &request, &reply, err);
    buf_clear(&text);
    if (!ok)
        return false;
    if (reply.body.len > 0)
        ok = json_read(reply.body.data, reply.body.len, &parsed, err);
    if (ok && reply.status >= 300)
        ok = problem_to_err(&reply, parsed, err);
    http_answer_clear(&reply);
    if (!ok) {
        json_free(parsed);
        return false;
    }
    *answer = parsed;
    return true;
}

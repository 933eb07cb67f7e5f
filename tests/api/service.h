/* tests/api/service.h - a world with the real HTTP service in front, asked over loopback.  Included by one program's .c
 * each, so the functions are static. */
#ifndef QUITTANCE_TESTS_API_SERVICE_H
#define QUITTANCE_TESTS_API_SERVICE_H

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/api.h"
#include "api/apikeys.h"
#include "chain/http.h"
#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/lib/address_text.h"
#include "tests/support/world.h"

struct service {
    struct world *w;
    uint8_t secret[32];
    struct api_config config;
    struct api *api;
    char address[64], admin[64];
    struct new_api_key viewer, operator_, admin_key;
    struct http_client *http;
};
/* One answer; the body is read as JSON where it is. */
struct answer { int status; char type[96]; json *body; struct buf text; };

#define MAYBE __attribute__((unused))

MAYBE static void must_work(bool ok, const struct err *err)
{
    if (!ok)
        fail_msg("%s", err->text);
}

MAYBE static void service_config(struct service *s)
{
    struct world *w = s->w;

    s->config = (struct api_config){
        .listen = "127.0.0.1:0", .admin_listen = "127.0.0.1:0", .admin_hosts = "admin.example", .store_url = w->url,
        .archive_dir = w->dir, .explorer = "", .domain = w->config.domain, .token = { { 0x70 } },
        .protocol_account = w->config.protocol_account, .signer = signer_address(w->signer),
        .secret = s->secret, .max_age_ms = w->config.limits.max_age_ms, .quote_max_s = 900, .threads = 2,
        .trusted_proxies = "", .connections_max = 256, .per_address = 256, .request_ms = 30000, .answer_ms = 60000, .idle_ms = 75000,
    };
}

MAYBE static void service_serve(struct service *s)
{
    struct world *w = s->w;
    struct err err = { 0 };

    s->api = api_new(&s->config, w->writer, w->intake, w->snapshots, NULL, &w->clock);
    must_work(api_serve(s->api, NULL, &err), &err);
    api_set_token(s->api, "TST", 6);
    api_addresses(s->api, s->address, s->admin);
}

MAYBE static void service_start(struct service *s)
{
    service_config(s);
    service_serve(s);
}

MAYBE static int service_setup(void **state)
{
    struct service *s = mem_new(sizeof *s);
    struct err err = { 0 };

    must_work(http_start(&err), &err);
    world_setup((void **)&s->w);
    memset(s->secret, 7, sizeof s->secret);
    must_work(apikey_new(s->w->writer, "test", "viewer", "v", &s->viewer, &err)
              && apikey_new(s->w->writer, "test", "operator", "o", &s->operator_, &err)
              && apikey_new(s->w->writer, "test", "admin", "a", &s->admin_key, &err), &err);
    service_start(s);
    s->http = http_new();
    *state = s;
    return 0;
}

MAYBE static int service_teardown(void **state)
{
    struct service *s = *state;
    void *world = s->w;

    http_free(s->http);
    api_stop(s->api);
    world_teardown(&world);
    http_stop();
    free(s);
    return 0;
}

MAYBE static void answer_clear(struct answer *a)
{
    json_free(a->body);
    buf_clear(&a->text);
    *a = (struct answer){ 0 };
}

struct asking { const char *method, *path, *type, *header, *header2, *key; const void *body; size_t len; };

MAYBE static struct answer ask(struct service *s, struct asking q)
{
    char url[512], type[128], authorization[128];
    struct http_request request = { .method = q.method, .url = url, .body = q.body, .body_len = q.len, .timeout_ms = 20000,
                                    .max_bytes = 64 * MIB };
    struct http_answer got = { 0 };
    struct answer out = { 0 };
    struct err err = { 0 };
    size_t headers = 0;

    snprintf(url, sizeof url, "http://%s%s", q.key != NULL ? s->admin : s->address, q.path);
    if (q.type != NULL) {
        snprintf(type, sizeof type, "Content-Type: %s", q.type);
        request.headers[headers++] = type;
    }
    if (q.key != NULL && q.key[0] != '\0') {
        snprintf(authorization, sizeof authorization, "Authorization: Bearer %s", q.key);
        request.headers[headers++] = authorization;
    }
    if (q.header != NULL)
        request.headers[headers++] = q.header;
    if (q.header2 != NULL)
        request.headers[headers++] = q.header2;
    must_work(http_do(s->http, &request, &got, &err), &err);
    out.status = got.status;
    snprintf(out.type, sizeof out.type, "%s", got.content_type);
    buf_init(&out.text);
    buf_add(&out.text, got.body.data, got.body.len);
    if (strstr(out.type, "json") != NULL && strstr(out.type, "ndjson") == NULL && got.body.len > 0)
        must_work(json_read(got.body.data, got.body.len, &out.body, &err), &err);
    http_answer_clear(&got);
    return out;
}

MAYBE static struct answer get(struct service *s, const char *path)
{
    return ask(s, (struct asking){ .method = "GET", .path = path });
}

MAYBE static struct answer post(struct service *s, const char *path, const char *type, const char *body)
{
    return ask(s, (struct asking){ .method = "POST", .path = path, .type = type, .body = body, .len = strlen(body) });
}

MAYBE static struct answer admin(struct service *s, const char *method, const char *path, const char *key, const char *body)
{
    return ask(s, (struct asking){ .method = method, .path = path, .key = key, .type = body != NULL ? "application/json" : NULL,
                                   .body = body, .len = body != NULL ? strlen(body) : 0 });
}

/* "a.b.0.c" */
MAYBE static const json *at(const json *v, const char *path)
{
    char copy[128], *part, *rest = copy;

    snprintf(copy, sizeof copy, "%s", path);
    while (v != NULL && (part = strsep(&rest, ".")) != NULL)
        v = json_kind_of(v) == JSON_KIND_ARRAY ? json_at(v, (size_t)strtoul(part, NULL, 10)) : json_member(v, part);
    return v;
}

MAYBE static void assert_text_at(const struct answer *a, const char *path, const char *want)
{
    const json *v = at(a->body, path);
    const char *text;
    size_t len;

    if (v == NULL || !json_get_text(v, &text, &len))
        fail_msg("no text at %s in %s", path, buf_text(&a->text));
    assert_string_equal(text, want);
}

MAYBE static void assert_number_at(const struct answer *a, const char *path, uint64_t want)
{
    const json *v = at(a->body, path);
    uint64_t number;

    if (v == NULL || !json_get_u64(v, &number))
        fail_msg("no number at %s in %s", path, buf_text(&a->text));
    assert_int_equal(number, want);
}

MAYBE static void assert_status(const struct answer *a, int want)
{
    if (a->status != want)
        fail_msg("status %d, not %d: %s", a->status, want, buf_text(&a->text));
}

/* A problem of RFC 9457 with this code. */
MAYBE static void assert_problem(const struct answer *a, int status, const char *code)
{
    assert_status(a, status);
    assert_string_equal(a->type, "application/problem+json");
    assert_number_at(a, "status", (uint64_t)status);
    assert_text_at(a, "code", code);
    assert_non_null(at(a->body, "title"));
    assert_non_null(at(a->body, "instance"));
}

/* Status only; the answer is dropped. */
MAYBE static void expect(struct answer a, int status)
{
    assert_status(&a, status);
    answer_clear(&a);
}

MAYBE static void expect_problem(struct answer a, int status, const char *code)
{
    assert_problem(&a, status, code);
    answer_clear(&a);
}

MAYBE static void receipt_text(const struct signed_receipt *r, struct buf *text)
{
    json *object = receipt_to_json(r);

    json_write(object, text);
    json_free(object);
}

MAYBE static struct answer post_receipt(struct service *s, const struct signed_receipt *r)
{
    struct answer a;
    struct buf text;

    buf_init(&text);
    receipt_text(r, &text);
    a = post(s, "/v1/receipts", "application/json", buf_text(&text));
    buf_clear(&text);
    return a;
}

MAYBE static char *path_of(const char *format, const struct signed_receipt *r, char path[200])
{
    char job[JOB_ID_TEXT], provider[ADDRESS_TEXT];

    job_id_to_text(r->receipt.job_id, job);
    address_to_text(r->receipt.provider, provider);
    if (strcmp(format, "receipt") == 0)
        snprintf(path, 200, "/v1/receipts/%s", job);
    else if (strcmp(format, "receipt of provider") == 0)
        snprintf(path, 200, "/v1/receipts/%s?provider=%s", job, provider);
    else
        snprintf(path, 200, "/admin/v1/quarantine/%s/%s/%s", provider, job, format);
    return path;
}

MAYBE static char *account_path(struct address account, const char *rest, char path[200])
{
    char text[ADDRESS_TEXT];

    address_to_text(account, text);
    snprintf(path, 200, "/v1/accounts/%s%s", text, rest);
    return path;
}

/* Sends bytes as they are, reads until the other side closes. */
MAYBE static void raw(const char *address, const char *request, struct buf *out)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char piece[4096];
    ssize_t got;

    to.sin_port = htons((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    buf_init(out);
    while ((got = recv(fd, piece, sizeof piece, 0)) > 0)
        buf_add(out, piece, (size_t)got);
    close(fd);
}

MAYBE static void assert_raw(const char *address, const char *request, const char *status, const char *also)
{
    struct buf out;

    raw(address, request, &out);
    if (strncmp(buf_text(&out), status, strlen(status)) != 0 || strstr(buf_text(&out), also) == NULL)
        fail_msg("%s%s: got %s", status, also, buf_text(&out));
    buf_clear(&out);
}

#endif

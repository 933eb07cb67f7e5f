#include "chain/http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

#define CONNECT_TIMEOUT_MS 5000u
#define RETRY_AFTER_MAX_S 86400

struct http_client { CURL *curl; const atomic_bool *stop; };

/* Where curl puts an answer.  full: it would pass its bound. */
struct sink { struct buf body; bool full; };

bool http_start(struct err *err)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

    return code == CURLE_OK || err_set(err, ERR_IO, "libcurl: %s", curl_easy_strerror(code));
}

void http_stop(void)
{
    curl_global_cleanup();
}

struct http_client *http_new(void)
{
    struct http_client *client = mem_new(sizeof *client);

    client->curl = curl_easy_init();
    if (client->curl == NULL)
        bug("libcurl gives no handle");
    return client;
}

void http_free(struct http_client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    free(client);
}

void http_set_stop(struct http_client *client, const atomic_bool *stop)
{
    client->stop = stop;
}

void http_answer_clear(struct http_answer *answer)
{
    buf_clear(&answer->body);
    *answer = (struct http_answer){ .body = answer->body };
}

/* Signature given by CURLOPT_WRITEFUNCTION: anything but size * count ends the transfer. */
static size_t take_body(char *bytes, size_t size, size_t count, void *self)
{
    struct sink *sink = self;

    if (!buf_add(&sink->body, bytes, size * count)) {
        sink->full = true;
        return 0;
    }
    return size * count;
}

/* Signature given by CURLOPT_XFERINFOFUNCTION: anything but 0 ends the transfer.  curl calls it about once a second. */
static int look_up(void *self, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    const struct http_client *client = self;

    (void)down_all;
    (void)down;
    (void)up_all;
    (void)up;
    return client->stop != NULL && atomic_load(client->stop);
}

static struct curl_slist *header_list(const struct http_request *request)
{
    /* No "100 Continue" round: it would cost a second with servers that do not know it. */
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    for (size_t i = 0; list != NULL && i < HTTP_HEADERS_MAX && request->headers[i] != NULL; i++) {
        struct curl_slist *longer = curl_slist_append(list, request->headers[i]);

        if (longer == NULL)
            curl_slist_free_all(list);
        list = longer;
    }
    if (list == NULL)
        bug("no memory for HTTP headers");
    return list;
}

/* They may hold a secret. */
static void header_list_free(struct curl_slist *list)
{
    for (struct curl_slist *at = list; at != NULL; at = at->next)
        mem_wipe(at->data, strlen(at->data));
    curl_slist_free_all(list);
}

/* reset keeps the connections, as the manual says; all else is set anew for each request. */
static void prepare(struct http_client *client, const struct http_request *request, struct curl_slist *headers, struct sink *sink,
                    char error[CURL_ERROR_SIZE])
{
    CURL *c = client->curl;
    unsigned connect_ms = request->timeout_ms < CONNECT_TIMEOUT_MS ? request->timeout_ms : CONNECT_TIMEOUT_MS;

    curl_easy_reset(c);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(c, CURLOPT_URL, request->url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (request->ca_file != NULL)
        curl_easy_setopt(c, CURLOPT_CAINFO, request->ca_file);
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);            /* SIGALRM has no place among threads */
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "quittance/" QUITTANCE_VERSION);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, sink);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, look_up);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, client);
    if (request->body != NULL) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, request->body);
    }
    if (strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, request->method);
}

/* What a failed exchange means for whoever sent something that must not happen twice. */
static bool failed(CURL *c, CURLcode code, const struct sink *sink, const struct http_request *request,
                   const char *error, struct err *err)
{
    const char *why = error[0] != '\0' ? error : curl_easy_strerror(code);
    long sent = 0;

    if (sink->full)
        return err_set(err, ERR_LIMIT, "the answer is longer than %zu bytes", request->max_bytes);
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return err_set(err, ERR_CONFIG, "not a usable URL: %s", why);
    /* Bytes of requests written, over all tries of this exchange (curl repeats one on a connection that had died).
     * Error codes alone do not tell: a connection refused may be the second try. */
    if (curl_easy_getinfo(c, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK && sent == 0)
        return err_set(err, ERR_AGAIN, "not sent: %s", why);
    return err_set(err, ERR_UNKNOWN, "sent, no answer: %s", why);
}

static void read_answer_head(CURL *c, struct http_answer *answer)
{
    long status = 0;
    curl_off_t retry_after = 0;
    char *type = NULL;
    long connects = 0;

    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &retry_after);
    curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(c, CURLINFO_NUM_CONNECTS, &connects);
    answer->connected = connects > 0;
    answer->status = (int)status;
    if (retry_after > RETRY_AFTER_MAX_S)
        retry_after = RETRY_AFTER_MAX_S;
    answer->retry_after_s = retry_after > 0 ? (unsigned)retry_after : 0;
    if (type != NULL && strlen(type) < sizeof answer->content_type)
        memcpy(answer->content_type, type, strlen(type) + 1);
}

bool http_do(struct http_client *client, const struct http_request *request, struct http_answer *answer,
             struct err *err)
{
    char error[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = header_list(request);
    struct sink sink = { .full = false };
    CURLcode code;
    bool ok;

    buf_init_max(&sink.body, request->max_bytes);
    prepare(client, request, headers, &sink, error);
    code = curl_easy_perform(client->curl);
    ok = code == CURLE_OK;
    if (ok) {
        *answer = (struct http_answer){ .body = sink.body };      /* body moves to the caller */
        read_answer_head(client->curl, answer);
    } else {
        failed(client->curl, code, &sink, request, error, err);
        buf_clear(&sink.body);
    }
    header_list_free(headers);
    return ok;
}

/* A key that a service holds: Web3Signer, with an HSM, a vault or a cloud's key service behind it, or whatever else
 * speaks eth_accounts and eth_signTransaction by JSON-RPC 2.0 over HTTP.
 *
 *   web3signer:https://host:9000              the one key that it holds
 *   web3signer:https://host:9000/0xADDRESS    this one of its keys; then we start even while the service is away
 *
 * It is not believed: signer.c takes nothing but r, s and v from here, puts them on the transaction that we wanted, and
 * recovers whose they are.  What came back is read and compared field by field so that the error names what differs. */
#include <pthread.h>
#include <stdlib.h>

#include "chain/http.h"
#include "chain/signer_driver.h"
#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/lib/json.h"

#define TIMEOUT_MS 5000u                       /* a stop of the service waits as long at most */
#define ANSWER_MAX (4 * (size_t)TX_BYTES_MAX + 64 * KIB)      /* hex of the bytes, and again within the fields (geth) */

/* One question at a time. */
struct line { pthread_mutex_t lock; struct http_client *http; uint64_t next_id; };

struct web3signer {
    struct line *line;                         /* owned */
    char *url;                                 /* owned; without the address */
    char *name;                                /* owned; scheme://host:port, for people */
    char *authorization;                       /* owned, secret_new memory; NULL: none is sent */
    struct address address;
};

static void web3signer_free(void *self)
{
    struct web3signer *w = self;

    if (w == NULL)
        return;
    http_free(w->line->http);
    pthread_mutex_destroy(&w->line->lock);
    free(w->line);
    free(w->url);
    free(w->name);
    secret_free(w->authorization);
    free(w);
}

/* ---- what the configuration says ---- */

static bool read_url(struct web3signer *w, const char *url, bool *names_address, struct err *err)
{
    size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;
    size_t host_end = scheme + strcspn(url + scheme, "/"), end = strlen(url);
    const char *last = strrchr(url, '/');

    if (scheme == 0 || host_end == scheme || strpbrk(url, "@?#") != NULL)
        return err_set(err, ERR_CONFIG, "web3signer: takes http:// or https://, a host and perhaps a path: no user, no query");
    *names_address = (size_t)(last - url) >= host_end && strncmp(last + 1, "0x", 2) == 0;
    if (*names_address) {
        if (!address_from_text(last + 1, strlen(last + 1), &w->address)
            || !address_checksum_fits(last + 1, strlen(last + 1)))
            return err_set(err, ERR_CONFIG, "web3signer: what follows the last / is no address, or its checksum is wrong");
        end = (size_t)(last - url);
    }
    w->url = mem_text_n(url, end);
    w->name = mem_text_n(url, host_end);
    return true;
}

static bool is_loopback(const char *name)
{
    static const char *const hosts[] = { "http://127.0.0.1", "http://localhost", "http://[::1]" };

    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        size_t len = strlen(hosts[i]);

        if (strncmp(name, hosts[i], len) == 0 && (name[len] == '\0' || name[len] == ':'))
            return true;
    }
    return false;
}

/* RFC 6750, section 2.1. */
static bool read_token(struct web3signer *w, const char *token_file, struct err *err)
{
    static const char before[] = "Authorization: Bearer ";
    struct buf token;
    bool ok = false;

    if (token_file == NULL || token_file[0] == '\0')
        return true;
    if (strncmp(w->name, "http://", 7) == 0 && !is_loopback(w->name))
        return err_set(err, ERR_CONFIG, "web3signer: a token goes over https only, or to this machine");
    buf_init(&token);
    if (!file_read_secret(token_file, &token, err)) {
        if (err->code == ERR_NOT_FOUND)
            err->code = ERR_CONFIG;
        goto out;
    }
    if (token.len == 0 || strcspn(buf_text(&token), " \t\r\n") != token.len) {
        err_set(err, ERR_CONFIG, "%s: a token is one word", token_file);
        goto out;
    }
    w->authorization = secret_new(sizeof before + token.len);
    memcpy(w->authorization, before, sizeof before - 1);
    memcpy(w->authorization + sizeof before - 1, token.data, token.len);
    ok = true;
out:
    buf_wipe(&token);
    return ok;
}

/* ---- asking ---- */

static bool read_reply(const struct http_answer *answer, uint64_t id, json **result, struct err *err)
{
    const json *error, *found;
    const char *message = "no message";
    struct err not_json = { 0 };
    json *reply;
    uint64_t got;
    size_t len;
    bool ok;

    if (answer->status == 401 || answer->status == 403)
        return err_set(err, ERR_AUTH, "HTTP status %d: does [signer] token_file hold its token?", answer->status);
    if (!json_read(buf_text(&answer->body), answer->body.len, &reply, &not_json))
        return answer->status < 200 || answer->status > 299
             ? err_set(err, ERR_AGAIN, "HTTP status %d", answer->status)
             : err_set(err, ERR_HALT, "the answer is not JSON: %s", not_json.text);
    error = json_member(reply, "error");
    found = json_member(reply, "result");
    if (error != NULL && json_kind_of(error) == JSON_KIND_OBJECT) {
        if (!json_get_text(json_member(error, "message"), &message, &len))
            message = "no message";
        /* Only as much of a stranger's text as a log line bears. */
        ok = err_set(err, ERR_HALT, "it refuses: %.200s", message);
    } else if (answer->status < 200 || answer->status > 299) {
        ok = err_set(err, ERR_AGAIN, "HTTP status %d", answer->status);
    } else {
        ok = (json_get_u64(json_member(reply, "id"), &got) && got == id && found != NULL)
          || err_set(err, ERR_HALT, "the answer is to another request, or has no result");
    }
    if (ok)
        *result = json_share(found);
    json_free(reply);
    return ok;
}

static bool exchange(const struct web3signer *w, const json *request, uint64_t id, json **result, struct err *err)
{
    struct http_request post = {
        .method = "POST", .url = w->url, .headers = { "Content-Type: application/json", w->authorization },
        .timeout_ms = TIMEOUT_MS, .max_bytes = ANSWER_MAX,
    };
    struct http_answer answer;
    struct buf text;
    bool ok = false;

    buf_init(&text);
    json_write(request, &text);
    post.body = text.data;
    post.body_len = text.len;
    if (http_do(w->line->http, &post, &answer, err)) {
        ok = read_reply(&answer, id, result, err);
        http_answer_clear(&answer);
    } else if (err->code == ERR_UNKNOWN) {
        err->code = ERR_AGAIN;                 /* a signature that was lost moves nothing: it is asked for again */
    }
    buf_clear(&text);
    return ok || err_prefix(err, "the remote signer at %s", w->name);
}

/* *result is the caller's. */
static bool ask(const struct web3signer *w, const char *method, json *owned_params, json **result, struct err *err)
{
    json *request = json_new_object();
    uint64_t id;
    bool ok;

    pthread_mutex_lock(&w->line->lock);
    id = w->line->next_id++;
    json_put_text(request, "jsonrpc", "2.0");
    json_put_u64(request, "id", id);
    json_put_text(request, "method", method);
    json_put(request, "params", owned_params);
    ok = exchange(w, request, id, result, err);
    pthread_mutex_unlock(&w->line->lock);
    json_free(request);
    return ok;
}

/* ---- whose key it is ---- */

static bool holds(const json *accounts, struct address wanted)
{
    struct address a;

    for (size_t i = 0; i < json_count(accounts); i++)
        if (json_get_address(json_at(accounts, i), &a) && address_eq(a, wanted))
            return true;
    return false;
}

static bool choose_account(struct web3signer *w, const json *accounts, bool names_address, struct err *err)
{
    if (names_address)
        return holds(accounts, w->address)
            || err_set(err, ERR_CONFIG, "the remote signer at %s does not hold the key of the address that is named", w->name);
    return (json_kind_of(accounts) == JSON_KIND_ARRAY && json_count(accounts) == 1
            && json_get_address(json_at(accounts, 0), &w->address))
        || err_set(err, ERR_CONFIG, "the remote signer at %s does not hold exactly one key: name it as web3signer:URL/0xADDRESS",
                   w->name);
}

static bool find_account(struct web3signer *w, bool names_address, struct err *err)
{
    json *accounts;
    bool ok;

    if (!ask(w, "eth_accounts", json_new_array(), &accounts, err))
        /* Away, and we know whose key it is: the first transaction tells, if it is away still. */
        return names_address && err->code == ERR_AGAIN;
    ok = choose_account(w, accounts, names_address, err);
    json_free(accounts);
    return ok;
}

static bool web3signer_open(const char *url, const char *token_file, void **self, struct address *address, struct err *err)
{
    struct web3signer *w = mem_new(sizeof *w);
    bool names_address;

    w->line = mem_new(sizeof *w->line);
    w->line->http = http_new();
    w->line->next_id = 1;
    pthread_mutex_init(&w->line->lock, NULL);
    if (!read_url(w, url, &names_address, err) || !read_token(w, token_file, err) || !find_account(w, names_address, err)) {
        web3signer_free(w);
        return false;
    }
    *address = w->address;
    *self = w;
    return true;
}

/* ---- signing ---- */

static void put_quantity(json *object, const char *key, struct u256 v)
{
    char text[67];

    u256_to_quantity(v, text);
    json_put_text(object, key, text);
}

/* The transaction object of the execution-apis, as eth_signTransaction takes it. */
static json *transaction_object(const struct web3signer *w, const struct tx *tx)
{
    json *o = json_new_object();

    json_put_text(o, "type", tx->legacy ? "0x0" : "0x2");
    json_put_address(o, "from", w->address);
    if (!tx->creates)
        json_put_address(o, "to", tx->to);
    put_quantity(o, "chainId", u256_from_u64(tx->chain_id));
    put_quantity(o, "nonce", u256_from_u64(tx->nonce));
    put_quantity(o, "gas", u256_from_u64(tx->gas));
    if (tx->legacy) {
        put_quantity(o, "gasPrice", tx->max_fee.v);
    } else {
        put_quantity(o, "maxPriorityFeePerGas", tx->max_priority_fee.v);
        put_quantity(o, "maxFeePerGas", tx->max_fee.v);
    }
    put_quantity(o, "value", tx->value.v);
    json_put(o, "data", json_new_hex(tx->data.data, tx->data.len));
    return o;
}

/* The first field in which they differ; NULL: none. */
static const char *difference(const struct tx *want, const struct tx *got)
{
    if (got->chain_id != want->chain_id)
        return "chainId";
    if (got->nonce != want->nonce)
        return "nonce";
    if (got->creates != want->creates || (!want->creates && !address_eq(got->to, want->to)))
        return "to";
    if (u256_cmp(got->value.v, want->value.v) != 0)
        return "value";
    if (got->data.len != want->data.len || (want->data.len > 0 && memcmp(got->data.data, want->data.data, want->data.len) != 0))
        return "data";
    if (got->gas != want->gas)
        return "gas";
    if (got->legacy != want->legacy)
        return "type";
    if (u256_cmp(got->max_fee.v, want->max_fee.v) != 0)
        return want->legacy ? "gasPrice" : "maxFeePerGas";
    if (u256_cmp(got->max_priority_fee.v, want->max_priority_fee.v) != 0)
        return "maxPriorityFeePerGas";
    return NULL;
}

static bool read_signed(const struct web3signer *w, const struct tx *tx, const struct buf *raw, struct signature *sig,
                        struct err *err)
{
    const char *differs;
    struct tx got;
    bool ok;

    tx_init(&got);
    /* Another type, an access list, a high s and bytes that are left over are refused by the reader. */
    ok = tx_decode(raw->data, raw->len, &got, sig, err)
      || err_set(err, ERR_HALT, "the remote signer at %s gives no signature to use: %s", w->name, err->text);
    differs = ok ? difference(tx, &got) : NULL;
    if (differs != NULL)
        ok = err_set(err, ERR_HALT, "the remote signer at %s signed another %s than it was asked to: not used", w->name, differs);
    tx_clear(&got);
    return ok;
}

static bool web3signer_sign_tx(const void *self, const struct tx *tx, struct signature *sig, struct err *err)
{
    const struct web3signer *w = self;
    struct signature read;
    json *params = json_new_array(), *result;
    struct buf raw;
    bool ok;

    json_add(params, transaction_object(w, tx));
    if (!ask(w, "eth_signTransaction", params, &result, err))
        return false;
    buf_init_max(&raw, TX_BYTES_MAX);
    /* Web3Signer gives the bytes, geth an object with them and the fields again. */
    ok = json_get_bytes(json_kind_of(result) == JSON_KIND_OBJECT ? json_member(result, "raw") : result, &raw)
      || err_set(err, ERR_HALT, "the remote signer at %s answers no transaction in hex", w->name);
    ok = ok && read_signed(w, tx, &raw, &read, err);
    if (ok)
        *sig = read;
    buf_clear(&raw);
    json_free(result);
    return ok;
}

const struct signer_driver signer_web3signer = {
    .prefix = "web3signer:", .is_remote = true, .open = web3signer_open, .sign_tx = web3signer_sign_tx, .free = web3signer_free,
};

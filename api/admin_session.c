/* Signing in to the desk by API key or wallet (EIP-4361), and out. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/auth.h"
#include "api/context.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "gateway/base/mem.h"
#include "gateway/core/siwe.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/secp.h"
#include "store/keys.h"

#define AHEAD_MS (UINT64_C(5) * 60 * 1000)    /* a wallet's clock may be ahead of ours */
#define KEY_SENT_MAX 256
#define PATH_OF_COOKIE "; Path=/; HttpOnly; SameSite=Strict"

static bool refuse(struct reply *reply, const char *detail)
{
    problem(reply, 401, "unauthorized", "%s", detail);
    return false;
}

/* Over https only, where the page that asks is there by https. */
static const char *secure(const struct request *req)
{
    return req->header.origin != NULL && strncasecmp(req->header.origin, "https://", 8) == 0 ? "; Secure" : "";
}

static json *session_to_json(const struct request *req, const struct session *session)
{
    json *object = json_new_object();
    char csrf[SESSION_TEXT];

    json_put_text(object, "who", session->who);
    json_put_text(object, "role", access_role_name(session->role));
    json_put_text(object, "by", session->by_wallet ? "wallet" : "key");
    json_put_u64(object, "endsAt", session_ends_ms(session));
    session_csrf(req->api->books[0]->sessions, session, csrf);
    json_put_text(object, "csrf", csrf);
    return object;
}

struct entry { const char *who, *action, *by; };

static bool note(void *self, struct group *group, struct err *err)
{
    const struct entry *e = self;
    char detail[64];

    snprintf(detail, sizeof detail, "{\"by\":\"%s\"}", e->by);
    return store_audit_add(group->db, group->now_ms, e->who, e->action, detail, err);
}

/* In the audit log before anything can be done with it. */
static void open_session(struct request *req, struct session *session, struct reply *reply)
{
    struct api *api = req->api->books[0];
    struct entry e = { session->who, "sign-in", session->by_wallet ? "wallet" : "key" };
    char cookie[SESSION_TEXT];
    struct err err = { 0 };

    if (!writer_do(api->writer, note, &e, &err)) {
        problem_from_err(reply, &err);
        return;
    }
    session_open(api->sessions, session, clock_now_ms(api->clock), cookie);
    reply_json(reply, 201, session_to_json(req, session));
    reply_header(reply, "Set-Cookie", "%s=%s" PATH_OF_COOKIE "%s", SESSION_COOKIE, cookie, secure(req));
    mem_wipe(cookie, sizeof cookie);
}

static bool by_key(struct request *req, const char *text, struct session *session, struct reply *reply)
{
    struct api_key key;
    bool found;

    if (!auth_key_find(req, text, &key, &found, reply))
        return false;
    if (!found || !auth_key_is(req, &key))
        return refuse(reply, "This key is not known.");
    *session = (struct session){ .role = req->role, .key = key.digest };
    memcpy(session->who, req->who, sizeof session->who);
    return true;
}

/* The URI is of the page that asks: scheme, the message's own domain, then a path or nothing. */
static bool uri_fits(const struct siwe *m)
{
    const char *authority = strstr(m->uri, "://");
    size_t len = strlen(m->domain);

    return (strncasecmp(m->uri, "http://", 7) == 0 || strncasecmp(m->uri, "https://", 8) == 0)
        && strncasecmp(authority + 3, m->domain, len) == 0 && strchr("/?#", authority[3 + len]) != NULL;
}

static bool message_fits(const struct request *req, const struct siwe *m, struct reply *reply)
{
    const struct api *api = req->api->books[0];
    uint64_t now_ms = clock_now_ms(api->clock);

    if (strcasecmp(m->domain, req->header.host) != 0)
        return refuse(reply, "The message is for another domain than this host's.");
    if (!uri_fits(m))
        return refuse(reply, "The message's URI is not of its domain.");
    if (m->chain_id != api->config->domain.chain_id)
        return refuse(reply, "The message's Chain ID is not that of the contract.");
    if (m->issued_at_ms > now_ms + AHEAD_MS)
        return refuse(reply, "The message was issued in the future: set the clock right.");
    if (m->starts && m->not_before_ms > now_ms + AHEAD_MS)
        return refuse(reply, "The message is not valid yet.");
    if (m->expires && m->expires_at_ms <= now_ms)
        return refuse(reply, "The message has expired: ask for a new one.");
    return true;
}

static bool take_nonce(struct request *req, const struct siwe *m, struct reply *reply)
{
    const struct api *api = req->api->books[0];

    switch (nonce_take(api->sessions, m->nonce, clock_now_ms(api->clock))) {
    case NONCE_TAKEN:   return true;
    case NONCE_UNKNOWN: return refuse(reply, "The message's nonce is none that was given out here.");
    case NONCE_OLD:     return refuse(reply, "The message's nonce is too old: ask for a new one.");
    case NONCE_USED:    return refuse(reply, "The message's nonce was used before: ask for a new one.");
    case NONCE_BUSY:
        problem_busy(reply);
        return false;
    }
    bug("result of a nonce");
}

/* The nonce last, so that nobody who may not sign in uses one up. */
static bool by_wallet(struct request *req, const char *message, size_t len, const struct signature *signature,
                      struct session *session, struct reply *reply)
{
    struct address signer;
    struct err err = { 0 };
    struct siwe m;
    enum access_role role;

    if (!siwe_parse(message, len, &m, &err)) {
        problem(reply, 422, "malformed", "%s", err.text);
        return false;
    }
    if (!message_fits(req, &m, reply))
        return false;
    if (!secp_recover(signature, siwe_digest(message, len), &signer, &err) || !address_eq(signer, m.address))
        return refuse(reply, "The signature is not this address's over this message.");
    role = wallets_role(&req->api->books[0]->wallets, signer);
    if (role == ACCESS_ANYONE)
        return refuse(reply, "This address is none of [api] wallets.");
    if (!take_nonce(req, &m, reply))
        return false;
    *session = (struct session){ .role = role, .by_wallet = true };
    address_to_text(signer, session->who);
    return true;
}

static bool sign_in(struct request *req, const json *object, struct session *session, struct reply *reply)
{
    const char *key, *message;
    size_t key_len, message_len;
    struct signature signature;

    if (json_get_text(json_member(object, "key"), &key, &key_len) && json_count(object) == 1) {
        if (key_len <= KEY_SENT_MAX)
            return by_key(req, key, session, reply);
        return refuse(reply, "This key is not known.");
    }
    if (json_count(object) == 2 && json_get_text(json_member(object, "message"), &message, &message_len)
        && json_get_signature(json_member(object, "signature"), &signature))
        return by_wallet(req, message, message_len, &signature, session, reply);
    problem(reply, 422, "malformed", "What signs in is {key}, or {message, signature} with a signature of 65 bytes.");
    return false;
}

void session_post(struct request *req, struct reply *reply)
{
    static const char *const names[] = { "key", "message", "signature" };
    struct session session;
    json *object;

    if (!auth_origin_is_ours(req->header.origin, req->header.host)) {
        problem(reply, 403, "csrf", "A page of another host may not sign in here.");
        return;
    }
    if (!request_object(req, names, ARRAY_LEN(names), &object, reply))
        return;
    if (sign_in(req, object, &session, reply))
        open_session(req, &session, reply);
    json_free(object);
}

void session_nonce(struct request *req, struct reply *reply)
{
    const struct api *api = req->api->books[0];
    uint64_t now_ms = clock_now_ms(api->clock);
    json *object = json_new_object();
    char nonce[NONCE_TEXT];

    nonce_new(api->sessions, now_ms, nonce);
    json_put_text(object, "nonce", nonce);
    json_put_u64(object, "now", now_ms);
    json_put_u64(object, "endsAt", now_ms + NONCE_MS);
    json_put_u64(object, "chainId", api->config->domain.chain_id);
    reply_json(reply, 200, object);
}

/* false: asked with a key, without a session. */
static bool of_request(const struct request *req, struct session *session)
{
    return !hash_is_zero(req->session) && session_by_id(req->api->books[0]->sessions, req->session, session);
}

/* Who asks, {who: null} for nobody: a page that looks whether somebody is signed in is no failure. */
void session_get(struct request *req, struct reply *reply)
{
    struct session session;
    json *object = json_new_object();

    if (!auth_check(req, ACCESS_VIEWER, reply)) {
        if (reply->status != 401) {
            json_free(object);
            return;
        }
        json_put(object, "who", json_new_null());
        reply_clear(reply);
        reply_json(reply, 200, object);
        return;
    }
    if (of_request(req, &session)) {
        json_free(object);
        reply_json(reply, 200, session_to_json(req, &session));
        return;
    }
    json_put_text(object, "who", req->who);
    json_put_text(object, "role", access_role_name(req->role));
    reply_json(reply, 200, object);
}

void session_delete(struct request *req, struct reply *reply)
{
    struct api *api = req->api->books[0];
    struct session session;
    struct err err = { 0 };

    if (!of_request(req, &session)) {
        problem(reply, 404, "not-found", "Nobody is signed in by this request.");
        return;
    }
    session_close(api->sessions, session.id);
    if (!writer_do(api->writer, note, &(struct entry){ session.who, "sign-out", session.by_wallet ? "wallet" : "key" }, &err)) {
        problem_from_err(reply, &err);
        return;
    }
    reply_empty(reply, 204);
    reply_header(reply, "Set-Cookie", "%s=; Max-Age=0" PATH_OF_COOKIE "%s", SESSION_COOKIE, secure(req));
}

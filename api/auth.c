#include "api/auth.h"

#include <string.h>
#include <strings.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/sessions.h"
#include "gateway/lib/crypt.h"
#include "store/keys.h"

#define KEY_TEXT_MAX 256

const char *access_role_name(enum access_role role)
{
    switch (role) {
    case ACCESS_ANYONE:   return "anyone";
    case ACCESS_VIEWER:   return "viewer";
    case ACCESS_OPERATOR: return "operator";
    case ACCESS_ADMIN:    return "admin";
    }
    bug("role %d", (int)role);
}

bool access_role_from_name(const char *name, enum access_role *role)
{
    for (int i = ACCESS_VIEWER; i <= ACCESS_ADMIN; i++)
        if (strcmp(name, access_role_name((enum access_role)i)) == 0) {
            *role = (enum access_role)i;
            return true;
        }
    return false;
}

static bool refuse(struct reply *reply, const char *detail)
{
    problem(reply, 401, "unauthorized", "%s", detail);
    reply_header(reply, "WWW-Authenticate", "Bearer realm=\"quittance\"");
    return false;
}

static bool find_key(struct api *api, struct hash digest, struct api_key *key, bool *found, struct reply *reply)
{
    struct err err = { 0 };
    struct db *db;
    bool ok;

    if (!api_begin(api, &db, reply))
        return false;
    ok = store_key_find(db, digest, key, found, &err);
    api_end(api, db);
    if (!ok)
        problem_from_err(reply, &err);
    return ok;
}

bool auth_key_is(struct request *req, const struct api_key *key)
{
    memcpy(req->who, key->id, sizeof key->id);
    return access_role_from_name(key->role, &req->role);
}

static bool has_role(const struct request *req, enum access_role least, const char *what, struct reply *reply)
{
    if (req->role >= least)
        return true;
    problem(reply, 403, "forbidden", "%s %s has the role %s, which may not do this.", what, req->who, access_role_name(req->role));
    return false;
}

bool auth_key_find(struct request *req, const char *text, struct api_key *key, bool *found, struct reply *reply)
{
    *found = false;
    /* Looked up by the digest of what was sent: comparing digests tells nothing about the key. */
    return strlen(text) > KEY_TEXT_MAX || find_key(req->api, sha256(text, strlen(text)), key, found, reply);
}

static bool check_bearer(struct request *req, enum access_role least, struct reply *reply)
{
    const char *text = req->header.authorization;
    struct api_key key;
    bool found;

    if (strncasecmp(text, "Bearer ", 7) != 0)
        return refuse(reply, "Authorization: Bearer KEY is needed here.");
    text += 7 + strspn(text + 7, " ");
    if (!auth_key_find(req, text, &key, &found, reply))
        return false;
    if (!found)
        return refuse(reply, "This key is not known.");
    return auth_key_is(req, &key) && has_role(req, least, "The key", reply);
}

/* Of "a=1; quittance_session=TEXT; b=2" TEXT (RFC 6265 section 4.2.1). */
static const char *find_cookie(const char *cookie, size_t *len)
{
    static const char name[] = SESSION_COOKIE "=";

    while (cookie != NULL && *cookie != '\0') {
        cookie += strspn(cookie, " ;");
        if (strncmp(cookie, name, sizeof name - 1) == 0) {
            *len = strcspn(cookie + sizeof name - 1, "; ");
            return cookie + sizeof name - 1;
        }
        cookie += strcspn(cookie, ";");
    }
    return NULL;
}

bool auth_origin_is_ours(const char *origin, const char *host)
{
    const char *authority = origin != NULL ? strstr(origin, "://") : NULL;

    return origin == NULL || (authority != NULL && host != NULL && strcasecmp(authority + 3, host) == 0);
}

/* What a browser sends by itself must not be enough to change anything. */
static bool is_meant(const struct request *req, const struct session *session, struct reply *reply)
{
    char token[SESSION_TEXT];

    if (strcmp(req->method, "GET") == 0)
        return true;
    session_csrf(req->api->books[0]->sessions, session, token);
    if (auth_origin_is_ours(req->header.origin, req->header.host) && req->header.csrf != NULL
        && strlen(req->header.csrf) == strlen(token) && crypt_equal(req->header.csrf, token, strlen(token)))
        return true;
    problem(reply, 403, "csrf", "X-CSRF-Token of this session is needed here, from a page of this host.");
    return false;
}

/* A session by key ends with its key, and has its role; that of a wallet is read once, at the start. */
static bool still_stands(struct request *req, const struct session *session, bool *stands, struct reply *reply)
{
    struct api_key key;

    *stands = session->by_wallet;
    if (session->by_wallet)
        return true;
    return find_key(req->api->books[0], session->key, &key, stands, reply) && (!*stands || auth_key_is(req, &key));
}

static bool check_session(struct request *req, enum access_role least, const char *cookie, size_t len, struct reply *reply)
{
    struct sessions *sessions = req->api->books[0]->sessions;
    struct session session;
    bool stands = false;

    /* A stream of events is opened again by itself: that nobody sits there any more must show. */
    if (!session_find(sessions, cookie, len, req->route->handler != events_get, clock_now_ms(req->api->clock), &session))
        return refuse(reply, "This session has ended: sign in again.");
    memcpy(req->who, session.who, sizeof req->who);
    req->role = session.role;
    req->session = session.id;
    if (!still_stands(req, &session, &stands, reply))
        return false;
    if (!stands) {
        session_close(sessions, session.id);
        return refuse(reply, "The key of this session was deleted: sign in again.");
    }
    return has_role(req, least, "The session of", reply) && is_meant(req, &session, reply);
}

bool auth_check(struct request *req, enum access_role least, struct reply *reply)
{
    const char *cookie;
    size_t len;

    if (least == ACCESS_ANYONE)
        return true;
    if (req->header.authorization != NULL)
        return check_bearer(req, least, reply);
    cookie = find_cookie(req->header.cookie, &len);
    if (cookie != NULL)
        return check_session(req, least, cookie, len, reply);
    return refuse(reply, "Authorization: Bearer KEY is needed here, or to be signed in.");
}

/* The host without its port: "[::1]:80" is "[::1]". */
static size_t host_len(const char *host)
{
    const char *bracket = host[0] == '[' ? strchr(host, ']') : NULL;

    return bracket != NULL ? (size_t)(bracket - host) + 1 : strcspn(host, ":");
}

static bool port_is_plain(const char *rest)
{
    return *rest == '\0' || (*rest == ':' && rest[1 + strspn(rest + 1, "0123456789")] == '\0');
}

static bool same_host(const char *host, size_t len, const char *name, size_t name_len)
{
    return len == name_len && strncasecmp(host, name, len) == 0;
}

bool auth_host_is_ours(const char *host, const char *listen, const char *more_hosts)
{
    static const char *const loopback[] = { "localhost", "127.0.0.1", "[::1]" };
    size_t len;

    if (host == NULL || *host == '\0')
        return false;
    len = host_len(host);
    if (len == 0 || !port_is_plain(host + len))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(loopback); i++)
        if (same_host(host, len, loopback[i], strlen(loopback[i])))
            return true;
    if (same_host(host, len, listen, host_len(listen)))
        return true;
    while (more_hosts != NULL && *more_hosts != '\0') {
        size_t name = strcspn(more_hosts, ", ");

        if (same_host(host, len, more_hosts, name))
            return true;
        more_hosts += name + strspn(more_hosts + name, ", ");
    }
    return false;
}

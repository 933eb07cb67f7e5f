#include "api/auth.h"

#include <string.h>
#include <strings.h>

#include "api/context.h"
#include "api/problem.h"
#include "gateway/lib/crypt.h"
#include "store/keys.h"

#define KEY_TEXT_MAX 256

bool access_role_from_name(const char *name, enum access_role *role)
{
    static const char *const names[] = {
        [ACCESS_VIEWER] = "viewer", [ACCESS_OPERATOR] = "operator", [ACCESS_ADMIN] = "admin",
    };

    for (size_t i = ACCESS_VIEWER; i < ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0) {
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

static bool find_key(struct request *req, const char *text, struct api_key *key, bool *found, struct reply *reply)
{
    struct err err = { 0 };
    struct db *db;
    bool ok;

    if (!api_begin(req->api, &db, reply))
        return false;
    /* Looked up by the digest of what was sent: comparing digests tells nothing about the key. */
    ok = store_key_find(db, sha256(text, strlen(text)), key, found, &err);
    api_end(req->api, db);
    if (!ok)
        problem_from_err(reply, &err);
    return ok;
}

bool auth_check(struct request *req, enum access_role least, struct reply *reply)
{
    const char *text = req->header.authorization;
    struct api_key key;
    bool found;

    if (least == ACCESS_ANYONE)
        return true;
    if (text == NULL || strncasecmp(text, "Bearer ", 7) != 0)
        return refuse(reply, "Authorization: Bearer KEY is needed here.");
    text += 7 + strspn(text + 7, " ");
    if (strlen(text) > KEY_TEXT_MAX)
        return refuse(reply, "This key is not known.");
    if (!find_key(req, text, &key, &found, reply))
        return false;
    if (!found || !access_role_from_name(key.role, &req->role))
        return refuse(reply, "This key is not known.");
    memcpy(req->who, key.id, sizeof req->who);
    if (req->role < least) {
        problem(reply, 403, "forbidden", "The key %s has the role %s, which may not do this.", key.id, key.role);
        return false;
    }
    return true;
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

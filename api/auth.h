/* api/auth.h - who asks: Bearer keys by their SHA-256 (RFC 6750), roles, and the names that Host may have. */
#ifndef QUITTANCE_API_AUTH_H
#define QUITTANCE_API_AUTH_H

#include "api/request.h"
#include "store/keys.h"

const char *access_role_name(enum access_role role);
MUST_USE bool access_role_from_name(const char *name, enum access_role *role);      /* viewer, operator, admin */
/* Fills req->who and role.  false: the reply is 401, or 403 where the role is below `least`. */
bool auth_check(struct request *req, enum access_role least, struct reply *reply);
/* Whether a Host header names us: loopback, the listener's own host, or one of the comma-separated names.  A page
 * elsewhere whose name was pointed at us (DNS rebinding) sends its own name and is refused. */
bool auth_host_is_ours(const char *host, const char *listen, const char *more_hosts);

/* Whether a page of another site sent this: a browser then names it as Origin, and cookies are not to count. */
bool auth_origin_is_ours(const char *origin, const char *host);

#define SESSION_COOKIE "quittance_session"

/* For signing in: the key of this text; who and role of the request are the key's.  false: the reply is set, or, of the
 * second, the role is none that we know. */
bool auth_key_find(struct request *req, const char *text, struct api_key *key, bool *found, struct reply *reply);
bool auth_key_is(struct request *req, const struct api_key *key);

#endif

/* api/auth.h - who asks: Bearer keys by their SHA-256 (RFC 6750), roles, and the names that Host may have. */
#ifndef QUITTANCE_API_AUTH_H
#define QUITTANCE_API_AUTH_H

#include "api/request.h"

MUST_USE bool access_role_from_name(const char *name, enum access_role *role);      /* viewer, operator, admin */
/* Fills req->who and role.  false: the reply is 401, or 403 where the role is below `least`. */
bool auth_check(struct request *req, enum access_role least, struct reply *reply);
/* Whether a Host header names us: loopback, the listener's own host, or one of the comma-separated names.  A page
 * elsewhere whose name was pointed at us (DNS rebinding) sends its own name and is refused. */
bool auth_host_is_ours(const char *host, const char *listen, const char *more_hosts);

#endif

/* gateway/admin_client.h - asking a running `serve` over its admin listener, for commands that need its store.
 *
 * `serve` keeps its real addresses in a file beside the store (STORE.serve, JSON as it printed); whether that service
 * still runs is told by the store's lock, not by the file.  Calls are about the configuration's contract. */
#ifndef QUITTANCE_ADMIN_CLIENT_H
#define QUITTANCE_ADMIN_CLIENT_H

#include "chain/http.h"
#include "gateway/config.h"
#include "gateway/lib/json.h"

/* Where the file lies; caller frees. */
char *admin_address_file(const struct config *config);
/* The service's own: what it printed, kept beside the store; and gone again. */
MUST_USE bool admin_address_keep(const struct config *config, const struct buf *text, struct err *err);
void admin_address_forget(const struct config *config);
struct admin_client;
/* *client NULL: no service answers; take the store's lock yourself. */
MUST_USE bool admin_connect(const struct config *config, struct admin_client **client, struct err *err);
void admin_free(struct admin_client *client);
/* body NULL: none.  *answer is owned by the caller, NULL for 204.  A problem answer becomes an error: 409 ERR_CONFLICT,
 * 404 ERR_NOT_FOUND, 422 ERR_INVALID, 401/403 ERR_AUTH, 503 ERR_AGAIN. */
MUST_USE bool admin_call(struct admin_client *client, const char *method, const char *path, const json *body, json **answer, struct err *err);

#endif

/* chain/rpc_auth.h - secrets of endpoints, from a file that only its owner may read.
 *
 * One a line, blank lines and lines that begin with # apart:
 *     https://HOST[:PORT] basic USER:PASSWORD        (RFC 7617)
 *     https://HOST[:PORT] bearer TOKEN               (RFC 6750)
 * The first word is the endpoint as logs and status name it: its URL up to the path.  A secret over http leaves in the
 * clear and is refused, but for this machine's own addresses.  ERR_CONFIG names the line, never its secret. */
#ifndef QUITTANCE_CHAIN_RPC_AUTH_H
#define QUITTANCE_CHAIN_RPC_AUTH_H

#include "gateway/base/err.h"

/* Called for each line with the whole "Authorization: ..." header, owned: secret_free.  False: no such endpoint. */
typedef bool rpc_auth_taker(void *self, const char *name, char *owned);
MUST_USE bool rpc_auth_read(const char *path, rpc_auth_taker *take, void *self, struct err *err);

#endif

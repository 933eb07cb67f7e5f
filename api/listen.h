/* api/listen.h - a listening socket for HOST:PORT, port 0 allowed; [::1]:PORT for IPv6. */
#ifndef QUITTANCE_API_LISTEN_H
#define QUITTANCE_API_LISTEN_H

#include "gateway/base/err.h"

#define LISTEN_TEXT 64
/* Whether it has that form; whether it is of this machine only listen_open can tell. */
bool listen_is_address(const char *host_port);
/* ERR_CONFIG: no such address.  ERR_AGAIN: taken.  address: the real one, with the port that was given. */
MUST_USE bool listen_open(const char *host_port, int *fd, char address[LISTEN_TEXT], struct err *err);

#endif

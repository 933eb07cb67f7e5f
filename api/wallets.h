/* api/wallets.h - who may sign in with a wallet: [api] wallets, "0xADDRESS:ROLE, 0xADDRESS:ROLE".  Then only read. */
#ifndef QUITTANCE_API_WALLETS_H
#define QUITTANCE_API_WALLETS_H

#include "api/request.h"

#define WALLETS_MAX 64
struct wallets { size_t count; struct { struct address address; enum access_role role; } list[WALLETS_MAX]; };
/* NULL or "": nobody.  ERR_CONFIG names the entry and the rule. */
MUST_USE bool wallets_parse(const char *text, struct wallets *wallets, struct err *err);
/* ACCESS_ANYONE: not among them. */
enum access_role wallets_role(const struct wallets *wallets, struct address address);

#endif

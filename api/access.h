/* api/access.h - who may read about jobs (design 6).  Where `disclosure = public`, everybody.
 *
 * Where only parties may: a viewer's API key (Authorization: Bearer, on both listeners) reads all; the header
 * `Quittance-Auth: {account} {expires} {signature}` reads what that account is a party of.  The signature is the account's
 * over Access(account, expires) in our EIP-712 domain; expires is Unix ms, not past, at most ACCESS_AHEAD_MS ahead: such a
 * header is a password while it lives.  For every call that tells of single jobs: receipts, statements, events. */
#ifndef QUITTANCE_API_ACCESS_H
#define QUITTANCE_API_ACCESS_H

#include "api/request.h"

#define ACCESS_AHEAD_MS (UINT64_C(24) * 3600 * 1000)

struct reader {
    bool all;                                 /* may read everything; else what `account` is a party of */
    struct address account;
};
/* false: the reply is 401, or 403 for a key whose role is too low. */
bool access_reader(struct request *req, struct reader *reader, struct reply *reply);
/* For calls about one account: its own, or all.  false: the reply is 401 or 403. */
bool access_account(struct request *req, struct address account, struct reply *reply);
/* 403: nothing here is for this reader.  The same whether there is such a thing or not. */
void access_refuse(const struct reader *reader, struct reply *reply);

#endif

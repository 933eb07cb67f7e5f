#include "api/access.h"

#include <string.h>

#include "api/auth.h"
#include "api/context.h"
#include "api/problem.h"
#include "gateway/base/hex.h"
#include "gateway/core/typed.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/secp.h"

static bool refuse(struct reply *reply, const char *rule)
{
    problem(reply, 401, "unauthorized", "Only parties may read this: send Quittance-Auth: ACCOUNT EXPIRES SIGNATURE, or a"
            " viewer's API key. %s", rule);
    reply_header(reply, "WWW-Authenticate", "Bearer realm=\"quittance\"");
    return false;
}

/* The next word of the header; false: there is none. */
static bool next_word(const char **rest, const char **word, size_t *len)
{
    *word = *rest + strspn(*rest, " ");
    *len = strcspn(*word, " ");
    *rest = *word + *len;
    return *len > 0;
}

static bool read_header(const char *text, struct access *access, struct signature *signature)
{
    const char *word;
    struct u256 expires;
    size_t len;

    if (!next_word(&text, &word, &len) || !address_from_text(word, len, &access->account))
        return false;
    if (!next_word(&text, &word, &len) || !u256_from_decimal(word, len, &expires) || !u256_to_u64(expires, &access->expires_ms))
        return false;
    return next_word(&text, &word, &len) && hex_decode(word, len, signature->b, sizeof signature->b)
        && text[strspn(text, " ")] == '\0';
}

static bool check_header(const struct request *req, struct reader *reader, struct reply *reply)
{
    const struct api *api = req->api;
    uint64_t now_ms = api->clock->now_ms(api->clock->self);
    struct signature signature;
    struct access access;
    struct address signer;
    struct err err = { 0 };

    if (req->header.quittance_auth == NULL)
        return refuse(reply, "");
    if (!read_header(req->header.quittance_auth, &access, &signature))
        return refuse(reply, "The header is an address, Unix milliseconds and a signature of 65 bytes, with spaces between.");
    if (access.expires_ms < now_ms)
        return refuse(reply, "It has expired.");
    if (access.expires_ms - now_ms > ACCESS_AHEAD_MS)
        return refuse(reply, "It may expire at most 24 hours ahead.");
    if (!secp_recover(&signature, typed_digest(&api->config->domain, access_struct_hash(&access)), &signer, &err)
        || !address_eq(signer, access.account))
        return refuse(reply, "The signature is not this account's over Access(account, expires).");
    *reader = (struct reader){ .account = access.account };
    return true;
}

bool access_reader(struct request *req, struct reader *reader, struct reply *reply)
{
    if (req->api->config->parties_only && req->header.authorization == NULL)
        return check_header(req, reader, reply);
    if (req->api->config->parties_only && !auth_check(req, ACCESS_VIEWER, reply))
        return false;
    *reader = (struct reader){ .all = true };
    return true;
}

bool access_account(struct request *req, struct address account, struct reply *reply)
{
    struct reader reader;

    if (!access_reader(req, &reader, reply))
        return false;
    if (reader.all || address_eq(reader.account, account))
        return true;
    access_refuse(&reader, reply);
    return false;
}

void access_refuse(const struct reader *reader, struct reply *reply)
{
    char account[ADDRESS_TEXT];

    address_to_text(reader->account, account);
    problem(reply, 403, "forbidden", "Nothing here is for %s: only parties may read it.", account);
}

#include "api/wallets.h"

#include <string.h>

#include "api/auth.h"
#include "gateway/lib/address_text.h"

static bool refuse(const char *entry, size_t len, const char *rule, struct err *err)
{
    return err_set(err, ERR_CONFIG, "[api] wallets: \"%.*s\" %s", (int)(len < 80 ? len : 80), entry, rule);
}

static bool add(struct wallets *w, const char *entry, size_t len, struct err *err)
{
    const char *colon = memchr(entry, ':', len);
    char role[16] = "";
    struct address address;
    size_t address_len = colon != NULL ? (size_t)(colon - entry) : len;

    if (colon == NULL || !address_from_text(entry, address_len, &address))
        return refuse(entry, len, "must be ADDRESS:ROLE", err);
    if (!address_checksum_fits(entry, address_len))
        return refuse(entry, len, "has a wrong checksum (EIP-55): mistyped?", err);
    if (wallets_role(w, address) != ACCESS_ANYONE)
        return refuse(entry, len, "is there twice", err);
    if (w->count == WALLETS_MAX)
        return err_set(err, ERR_CONFIG, "[api] wallets: has more than %d", WALLETS_MAX);
    if (len - address_len - 1 < sizeof role)
        memcpy(role, colon + 1, len - address_len - 1);
    if (!access_role_from_name(role, &w->list[w->count].role))
        return refuse(entry, len, "must end with :viewer, :operator or :admin", err);
    w->list[w->count++].address = address;
    return true;
}

bool wallets_parse(const char *text, struct wallets *wallets, struct err *err)
{
    struct wallets w = { 0 };

    for (text = text != NULL ? text : ""; *(text += strspn(text, ", ")) != '\0'; ) {
        size_t len = strcspn(text, ", ");

        if (!add(&w, text, len, err))
            return false;
        text += len;
    }
    *wallets = w;
    return true;
}

enum access_role wallets_role(const struct wallets *wallets, struct address address)
{
    for (size_t i = 0; i < wallets->count; i++)
        if (address_eq(wallets->list[i].address, address))
            return wallets->list[i].role;
    return ACCESS_ANYONE;
}

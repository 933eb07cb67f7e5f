#include "gateway/audit/quotes.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/base/mem.h"
#include "gateway/lib/secp.h"

void quotes_clear(struct quotes *q)
{
    free(q->list);
    *q = (struct quotes){ 0 };
}

void quotes_add(struct quotes *q, const struct issued_quote *quote)
{
    if (q->count == q->capacity) {
        q->capacity = q->capacity == 0 ? 64 : q->capacity * 2;
        q->list = mem_grow(q->list, q->capacity, sizeof *q->list);
    }
    q->list[q->count++] = (struct kept_quote){ quote_struct_hash(&quote->quote), *quote };
}

static bool check(const struct kept_quote *k, const struct domain *domain, const struct catalog *catalog, uint64_t sequence,
                  struct err *err)
{
    const struct issued_quote *q = &k->quote;
    const struct price_version *price = catalog_price(catalog, q->quote.model, q->issued_at_ms, q->issued_at_ms);
    char id[HASH_TEXT], name[HASH_TEXT + 8];
    struct place at = { sequence, name };
    struct address signer;

    hash_to_text(k->hash, id);
    snprintf(name, sizeof name, "quote %s", id);
    if (!secp_recover(&q->signature, typed_digest(domain, k->hash), &signer, err))
        return differs(err, DIFFERS_SIGNATURE, at, "the gateway's signature", "one that recovers to nobody");
    if (!address_eq(signer, q->signer))
        return differs_address(err, DIFFERS_SIGNATURE, at, q->signer, signer);
    if (q->quote.valid_until_ms > q->issued_at_ms + QUOTE_MAX_S * UINT64_C(1000))
        return differs_u64(err, DIFFERS_QUOTE, at, q->issued_at_ms + QUOTE_MAX_S * UINT64_C(1000), q->quote.valid_until_ms);
    if (price == NULL)
        return differs(err, DIFFERS_QUOTE, at, "a price in force when it was issued", "none");
    return price->version == q->quote.price_version || differs_u64(err, DIFFERS_QUOTE, at, price->version, q->quote.price_version);
}

static int by_hash(const void *a, const void *b)
{
    const struct kept_quote *x = a, *y = b;

    return memcmp(x->hash.b, y->hash.b, sizeof x->hash.b);
}

bool quotes_seal(struct quotes *q, const struct domain *domain, const struct catalog *catalog, uint64_t sequence, struct err *err)
{
    if (q->count > 1)
        qsort(q->list, q->count, sizeof *q->list, by_hash);
    for (size_t i = 0; i < q->count; i++)
        if (!check(&q->list[i], domain, catalog, sequence, err))
            return false;
    return true;
}

const struct quote *quotes_binding(const struct quotes *q, const struct receipt *r)
{
    struct kept_quote key = { .hash = r->quote };
    const struct kept_quote *found;

    if (q == NULL || q->count == 0 || hash_is_zero(r->quote))
        return NULL;
    found = bsearch(&key, q->list, q->count, sizeof key, by_hash);
    return found != NULL && quote_matches(&found->quote.quote, r) ? &found->quote.quote : NULL;
}

#include "gateway/settle/archive_offers.h"

#include <stdlib.h>

#include "gateway/base/mem.h"
#include "store/market.h"
#include "store/quotes.h"

void offers_clear(struct offers *o)
{
    free(o->markets);
    free(o->quotes);
    free(o->announced);
    *o = (struct offers){ 0 };
}

/* Few markets have receipts in one batch. */
static void use_market(struct offers *o, uint64_t base, uint64_t accepted_at_ms)
{
    size_t i = 0;

    while (i < o->market_count && o->markets[i].base != base)
        i++;
    if (i == o->market_count) {
        o->markets = mem_grow(o->markets, i + 1, sizeof *o->markets);
        o->markets[o->market_count++] = (struct market_use){ .base = base };
    }
    if (o->markets[i].until_ms < accepted_at_ms)
        o->markets[i].until_ms = accepted_at_ms;
}

static void use_price(struct offers *o, const struct price_version *price, uint64_t at_ms)
{
    if (price->market.window_s != 0 || price->step.base != 0)
        use_market(o, price->step.base != 0 ? price->step.base : price->version, at_ms);
}

void offers_of_receipt(struct offers *o, const struct price_version *price, const struct receipt *r, uint64_t accepted_at_ms)
{
    use_price(o, price, accepted_at_ms);
    if (hash_is_zero(r->quote))
        return;
    if (o->quote_count == o->quote_capacity) {
        o->quote_capacity = o->quote_capacity == 0 ? 64 : o->quote_capacity * 2;
        o->quotes = mem_grow(o->quotes, o->quote_capacity, sizeof *o->quotes);
    }
    o->quotes[o->quote_count++] = r->quote;
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(a, b, sizeof (struct hash));
}

static void sort_quotes(struct offers *o)
{
    size_t kept = 0;

    if (o->quote_count > 1)
        qsort(o->quotes, o->quote_count, sizeof *o->quotes, by_hash);
    for (size_t i = 0; i < o->quote_count; i++)
        if (kept == 0 || !hash_eq(o->quotes[kept - 1], o->quotes[i]))
            o->quotes[kept++] = o->quotes[i];
    o->quote_count = kept;
}

bool offers_quoted(struct offers *o, const struct catalog *catalog, struct db *db, offers_price_fn *take, void *self, struct err *err)
{
    size_t kept = 0;

    sort_quotes(o);
    for (size_t i = 0; i < o->quote_count; i++) {
        const struct price_version *price;
        struct issued_quote quote;
        bool found;

        if (!store_quote_find(db, o->quotes[i], &quote, &found, err))
            return false;
        if (!found || quote.issued_at_ms > o->until_ms)
            continue;
        o->quotes[kept++] = o->quotes[i];
        price = catalog_price_version(catalog, quote.quote.price_version);
        if (price == NULL)
            continue;
        take(self, price);
        use_price(o, price, quote.issued_at_ms);
    }
    o->quote_count = kept;
    return true;
}

static int by_model(const void *a, const void *b)
{
    const struct announcement *x = a, *y = b;
    int models = memcmp(x->capacity.model.b, y->capacity.model.b, sizeof x->capacity.model.b);

    return models != 0 ? models : announcement_order(x, y);
}

static bool keep(void *self, const struct announcement *a, struct err *err)
{
    struct offers *o = self;

    (void)err;
    if (o->announced_count == o->announced_capacity) {
        o->announced_capacity = o->announced_capacity == 0 ? 64 : o->announced_capacity * 2;
        o->announced = mem_grow(o->announced, o->announced_capacity, sizeof *o->announced);
    }
    o->announced[o->announced_count++] = *a;
    return true;
}

static void drop_doubles(struct offers *o)
{
    size_t kept = 0;

    for (size_t i = 0; i < o->announced_count; i++)
        if (kept == 0 || by_model(&o->announced[kept - 1], &o->announced[i]) != 0)
            o->announced[kept++] = o->announced[i];
    o->announced_count = kept;
}

bool offers_load(struct offers *o, const struct catalog *catalog, struct db *db, struct err *err)
{
    for (size_t i = 0; i < o->market_count; i++) {
        const struct price_version *base = catalog_price_version(catalog, o->markets[i].base);
        uint64_t first_ms = base == NULL ? 0 : market_first_window(&base->market, base->effective_from_ms, base->recorded_at_ms);

        if (base == NULL)
            return err_set(err, ERR_BUG, "the base of a market is not in the catalog");
        if (!store_capacities(db, base->model, first_ms > CAPACITY_REACH_MS ? first_ms - CAPACITY_REACH_MS : 0,
                              o->markets[i].until_ms, keep, o, err))
            return false;
    }
    if (o->announced_count > 1)
        qsort(o->announced, o->announced_count, sizeof *o->announced, by_model);
    drop_doubles(o);                          /* two markets of one model that followed each other */
    return true;
}

void offers_drop(struct offers *o, const struct announcement *published)
{
    const struct announcement *at = o->announced_count == 0 ? NULL
        : bsearch(published, o->announced, o->announced_count, sizeof *published, by_model);
    size_t i = at == NULL ? 0 : (size_t)(at - o->announced);

    if (at != NULL)
        memmove(&o->announced[i], &o->announced[i + 1], (--o->announced_count - i) * sizeof *o->announced);
}

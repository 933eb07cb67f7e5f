#include "api/held.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/clock.h"
#include "gateway/base/mem.h"
#include "store/batches.h"
#include "store/meta.h"

#define CHEAP_MS 50
#define COST_SHARE 20                         /* what is not cheap takes at most a twentieth of the time */
#define CHUNK 1000

struct held_row { struct address account; struct amount amount; };
struct held {
    pthread_mutex_t lock;
    bool known;
    uint64_t group, summed_at_ms, took_ms;    /* what it was summed from, when, and for how long */
    struct held_row *rows;                    /* sorted by account */
    size_t count, capacity;
    struct { uint64_t number, counted_at_ms, took_ms; } all;
};

struct held *held_new(void)
{
    struct held *held = mem_new(sizeof *held);

    pthread_mutex_init(&held->lock, NULL);
    return held;
}

void held_free(struct held *held)
{
    if (held == NULL)
        return;
    pthread_mutex_destroy(&held->lock);
    free(held->rows);
    free(held);
}

bool held_worth(const struct catalog *catalog, const struct receipt_row *row, struct amount *worth)
{
    const struct receipt *r = &row->signed_.receipt;
    const struct price_version *price = catalog_price(catalog, r->model, r->finished_at_ms, CATALOG_LATEST);
    struct err ignored = { 0 };

    return price != NULL && price_receipt(price, r->count, worth, &ignored);
}

static size_t lower_bound(const struct held *held, const struct address *account)
{
    size_t low = 0, high = held->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (address_cmp(&held->rows[middle].account, account) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool add(struct held *held, struct address account, struct amount amount, struct err *err)
{
    size_t at = lower_bound(held, &account);

    if (at == held->count || !address_eq(held->rows[at].account, account)) {
        if (held->count == held->capacity) {
            held->capacity = held->capacity > 0 ? 2 * held->capacity : 64;
            held->rows = mem_grow(held->rows, held->capacity, sizeof *held->rows);
        }
        memmove(&held->rows[at + 1], &held->rows[at], (held->count - at) * sizeof *held->rows);
        held->rows[at] = (struct held_row){ .account = account };
        held->count++;
    }
    return amount_add(held->rows[at].amount, amount, &held->rows[at].amount)
        || err_set(err, ERR_OVERFLOW, "what is held for an account is over 256 bits");
}

struct sum {
    struct held *held;
    const struct catalog *catalog;
    struct address protocol_account;
    uint64_t seen;
    struct held_cursor last;
};

/* A stranger, or a model of nobody: the provider's part alone can be told, the rest waits for who will be verified. */
static bool add_stranger(struct sum *s, const struct price_version *price, struct address provider, struct amount worth,
                         struct err *err)
{
    const struct provider *known = catalog_provider(s->catalog, provider, CATALOG_LATEST);
    struct amount creator, protocol, part = worth;

    if (!amount_share(worth, price->split_bps[SPLIT_CREATOR], &creator) || !amount_sub(part, creator, &part)
        || !amount_share(worth, price->split_bps[SPLIT_PROTOCOL], &protocol) || !amount_sub(part, protocol, &part))
        return err_set(err, ERR_BUG, "the split of price version %llu", (unsigned long long)price->version);
    return add(s->held, known != NULL ? known->payout : provider, part, err);
}

static bool add_row(void *self, const struct receipt_row *row, struct err *err)
{
    struct sum *s = self;
    const struct receipt *r = &row->signed_.receipt;
    const struct price_version *price = catalog_price(s->catalog, r->model, r->finished_at_ms, CATALOG_LATEST);
    struct shares shares = { 0 };
    struct amount worth;
    bool ok = true;

    s->seen++;
    s->last = (struct held_cursor){ row->received_at_ms, r->job_id, r->provider };
    if (price == NULL || !held_worth(s->catalog, row, &worth))
        return true;
    if (catalog_provider(s->catalog, r->provider, CATALOG_LATEST) == NULL
        || catalog_model(s->catalog, r->model, CATALOG_LATEST) == NULL)
        return add_stranger(s, price, r->provider, worth, err);
    ok = ledger_split(s->catalog, r, price, worth, s->protocol_account, CATALOG_LATEST, &shares, err);
    for (size_t i = 0; ok && i < shares.count; i++)
        ok = add(s->held, shares.list[i].account, shares.list[i].amount, err);
    shares_clear(&shares);
    return ok;
}

static bool sum_all(struct held *held, struct db *db, const struct catalog *catalog, struct err *err)
{
    struct sum s = { .held = held, .catalog = catalog };
    struct batch_row open;
    uint64_t before;

    if (!store_batch_open(db, &open, err))
        return false;
    s.protocol_account = open.protocol_account;
    held->count = 0;
    do {
        const struct held_cursor after = s.last;

        before = s.seen;
        if (!store_receipts_held(db, before > 0 ? &after : NULL, CHUNK, add_row, &s, err))
            return false;
    } while (s.seen == before + CHUNK && s.seen < HELD_SCAN_MAX);
    return true;
}

bool held_of_account(struct held *held, struct db *db, const struct catalog *catalog, struct address account,
                     struct amount *sum, struct err *err)
{
    uint64_t group, now = clock_monotonic_ms();
    bool ok;

    if (!store_meta_get(db, "group", &group, err))
        return false;
    pthread_mutex_lock(&held->lock);
    ok = held->known
      && (held->group == group || (held->took_ms >= CHEAP_MS && now - held->summed_at_ms < COST_SHARE * held->took_ms));
    if (!ok) {
        ok = held->known = sum_all(held, db, catalog, err);
        held->group = group;
        held->summed_at_ms = clock_monotonic_ms();
        held->took_ms = held->summed_at_ms - now;
    }
    if (ok) {
        size_t at = lower_bound(held, &account);
        bool hit = at < held->count && address_eq(held->rows[at].account, account);

        *sum = hit ? held->rows[at].amount : AMOUNT_ZERO;
    }
    pthread_mutex_unlock(&held->lock);
    return ok;
}

bool held_count(struct held *held, struct db *db, uint64_t *number, struct err *err)
{
    uint64_t now = clock_monotonic_ms();
    bool ok = true;

    pthread_mutex_lock(&held->lock);
    if (held->all.took_ms < CHEAP_MS || now - held->all.counted_at_ms >= COST_SHARE * held->all.took_ms) {
        ok = store_receipts_held_count(db, HELD_COUNT_MAX, &held->all.number, err);
        held->all.counted_at_ms = clock_monotonic_ms();
        held->all.took_ms = held->all.counted_at_ms - now;
    }
    *number = held->all.number;
    pthread_mutex_unlock(&held->lock);
    return ok;
}

#include "gateway/core/keyring.h"

#include <stdlib.h>

#include "gateway/base/mem.h"

void keyring_clear(struct keyring *k)
{
    free(k->delegations);
    free(k->revocations);
    *k = (struct keyring){ 0 };
}

/* A list grows each time its count is a power of two. */
static void *grow(void *owned, size_t count, size_t size)
{
    return (count & (count - 1)) == 0 ? mem_grow(owned, count == 0 ? 1 : count * 2, size) : owned;
}

void keyring_add_delegation(struct keyring *k, const struct delegation *d)
{
    k->delegations = grow(k->delegations, k->delegation_count, sizeof *d);
    k->delegations[k->delegation_count++] = *d;
}

void keyring_add_revocation(struct keyring *k, const struct revocation *r)
{
    k->revocations = grow(k->revocations, k->revocation_count, sizeof *r);
    k->revocations[k->revocation_count++] = *r;
}

static int u64_cmp(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int key_cmp(const struct address *provider_a, const struct address *key_a, const struct address *provider_b, const struct address *key_b)
{
    int order = address_cmp(provider_a, provider_b);

    return order != 0 ? order : address_cmp(key_a, key_b);
}

static int by_message(const void *left, const void *right)
{
    const struct delegation *a = left, *b = right;
    int order = key_cmp(&a->provider, &a->key, &b->provider, &b->key);

    if (order == 0)
        order = u64_cmp(a->valid_from_ms, b->valid_from_ms);
    return order != 0 ? order : u64_cmp(a->valid_until_ms, b->valid_until_ms);
}

static int by_since(const void *left, const void *right)
{
    const struct revocation *a = left, *b = right;
    int order = key_cmp(&a->provider, &a->key, &b->provider, &b->key);

    return order != 0 ? order : u64_cmp(a->since_ms, b->since_ms);
}

void keyring_seal(struct keyring *k)
{
    if (k->delegation_count > 1)
        qsort(k->delegations, k->delegation_count, sizeof *k->delegations, by_message);
    if (k->revocation_count > 1)
        qsort(k->revocations, k->revocation_count, sizeof *k->revocations, by_since);
}

const struct delegation *keyring_delegation(const struct keyring *k, const struct delegation *like)
{
    return k->delegation_count == 0 ? NULL : bsearch(like, k->delegations, k->delegation_count, sizeof *like, by_message);
}

const struct revocation *keyring_revocation(const struct keyring *k, const struct revocation *like)
{
    return k->revocation_count == 0 ? NULL : bsearch(like, k->revocations, k->revocation_count, sizeof *like, by_since);
}

/* The first that is not before this message in their order. */
static size_t first_delegation(const struct keyring *k, struct address provider, struct address key)
{
    const struct delegation like = { .provider = provider, .key = key };
    size_t low = 0, high = k->delegation_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (by_message(&k->delegations[middle], &like) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool keyring_has(const struct keyring *k, struct address provider)
{
    size_t at = first_delegation(k, provider, (struct address){ { 0 } });

    return at < k->delegation_count && address_eq(k->delegations[at].provider, provider);
}

/* Recorded from then on, and not after. */
static bool revoked_between(const struct keyring *k, const struct delegation *d, uint64_t until_ms)
{
    const struct revocation like = { .provider = d->provider, .key = d->key, .since_ms = d->since_ms };
    size_t low = 0, high = k->revocation_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (by_since(&k->revocations[middle], &like) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < k->revocation_count && k->revocations[low].since_ms <= until_ms
        && key_cmp(&k->revocations[low].provider, &k->revocations[low].key, &d->provider, &d->key) == 0;
}

enum key_standing keyring_standing(const struct keyring *k, struct address provider, struct address key, uint64_t finished_at_ms,
                                   uint64_t accepted_at_ms, const struct delegation **by)
{
    enum key_standing best = KEY_UNKNOWN;

    for (size_t i = first_delegation(k, provider, key); i < k->delegation_count; i++) {
        const struct delegation *d = &k->delegations[i];

        if (key_cmp(&d->provider, &d->key, &provider, &key) != 0)
            break;
        if (d->since_ms > accepted_at_ms)
            continue;
        if (revoked_between(k, d, accepted_at_ms)) {
            best = KEY_REVOKED;
        } else if (finished_at_ms >= d->valid_from_ms && finished_at_ms <= d->valid_until_ms) {
            *by = d;
            return KEY_VALID;
        } else if (best == KEY_UNKNOWN) {
            best = KEY_OUT_OF_TIME;
        }
    }
    return best;
}

const char *key_standing_text(enum key_standing standing)
{
    switch (standing) {
    case KEY_VALID:       return "";
    case KEY_UNKNOWN:     return "does not recover to the provider, nor to a key that it delegated";
    case KEY_OUT_OF_TIME: return "is by a delegated key that has expired, or was not valid yet, at finishedAt";
    case KEY_REVOKED:     return "is by a delegated key that was revoked";
    }
    bug("key standing %d", (int)standing);
}

#include "gateway/core/hidden.h"

#include <stdlib.h>

static void add(uint64_t *sum, uint64_t more)
{
    *sum = more > UINT64_MAX - *sum ? UINT64_MAX : *sum + more;
}

void cache_use_add(struct cache_use *sum, const struct cache_use *more)
{
    add(&sum->jobs, more->jobs);
    add(&sum->input, more->input);
    add(&sum->cached, more->cached);
}

struct amount cache_use_pack(uint64_t input, uint64_t cached)
{
    return (struct amount){ { { input, 0, cached, 0 } } };
}

struct cache_use cache_use_unpack(struct amount sum, uint64_t jobs)
{
    const uint64_t *limb = sum.base_units.limb;

    return (struct cache_use){ jobs, limb[1] != 0 ? UINT64_MAX : limb[0], limb[3] != 0 ? UINT64_MAX : limb[2] };
}

/* Below 2^60, so that products of three fit; of sums beyond it only the share is kept. */
static struct cache_use scaled(const struct cache_use *u)
{
    struct cache_use s = *u;

    for (; s.input >> 60 != 0 || s.cached >> 60 != 0; s.input >>= 1)
        s.cached >>= 1;
    return s;
}

/* times * a.cached / a.input against b's. */
static int share_cmp(const struct cache_use *a, unsigned times, const struct cache_use *b)
{
    struct cache_use x = scaled(a), y = scaled(b);
    unsigned __int128 left = (unsigned __int128)x.cached * y.input * times, right = (unsigned __int128)y.cached * x.input;

    return left < right ? -1 : left > right;
}

/* Those that count first, in order of their share. */
static int by_share(const void *left, const void *right)
{
    const struct cache_peer *a = left, *b = right;

    if (a->counts != b->counts)
        return a->counts ? -1 : 1;
    return a->counts ? share_cmp(&a->use, 1, &b->use) : 0;
}

void hidden_judge(struct cache_peer *peers, size_t count)
{
    size_t counting = 0;

    for (size_t i = 0; i < count; i++) {
        peers[i].hides = false;
        peers[i].counts = peers[i].use.jobs >= HIDDEN_JOBS_LEAST && peers[i].use.input > 0;
        counting += peers[i].counts;
    }
    if (counting < 2)
        return;
    qsort(peers, count, sizeof *peers, by_share);
    for (size_t i = 0; i < counting; i++) {
        size_t middle = (counting - 2) / 2;   /* of the others; of two middles the lower */

        peers[i].median = peers[middle < i ? middle : middle + 1].use;
        peers[i].hides = share_cmp(&peers[i].use, 10, &peers[i].median) < 0;
    }
}

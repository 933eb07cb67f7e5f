/* tests/sim/contract_parts.h - words in and out, and which batch counts: what contract.c and contract_view.c share. */
#ifndef QUITTANCE_SIM_CONTRACT_PARTS_H
#define QUITTANCE_SIM_CONTRACT_PARTS_H

#include "tests/sim/chain.h"

#define WORD 32u

/* Arguments by word. */
struct args { const uint8_t *data; size_t len; };

static inline const uint8_t *word(const struct args *a, size_t i)
{
    static const uint8_t zero[WORD];

    return (i + 1) * WORD <= a->len ? a->data + i * WORD : zero;
}

static inline uint64_t number(const struct args *a, size_t i)
{
    uint64_t v = 0;

    for (unsigned k = 24; k < WORD; k++)
        v = v << 8 | word(a, i)[k];
    return v;
}

static inline struct hash hash_at(const struct args *a, size_t i)
{
    struct hash h;

    memcpy(h.b, word(a, i), sizeof h.b);
    return h;
}

static inline struct address address_at(const struct args *a, size_t i)
{
    struct address who;

    memcpy(who.b, word(a, i) + 12, sizeof who.b);
    return who;
}

static inline void put(struct buf *out, uint64_t v)
{
    uint8_t w[WORD] = { 0 };

    for (unsigned k = WORD; k-- > 24; v >>= 8)
        w[k] = (uint8_t)v;
    buf_add(out, w, sizeof w);
}

static inline void put_address(struct buf *out, struct address a)
{
    buf_add_zeros(out, 12);
    buf_add(out, a.b, sizeof a.b);
}

/* -- Batches.sol -- */
static inline bool is_pending(const struct execution *x) { return x->time_s < x->state->active_at_s; }
static inline unsigned before(unsigned place) { return place > 0 ? place - 1 : 2; }
static inline unsigned active(const struct execution *x) { return is_pending(x) ? before(x->state->newest) : x->state->newest; }
static inline uint64_t active_total(const struct execution *x) { return is_pending(x) ? x->state->before : x->state->total; }

typedef bool call_fn(struct execution *x, const struct args *a);
call_fn view_claimed, view_header, view_pending;
bool view_word(struct execution *x, const char *name);     /* a view of one word */

#endif

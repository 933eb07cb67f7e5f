/* The contract's views. */
#include "tests/sim/contract_parts.h"

bool view_claimed(struct execution *x, const struct args *a)
{
    unsigned who = chain_person(x->chain, address_at(a, 0));

    put(&x->result, who < SIM_PEOPLE ? x->state->claimed[who] : 0);
    return true;
}

bool view_header(struct execution *x, const struct args *a)
{
    struct hash zero = { { 0 } };
    uint64_t n = number(a, 0);

    buf_add(&x->result, n <= SIM_SEQUENCES ? x->state->header[n].b : zero.b, WORD);
    return true;
}

bool view_pending(struct execution *x, const struct args *a)
{
    const struct state *st = x->state;

    (void)a;
    if (!is_pending(x)) {
        buf_add_zeros(&x->result, 4 * WORD);
        return true;
    }
    put(&x->result, st->sequence);
    buf_add(&x->result, st->roots[st->newest].b, WORD);
    put(&x->result, st->total);
    put(&x->result, st->active_at_s);
    return true;
}

/* A view of one word.*/
bool view_word(struct execution *x, const char *name)
{
    const struct state *st = x->state;
    const struct { const char *name; uint64_t v; } numbers[] = {
        { "sequence()", st->sequence }, { "total()", active_total(x) }, { "totalClaimed()", st->claimed_sum },
        { "cap()", UINT64_C(1) << 60 }, { "capAvailable()", UINT64_C(1) << 60 },
        { "activationDelay()", x->chain->activation_delay_s }, { "roleDelay()", 0 }, { "capWindow()", 86400 },
        { "pausedUntil()", st->paused_until_s }, { "funder()", 0 },
    };
    const struct { const char *name; struct address a; } addresses[] = {
        { "token()", x->chain->token }, { "owner()", x->chain->admin }, { "operator()", st->operator_ },
        { "guardian()", x->chain->guardian },
    };

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (strcmp(numbers[i].name, name) == 0) {
            put(&x->result, numbers[i].v);
            return true;
        }
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
        if (strcmp(addresses[i].name, name) == 0) {
            put_address(&x->result, addresses[i].a);
            return true;
        }
    buf_add(&x->result, st->roots[strcmp(name, "activeRoot()") == 0 ? active(x) : before(active(x))].b, WORD);
    return true;
}

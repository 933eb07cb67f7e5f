#include "gateway/core/popularity.h"

#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/core/isqrt.h"

#define CAPACITY_FIRST 64u

bool popularity_terms_same(const struct popularity_terms *a, const struct popularity_terms *b)
{
    return a->epoch == b->epoch && a->begins_ms == b->begins_ms && a->ends_ms == b->ends_ms
        && amount_cmp(a->budget, b->budget) == 0 && a->cap_bps == b->cap_bps;
}

struct amount popularity_fee_of(const struct price_version *price, struct amount amount)
{
    struct amount fee;

    if (!amount_share(amount, price->split_bps[SPLIT_PROTOCOL], &fee))
        bug("a part that is more than the whole");
    return fee;
}

/* -- fees -- */

void popularity_fees_clear(struct popularity_fees *f)
{
    free(f->list);
    *f = (struct popularity_fees){ 0 };
}

static int by_model_and_consumer(const void *left, const void *right)
{
    const struct popularity_fee *a = left, *b = right;
    int models = memcmp(a->model.b, b->model.b, sizeof a->model.b);

    return models != 0 ? models : address_cmp(&a->consumer, &b->consumer);
}

bool popularity_fees_sort(struct popularity_fees *f, struct err *err)
{
    size_t kept = 0;

    if (f->count > 1)
        qsort(f->list, f->count, sizeof *f->list, by_model_and_consumer);
    for (size_t i = 0; i < f->count; i++) {
        struct popularity_fee *last = kept > 0 ? &f->list[kept - 1] : NULL;

        if (last == NULL || by_model_and_consumer(last, &f->list[i]) != 0)
            f->list[kept++] = f->list[i];
        else if (!amount_add(last->fees, f->list[i].fees, &last->fees))
            return err_set(err, ERR_OVERFLOW, "a consumer's protocol fees are over 256 bits");
    }
    f->count = kept;
    return true;
}

bool popularity_fees_add(struct popularity_fees *f, const struct popularity_fee *fee, struct err *err)
{
    bool full = f->count == f->capacity;

    if (full && !popularity_fees_sort(f, err))
        return false;
    /* After a sort there is room for as many again, so that it is paid for by the parts that led to it. */
    if (full && f->count * 2 >= f->capacity) {
        f->capacity = f->capacity == 0 ? CAPACITY_FIRST : f->capacity * 2;
        f->list = mem_grow(f->list, f->capacity, sizeof *f->list);
    }
    f->list[f->count++] = *fee;
    return true;
}

/* -- an epoch -- */

void popularity_clear(struct popularity *p)
{
    free(p->rows);
    *p = (struct popularity){ 0 };
}

bool popularity_score(const struct popularity_fees *fees, struct popularity *p, struct err *err)
{
    struct popularity_row *row = NULL;

    p->count = 0;
    p->rows = mem_grow(p->rows, fees->count + 1, sizeof *p->rows);
    for (size_t i = 0; i < fees->count; i++) {
        const struct popularity_fee *f = &fees->list[i];

        if (row == NULL || !hash_eq(row->model, f->model)) {
            row = &p->rows[p->count++];
            *row = (struct popularity_row){ .model = f->model };
        }
        if (!u256_add(row->score, u256_isqrt(f->fees.base_units), &row->score) || !amount_add(row->fees, f->fees, &row->fees))
            return err_set(err, ERR_OVERFLOW, "the popularity of a model is over 256 bits");
    }
    return true;
}

static bool sum_scores(const struct popularity *p, struct u256 *sum, struct err *err)
{
    *sum = U256_ZERO;
    for (size_t i = 0; i < p->count; i++)
        if (!u256_add(*sum, p->rows[i].score, sum))
            return err_set(err, ERR_OVERFLOW, "the sum of all scores is over 256 bits");
    return true;
}

bool popularity_share(struct popularity *p, struct err *err)
{
    struct amount available, left;
    struct u256 scores;

    if (!sum_scores(p, &scores, err))
        return false;
    if (!amount_add(p->terms.budget, p->carried_in, &available))
        return err_set(err, ERR_OVERFLOW, "budget and carry are over 256 bits");
    left = available;
    for (size_t i = 0; i < p->count; i++) {
        struct popularity_row *row = &p->rows[i];
        struct amount cap;

        row->share = AMOUNT_ZERO;
        if (u256_is_zero(row->score))
            continue;                         /* then fees are zero too */
        if (!u256_mul_div(available.base_units, row->score, scores, &row->share.base_units)
            || !amount_share(row->fees, p->terms.cap_bps, &cap))
            return err_set(err, ERR_OVERFLOW, "a share of the pool is over 256 bits");
        if (amount_cmp(row->share, cap) > 0)
            row->share = cap;
        if (!amount_sub(left, row->share, &left))
            bug("the shares of a pool sum to more than there is");
    }
    p->carried_out = left;
    return true;
}

bool popularity_paid(const struct popularity *p, struct amount *paid, struct err *err)
{
    struct amount sum = AMOUNT_ZERO;

    for (size_t i = 0; i < p->count; i++)
        if (!amount_add(sum, p->rows[i].share, &sum))
            return err_set(err, ERR_OVERFLOW, "the shares of a pool are over 256 bits");
    *paid = sum;
    return true;
}

bool popularity_credits(const struct catalog *c, const struct popularity *p, struct shares *credits, struct err *err)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct popularity_row *row = &p->rows[i];

        if (!amount_is_zero(row->share)
            && !ledger_pay_model(c, row->model, row->share, ROLE_POPULARITY, ROLE_POPULARITY, p->terms.ends_ms, credits, err))
            return false;
    }
    return true;
}

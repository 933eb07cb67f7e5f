#include "gateway/audit/totals.h"

#include <stdlib.h>

#include "gateway/base/mem.h"

#define CAPACITY_FIRST 1024

void totals_clear(struct totals *s)
{
    free(s->list);
    *s = (struct totals){ 0 };
}

static int compare(const void *left, const void *right)
{
    const struct account_sum *a = left, *b = right;

    return address_cmp(&a->account, &b->account);
}

bool totals_sort(struct totals *s, struct err *err)
{
    size_t kept = 0;

    if (s->count > 1)
        qsort(s->list, s->count, sizeof *s->list, compare);
    for (size_t i = 0; i < s->count; i++) {
        struct account_sum *last = kept > 0 ? &s->list[kept - 1] : NULL;

        if (last == NULL || !address_eq(last->account, s->list[i].account))
            s->list[kept++] = s->list[i];
        else if (!amount_add(last->amount, s->list[i].amount, &last->amount))
            return err_set(err, ERR_OVERFLOW, "the sum of an account is over 256 bits");
    }
    s->count = kept;
    return true;
}

bool totals_add(struct totals *s, struct address account, struct amount amount, struct err *err)
{
    bool full = s->count == s->capacity;

    if (full && !totals_sort(s, err))
        return false;
    /* After a sort there is room for as many again, so that it is paid for by the parts that led to it. */
    if (full && s->count * 2 >= s->capacity) {
        s->capacity = s->capacity == 0 ? CAPACITY_FIRST : s->capacity * 2;
        s->list = mem_grow(s->list, s->capacity, sizeof *s->list);
    }
    s->list[s->count++] = (struct account_sum){ account, amount };
    return true;
}

struct amount totals_of(const struct totals *s, struct address account)
{
    struct account_sum key = { account, AMOUNT_ZERO };
    const struct account_sum *found = s->count > 0 ? bsearch(&key, s->list, s->count, sizeof *s->list, compare) : NULL;

    return found != NULL ? found->amount : AMOUNT_ZERO;
}

bool totals_sum(const struct totals *s, struct amount *total, struct err *err)
{
    struct amount sum = AMOUNT_ZERO;

    for (size_t i = 0; i < s->count; i++)
        if (!amount_add(sum, s->list[i].amount, &sum))
            return err_set(err, ERR_OVERFLOW, "the sum of all accounts is over 256 bits");
    *total = sum;
    return true;
}

void totals_copy(const struct totals *from, struct totals *to)
{
    totals_clear(to);
    if (from->count == 0)
        return;
    to->list = mem_array(from->count, sizeof *to->list);
    memcpy(to->list, from->list, from->count * sizeof *to->list);
    to->count = to->capacity = from->count;
}

#include "gateway/audit/corrections.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/base/mem.h"
#include "gateway/lib/address_text.h"

#define NAME 64

void corrections_clear(struct corrections *c)
{
    free(c->ids);
    debts_clear(&c->owed);
    *c = (struct corrections){ 0 };
}

void corrected_clear(struct corrected *c)
{
    nets_clear(&c->nets);
    debts_clear(&c->changes);
}

/* False: it is there already. */
static bool note_id(struct corrections *all, uint64_t id)
{
    size_t at = all->count;

    while (at > 0 && all->ids[at - 1] > id)   /* they come in order but for what was carried */
        at--;
    if (at > 0 && all->ids[at - 1] == id)
        return false;
    if (all->count == all->capacity) {
        all->capacity = all->capacity == 0 ? 64 : all->capacity * 2;
        all->ids = mem_grow(all->ids, all->capacity, sizeof *all->ids);
    }
    memmove(&all->ids[at + 1], &all->ids[at], (all->count++ - at) * sizeof *all->ids);
    all->ids[at] = id;
    return true;
}

bool corrected_take(struct corrected *c, struct corrections *all, const struct adjustment *a, struct err *err)
{
    struct share credit = adjustment_credit(a), debit = adjustment_debit(a);
    char name[NAME];

    snprintf(name, sizeof name, "adjustment %" PRIu64, a->id);
    if (a->id <= c->last_id)
        return differs(err, DIFFERS_ADJUSTMENT, (struct place){ c->sequence, name }, "adjustments in order, each once", "one before it");
    c->last_id = a->id;
    if (!note_id(all, a->id))
        return differs(err, DIFFERS_ADJUSTMENT, (struct place){ c->sequence, name }, "one that is new",
                       "it was made in an earlier settlement");
    return nets_add(&c->nets, credit.account, credit.amount, AMOUNT_ZERO, err)
        && nets_add(&c->nets, debit.account, AMOUNT_ZERO, debit.amount, err);
}

bool corrected_settle(struct corrected *c, const struct corrections *all, struct address protocol_account, struct totals *credits,
                      struct debts *owed, struct err *err)
{
    for (size_t i = 0; i < credits->count; i++)
        if (!nets_add(&c->nets, credits->list[i].account, credits->list[i].amount, AMOUNT_ZERO, err))
            return false;
    totals_clear(credits);
    if (!nets_settle(&c->nets, &all->owed, protocol_account, owed, err))
        return false;
    for (size_t i = 0; i < c->nets.count; i++)
        if (!amount_is_zero(c->nets.list[i].growth) && !totals_add(credits, c->nets.list[i].account, c->nets.list[i].growth, err))
            return false;
    return totals_sort(credits, err);
}

static void name_account(struct address account, char name[NAME])
{
    char text[ADDRESS_TEXT];

    address_to_text(account, text);
    snprintf(name, NAME, "account %s", text);
}

bool corrected_take_debt(struct corrected *c, const struct corrections *all, const struct archive_debt *line, struct err *err)
{
    const struct debts *before = &all->owed, *changes = &c->changes;
    char name[NAME];
    struct place at = { c->sequence, name };

    name_account(line->account, name);
    if (changes->count > 0 && address_cmp(&changes->list[changes->count - 1].account, &line->account) >= 0)
        return differs(err, DIFFERS_DEBT, at, "debt lines by account, each once", "one before it");
    if (amount_cmp(debts_of(before, line->account), line->before) != 0)
        return differs_amount(err, DIFFERS_DEBT, at, debts_of(before, line->account), line->before);
    if (amount_cmp(line->before, line->after) == 0)
        return differs(err, DIFFERS_DEBT, at, "a debt that changed", "one that did not");
    debts_add(&c->changes, line->account, line->after);
    return true;
}

/* Both lists are by account. */
static void merge(const struct debts *before, const struct debts *changes, struct debts *after)
{
    size_t b = 0, c = 0;

    while (b < before->count || c < changes->count) {
        int order = b == before->count ? 1 : c == changes->count ? -1
                  : address_cmp(&before->list[b].account, &changes->list[c].account);
        const struct debt *d = order < 0 ? &before->list[b] : &changes->list[c];

        if (!amount_is_zero(d->amount))
            debts_add(after, d->account, d->amount);
        b += order <= 0;
        c += order >= 0;
    }
}

static bool is_told(const struct debts *told, const struct debts *owed, uint64_t sequence, struct err *err)
{
    char name[NAME];

    for (size_t i = 0; i < told->count + owed->count; i++) {
        struct address account = i < owed->count ? owed->list[i].account : told->list[i - owed->count].account;
        struct amount expected = debts_of(owed, account), found = debts_of(told, account);

        name_account(account, name);
        if (amount_cmp(expected, found) != 0)
            return differs_amount(err, DIFFERS_DEBT, (struct place){ sequence, name }, expected, found);
    }
    return true;
}

bool corrected_keep(struct corrected *c, struct corrections *all, struct address protocol_account, const struct debts *owed,
                    struct err *err)
{
    struct debts told = { .holder = protocol_account };

    merge(&all->owed, &c->changes, &told);
    if (owed != NULL && !is_told(&told, owed, c->sequence, err)) {
        debts_clear(&told);
        return false;
    }
    debts_clear(&all->owed);
    all->owed = told;
    return true;
}

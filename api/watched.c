#include "api/watched.h"

#include "store/ledger.h"

#define ALL_KINDS (CHANGED_RECEIPTS | CHANGED_SETTLEMENT | CHANGED_CLAIM)
static const char *const kind_names[] = { "receipts", "settlement", "claim" };

static struct watched_account *find(struct watched *w, struct address account)
{
    for (size_t i = 0; i < w->count; i++)
        if (address_eq(w->list[i].account, account))
            return &w->list[i];
    return NULL;
}

void watched_begin(struct watched *w, struct events *events)
{
    struct address accounts[EVENTS_LISTENERS_MAX];
    struct watched next = { .count = events_accounts(events, accounts) };

    for (size_t i = 0; i < next.count; i++) {
        const struct watched_account *was = find(w, accounts[i]);

        next.list[i] = was != NULL ? *was : (struct watched_account){ .account = accounts[i], .changed = ALL_KINDS };
    }
    *w = next;
}

void watched_settled(struct watched *w)
{
    for (size_t i = 0; i < w->count; i++)
        w->list[i].changed |= CHANGED_SETTLEMENT | CHANGED_CLAIM;
}

void watched_paid(struct watched *w, struct address account)
{
    struct watched_account *a = find(w, account);

    if (a != NULL)
        a->changed |= CHANGED_CLAIM;
}

static bool add_lines(void *self, const struct posting *p, struct err *err)
{
    uint64_t *lines = self;

    (void)err;
    *lines += p->count;
    return true;
}

/* Only the batch that is open grows, and whatever else happens to one is a settlement in another state. */
static bool look_at(struct watched_account *a, struct db *db, struct err *err)
{
    uint64_t batch, lines = 0;

    if (!store_account_batch_up_to(db, a->account, INT64_MAX, &batch, err)
        || !store_postings_of_account_in(db, a->account, batch, add_lines, &lines, err))
        return false;
    if (batch != a->batch || lines != a->lines)
        a->changed |= CHANGED_RECEIPTS;
    a->batch = batch;
    a->lines = lines;
    return true;
}

static void tell(struct watched_account *a, struct events *events, uint64_t now_ms)
{
    json *data = json_new_object(), *changed = json_new_array();

    for (size_t i = 0; i < ARRAY_LEN(kind_names); i++)
        if ((a->changed & 1u << i) != 0)
            json_add(changed, json_new_text(kind_names[i]));
    json_put_address(data, "account", a->account);
    json_put(data, "changed", changed);
    events_add_about(events, now_ms, a->account, "account", data);
    a->changed = 0;
}

bool watched_look(struct watched *w, struct events *events, struct db *db, uint64_t now_ms, struct err *err)
{
    for (size_t i = 0; i < w->count; i++) {
        struct watched_account *a = &w->list[i];

        if (!look_at(a, db, err))
            return false;
        if (a->changed != 0)
            tell(a, events, now_ms);
    }
    return true;
}

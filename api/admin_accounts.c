/* GET /admin/v1/accounts: who was ever credited or charged, with the sums that /v1/accounts tells of one. */
#include "api/account_sums.h"
#include "api/context.h"
#include "api/handlers.h"
#include "api/list.h"
#include "store/ledger.h"

struct listing { struct page *page; struct db *db; };

static bool add_row(void *self, struct address account, struct err *err)
{
    struct listing *l = self;
    struct account_sums sums;
    json *object;

    if (page_is_full(l->page))
        return page_add(l->page, account.b, NULL);
    if (!account_sum(l->db, account, &sums, err))
        return false;
    object = json_new_object();
    json_put_address(object, "account", account);
    json_put_amount(object, "earned", sums.earned);
    json_put_amount(object, "settled", sums.settled);
    json_put_amount(object, "paid", sums.paid);
    json_put_amount(object, "pending", sums.pending);
    if (sums.was_charged)
        json_put_amount(object, "charged", sums.charged);
    account_sums_clear(&sums);
    return page_add(l->page, account.b, object);
}

static bool walk(struct db *db, struct page *page, struct err *err)
{
    struct listing l = { page, db };
    struct address after = { { 0 } };

    if (page->has_after)
        memcpy(after.b, page->after, sizeof after);
    return store_accounts(db, after, page->limit + 1, add_row, &l, err);
}

void accounts_get(struct request *req, struct reply *reply)
{
    list_reply(req, sizeof(struct address), walk, reply);
}

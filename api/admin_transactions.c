#include "api/context.h"
#include "api/handlers.h"
#include "api/page.h"
#include "api/shapes.h"

struct listing { struct page *page; struct db *db; };

static bool add_row(void *self, const struct transaction_row *t, struct err *err)
{
    struct listing *l = self;
    struct tx_hash last;
    json *attempts;

    if (page_is_full(l->page))
        return page_add_numbered(l->page, t->id, NULL);
    if (!transaction_attempts(l->db, t->id, &attempts, &last, err))
        return false;
    return page_add_numbered(l->page, t->id, transaction_to_json(t, attempts));
}

void transactions_get(struct request *req, struct reply *reply)
{
    struct listing l;
    struct page page;
    struct err err = { 0 };

    if (!page_begin(req, 8, &page, reply))
        return;
    l.page = &page;
    if (!api_begin(req->api, &l.db, reply)) {
        page_drop(&page);
        return;
    }
    page_end(&page, store_tx_list(l.db, page_after_number(&page), page.limit + 1, add_row, &l, &err), &err, reply);
    api_end(req->api, l.db);
}

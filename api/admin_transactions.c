#include "api/context.h"
#include "api/handlers.h"
#include "api/list.h"
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

static bool walk(struct db *db, struct page *page, struct err *err)
{
    struct listing l = { page, db };

    return store_tx_list(db, page_after_number(page), page->limit + 1, add_row, &l, err);
}

void transactions_get(struct request *req, struct reply *reply)
{
    list_reply(req, sizeof(uint64_t), walk, reply);
}

#include "api/context.h"
#include "api/handlers.h"
#include "api/page.h"
#include "api/problem.h"
#include "api/settlement_shapes.h"

static bool add_row(void *self, const struct settlement_row *s, struct err *err)
{
    (void)err;
    return page_add_numbered(self, s->sequence, settlement_to_json(s));
}

void settlements_get(struct request *req, struct reply *reply)
{
    struct page page;
    struct err err = { 0 };
    struct db *db;

    if (!page_begin(req, 8, &page, reply))
        return;
    if (!api_begin(req->api, &db, reply)) {
        page_drop(&page);
        return;
    }
    page_end(&page, store_settlements(db, page_after_number(&page), page.limit + 1, add_row, &page, &err), &err, reply);
    api_end(req->api, db);
}

void settlement_get(struct request *req, struct reply *reply)
{
    struct settlement_row s;
    struct err err = { 0 };
    uint64_t sequence;
    struct db *db;
    bool ok, found;
    json *object;

    if (!request_number(req, 0, &sequence, reply) || !api_begin(req->api, &db, reply))
        return;
    ok = store_settlement_find(db, sequence, &s, &found, &err);
    if (ok && !found)
        problem(reply, 404, "not-found", "There is no settlement of this sequence.");
    else if (ok && settlement_in_full(db, &s, &object, &err))
        reply_json(reply, 200, object);
    else
        problem_from_err(reply, &err);
    api_end(req->api, db);
}

#include "api/context.h"
#include "api/handlers.h"
#include "api/list.h"
#include "api/problem.h"
#include "api/settlement_shapes.h"

static bool add_row(void *self, const struct settlement_row *s, struct err *err)
{
    (void)err;
    return page_add_numbered(self, s->sequence, settlement_to_json(s));
}

static bool walk(struct db *db, struct page *page, struct err *err)
{
    return store_settlements(db, page_after_number(page), page->limit + 1, add_row, page, err);
}

void settlements_get(struct request *req, struct reply *reply)
{
    list_reply(req, sizeof(uint64_t), walk, reply);
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

#include "api/context.h"
#include "api/handlers.h"
#include "api/list.h"
#include "api/problem.h"
#include "gateway/intake/admit.h"

struct addition { const struct request *req; struct idempotent *run; };

static json *row_to_json(const struct adjustment *a)
{
    json *object = adjustment_to_json(a);

    json_put_u64(object, "batch", a->batch);
    return object;
}

static bool keep_answer(void *self, struct group *group, const struct adjustment *a, struct err *err)
{
    const struct addition *addition = self;

    return idempotency_keep(addition->req, addition->run, group, 201, row_to_json(a), err);
}

static bool read_adjustment(const json *object, void *into, struct err *err)
{
    return adjustment_from_json(object, into, err);
}

static void adjust(struct request *req, struct idempotent *run, struct reply *reply)
{
    static const char *const names[] = { "account", "amount", "sign", "reason", "receipt" };
    struct adjustment a;
    struct err err = { 0 };

    if (!request_read(req, names, ARRAY_LEN(names), read_adjustment, &a, reply))
        return;
    if (adjust_account(req->api->intake, req->who, &a, keep_answer, &(struct addition){ req, run }, &err))
        reply_json(reply, 201, row_to_json(&a));
    else
        problem_from_err(reply, &err);
}

void adjustment_post(struct request *req, struct reply *reply)
{
    struct idempotent run;

    if (!idempotency_begin(req, &run, reply))
        return;
    adjust(req, &run, reply);
    idempotency_end(req, &run, reply);
}

static bool add_row(void *self, const struct adjustment *a, struct err *err)
{
    (void)err;
    return page_add_numbered(self, a->id, row_to_json(a));
}

static bool walk(struct db *db, struct page *page, struct err *err)
{
    return store_adjustments(db, page_after_number(page), page->limit + 1, add_row, page, err);
}

void adjustments_get(struct request *req, struct reply *reply)
{
    list_reply(req, sizeof(uint64_t), walk, reply);
}

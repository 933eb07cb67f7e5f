#include "api/context.h"
#include "api/handlers.h"
#include "api/market_shape.h"
#include "api/model_shape.h"
#include "api/page.h"
#include "api/problem.h"
#include "gateway/intake/admit.h"

#define KEY_LEN 52                            /* digest and creator */
#define CLAIMS_MAX 100                        /* of one digest that are looked at */
#define HISTORY_MAX 200                       /* price versions that are told, the newest; archives hold all that were used */

void model_post(struct request *req, struct reply *reply)
{
    enum admit_result result;
    struct err err = { 0 };
    struct model m;
    json *object;
    bool ok;

    if (!request_json(req, &object, reply))
        return;
    ok = model_from_json(object, &m, &err);
    json_free(object);
    if (!ok)
        problem(reply, 422, "malformed", "%s", err.text);
    else if (!register_model(req->api->intake, &m, &result, &err))
        problem_from_err(reply, &err);
    else
        model_reply(req->api, m.model, m.creator, result == ADMIT_CREATED ? 201 : 200, reply);
}

struct listing { const struct model_view *view; struct page *page; struct err *err; };

static bool add_row(void *self, const struct model *m)
{
    struct listing *l = self;
    uint8_t key[KEY_LEN];
    json *object;

    if (!page_is_full(l->page) && !model_to_answer(l->view, m, &object, l->err))
        return false;
    memcpy(key, m->model.b, 32);
    memcpy(key + 32, m->creator.b, 20);
    return page_add(l->page, key, page_is_full(l->page) ? NULL : object);
}

static void list(const struct model_view *view, struct page *page, struct reply *reply)
{
    struct err err = { 0 };
    struct listing l = { view, page, &err };
    struct hash model;
    struct address creator;
    bool ok;

    memcpy(model.b, page->after, 32);
    memcpy(creator.b, page->after + 32, 20);
    ok = store_models(view->db, page->has_after ? &model : NULL, page->has_after ? &creator : NULL, page->limit + 1,
                      add_row, &l, &err);
    page_end(page, ok && err.code == ERR_NONE, &err, reply);
}

void models_get(struct request *req, struct reply *reply)
{
    struct model_view view;
    struct page page;

    if (!page_begin(req, KEY_LEN, &page, reply))
        return;
    if (!model_view_begin(req->api, &view, reply)) {
        page_drop(&page);
        return;
    }
    list(&view, &page, reply);
    model_view_end(&view);
}

/* All claims to one digest. */
struct claims { struct hash model; size_t count; struct model first, verified; };

static bool add_claim(void *self, const struct model *m)
{
    struct claims *c = self;

    if (!hash_eq(m->model, c->model))
        return false;
    if (c->count++ == 0 || m->registered_at_ms < c->first.registered_at_ms)
        c->first = *m;
    if (m->verified_at_ms > 0)
        c->verified = *m;
    return true;
}

static bool add_version(void *self, const struct price_version *p)
{
    json_add(self, price_to_json(p));
    return json_count(self) < HISTORY_MAX;
}

/* What the model costs and has cost; where its price moves by itself, by what. */
static bool put_prices(const struct model_view *view, struct hash model, json *object, struct err *err)
{
    json *history = json_new_array(), *market;

    catalog_price_history(view->snapshot->catalog, model, add_version, history);
    json_put(object, "prices", history);
    if (!market_to_answer(view->db, model, &market, err))
        return false;
    if (market != NULL)
        json_put(object, "market", market);
    return true;
}

/* The verified claim, else the one that was registered first. */
void model_get(struct request *req, struct reply *reply)
{
    static const struct address nobody;
    struct claims c = { 0 };
    struct model_view view;
    struct err err = { 0 };
    json *object;

    if (!request_hash(req, 0, &c.model, reply) || !model_view_begin(req->api, &view, reply))
        return;
    if (!store_models(view.db, &c.model, &nobody, CLAIMS_MAX, add_claim, &c, &err) && err.code != ERR_NONE) {
        problem_from_err(reply, &err);
    } else if (c.count == 0) {
        problem(reply, 404, "not-found", "Nobody has registered this model here.");
    } else if (model_to_answer(&view, c.verified.verified_at_ms > 0 ? &c.verified : &c.first, &object, &err)) {
        json_put_u64(object, "claims", c.count);
        if (put_prices(&view, c.model, object, &err)) {
            reply_json(reply, 200, object);
        } else {
            json_free(object);
            problem_from_err(reply, &err);
        }
    } else {
        problem_from_err(reply, &err);
    }
    model_view_end(&view);
}

#include "api/model_shape.h"

#include "api/problem.h"
#include "gateway/pool/pool.h"

bool model_view_begin(struct api *api, struct model_view *view, struct reply *reply)
{
    struct err err = { 0 };

    view->api = api;
    if (!api_begin(api, &view->db, reply))
        return false;
    if (!usage_of_open_batch(view->db, &view->open, &err)) {
        problem_from_err(reply, &err);
    } else if (api_catalog(api, view->db, &view->snapshot, reply)) {
        return true;
    } else {
        usage_sums_clear(&view->open);
    }
    api_end(api, view->db);
    return false;
}

void model_view_end(struct model_view *view)
{
    usage_sums_clear(&view->open);
    snapshot_release(view->snapshot);
    api_end(view->api, view->db);
}

static void put_score(json *object, uint64_t epoch, const struct popularity_row *row)
{
    json_put_u64(object, "epoch", epoch);
    json_put_amount(object, "score", (struct amount){ row->score });
    json_put_amount(object, "fees", row->fees);
}

/* {epoch, score, fees} so far in the epoch under way, zeros where there is none; last: of the last one that was booked with this
 * model, and the share it got. */
static bool put_popularity(const struct model_view *view, struct hash model, uint64_t now_ms, json *object, struct err *err)
{
    struct popularity_row last, none = { .model = model };
    struct popularity_fees fees = { 0 };
    struct popularity p = { 0 };
    struct popularity_terms terms = { 0 };
    bool running, stored, found;
    uint64_t epoch;
    json *popularity;

    if (!store_pool_share_last(view->db, model, &epoch, &last, &found, err)
        || !pool_epoch_now(view->db, now_ms, &terms, &running, &stored, err)
        || (running && !(store_pool_fees_of_model(view->db, terms.epoch, model, &fees, err) && popularity_score(&fees, &p, err)))) {
        popularity_fees_clear(&fees);
        popularity_clear(&p);
        return false;
    }
    popularity = json_new_object();
    put_score(popularity, running ? terms.epoch : 0, p.count > 0 ? &p.rows[0] : &none);
    if (found) {
        json *before = json_new_object();

        put_score(before, epoch, &last);
        json_put_amount(before, "share", last.share);
        json_put(popularity, "last", before);
    }
    json_put(object, "popularity", popularity);
    popularity_fees_clear(&fees);
    popularity_clear(&p);
    return true;
}

bool model_to_answer(const struct model_view *view, const struct model *m, json **out, struct err *err)
{
    uint64_t now = clock_now_ms(view->api->clock);
    const struct price_version *price = catalog_price(view->snapshot->catalog, m->model, now, CATALOG_LATEST);
    struct model_usage sum;
    json *object;

    if (!usage_of_model(view->api->usage, view->db, &view->open, m->model, &sum, err))
        return false;
    object = json_new_object();
    json_put_hash(object, "model", m->model);
    json_put_address(object, "creator", m->creator);
    json_put_text(object, "name", m->name);
    json_put(object, "parents", model_parents_to_json(m));
    json_put_u64(object, "registeredAt", m->registered_at_ms);
    json_put_signature(object, "signature", &m->signature);
    if (!address_is_zero(m->contract))
        json_put_address(object, "contract", m->contract);
    json_put_text(object, "state", m->verified_at_ms > 0 ? "verified" : "unverified");
    if (price != NULL)
        json_put(object, "price", price_to_json(price));
    json_put_u64(object, "receipts", sum.receipts);
    json_put_amount(object, "usage", sum.amount);
    if (!put_popularity(view, m->model, now, object, err)) {
        json_free(object);
        return false;
    }
    *out = object;
    return true;
}

void model_reply(struct api *api, struct hash model, struct address creator, int status, struct reply *reply)
{
    struct model_view view;
    struct err err = { 0 };
    struct model m;
    bool found;
    json *object;

    if (!model_view_begin(api, &view, reply))
        return;
    if (!store_model_find(view.db, model, creator, &m, &found, &err))
        problem_from_err(reply, &err);
    else if (!found)
        problem(reply, 404, "not-found", "This creator has not registered this model.");
    else if (model_to_answer(&view, &m, &object, &err))
        reply_json(reply, status, object);
    else
        problem_from_err(reply, &err);
    model_view_end(&view);
}

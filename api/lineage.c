/* GET /v1/models/{digest}/lineage: a model among its relatives, as the ledger pays them. */
#include <stdio.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "gateway/base/hex.h"
#include "gateway/core/lineage.h"
#include "gateway/lib/crypt.h"

static const char *state_of(const struct model *claim)
{
    return claim == NULL ? "unregistered" : claim->verified_at_ms > 0 ? "verified" : "unverified";
}

static json *node_to_json(const struct lineage_node *node)
{
    json *object = json_new_object();
    char part[160];

    json_put_hash(object, "model", node->model);
    if (node->claim != NULL) {
        json_put_text(object, "name", node->claim->name);
        json_put_address(object, "creator", node->claim->creator);
    }
    json_put_text(object, "state", state_of(node->claim));
    json_put_text(object, "relation", lineage_relation_name(node->relation));
    json_put_u64(object, "steps", node->steps);
    if (node->has_part) {
        amount_to_units(node->part, LINEAGE_DECIMALS, part);
        json_put_text(object, "part", part);
    }
    return object;
}

static json *lineage_to_json(struct hash model, const struct lineage *l)
{
    json *object = json_new_object(), *nodes = json_new_array(), *edges = json_new_array();

    for (size_t i = 0; i < l->node_count; i++)
        json_add(nodes, node_to_json(&l->nodes[i]));
    for (size_t i = 0; i < l->edge_count; i++) {
        json *edge = json_new_object();

        json_put_hash(edge, "model", l->edges[i].model);
        json_put_hash(edge, "parent", l->edges[i].parent);
        json_put_u64(edge, "shareBps", l->edges[i].share_bps);
        json_add(edges, edge);
    }
    json_put_hash(object, "model", model);
    json_put(object, "nodes", nodes);
    json_put(object, "edges", edges);
    json_put(object, "moreDescendants", json_new_bool(l->more_descendants));
    return object;
}

/* It changes with every claim to a relative, so its tag is that of the text itself. */
static void answer(const struct request *req, json *owned, struct reply *reply)
{
    char text[33], etag[36];

    reply_json(reply, 200, owned);
    hex_encode_bare(sha256(reply->body.data, reply->body.len).b, 16, text);
    snprintf(etag, sizeof etag, "\"%s\"", text);
    reply_cache(reply, etag, false);
    reply_not_modified(reply, req->header.if_none_match, etag);
}

void lineage_get(struct request *req, struct reply *reply)
{
    const struct snapshot *snapshot;
    const struct model *m;
    struct err err = { 0 };
    struct lineage lineage;
    struct hash model;
    struct db *db;

    if (!request_hash(req, 0, &model, reply) || !api_begin(req->api, &db, reply))
        return;
    if (api_catalog(req->api, db, &snapshot, reply)) {
        m = catalog_claim(snapshot->catalog, model);
        if (m == NULL) {
            problem(reply, 404, "not-found", "Nobody has registered this model here.");
        } else if (!lineage_of(snapshot->catalog, m, &lineage, &err)) {
            problem_from_err(reply, &err);
        } else {
            answer(req, lineage_to_json(model, &lineage), reply);
            lineage_clear(&lineage);
        }
        snapshot_release(snapshot);
    }
    api_end(req->api, db);
}

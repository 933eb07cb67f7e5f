#include "api/context.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/receipts_decode.h"
#include "gateway/watchdog/publish.h"
#include "store/promise_signers.h"

#define MAX_AHEAD_S 300                       /* a receipt may have finished this far ahead of our clock (design 3) */

static json *domain_to_json(const struct api_config *c)
{
    json *object = json_new_object();

    json_put_text(object, "name", "Quittance");
    json_put_text(object, "version", "1");
    json_put_u64(object, "chainId", c->domain.chain_id);
    json_put_address(object, "verifyingContract", c->domain.contract);
    return object;
}

static void add_contract(json *list, const struct api *api, const char *state)
{
    json *object = json_new_object();

    json_put_address(object, "address", api->config->domain.contract);
    json_put_text(object, "state", state);
    json_add(list, object);
}

/* The predecessor's receipts are taken while they are in time; once it is retired it only pays what it owes. */
static json *contracts_to_json(const struct api *api)
{
    const struct api *predecessor = api->books[1];
    json *list = json_new_array();

    add_contract(list, api->books[0], "active");
    if (predecessor != NULL)
        add_contract(list, predecessor, atomic_load(&predecessor->retired) ? "retired" : "retiring");
    return list;
}

/* Decimals that are not known are left out: a page that took them for 0 would show other amounts. */
static json *token_to_json(const struct api *api)
{
    const struct token_words *words = atomic_load(&api->token);
    json *object = json_new_object();

    json_put_address(object, "address", api->config->token);
    if (words != NULL) {
        json_put_text(object, "symbol", words->symbol);
        json_put_u64(object, "decimals", words->decimals);
    }
    return object;
}

static bool add_promise_signer(void *self, const struct promise_signer *s, struct err *err)
{
    json *object = json_new_object();

    (void)err;
    json_put_address(object, "address", s->address);
    json_put_u64(object, "from", s->from_ms);
    if (s->until_ms > 0)
        json_put_u64(object, "until", s->until_ms);
    json_add(self, object);
    return true;
}

static json *limits_to_json(const struct api_config *c)
{
    json *object = json_new_object();

    json_put_u64(object, "maxBody", REQUEST_BODY_MAX);
    json_put_u64(object, "maxItems", RECEIPTS_ITEMS_MAX);
    json_put_u64(object, "maxAge", c->max_age_ms / 1000);
    json_put_u64(object, "maxAhead", MAX_AHEAD_S);
    json_put_u64(object, "quoteMax", c->quote_max_s);
    return object;
}

/* signers is taken. */
static json *info_to_json(const struct api *api, const struct settlement_row *last, json *signers)
{
    const struct api_config *c = api->config;
    json *object = json_new_object();

    json_put_text(object, "name", "Quittance");
    json_put_text(object, "version", QUITTANCE_VERSION);
    json_put_u64(object, "now", clock_now_ms(api->clock));
    json_put_u64(object, "chainId", c->domain.chain_id);
    json_put_address(object, "contract", c->domain.contract);
    json_put(object, "contracts", contracts_to_json(api));
    json_put(object, "token", token_to_json(api));
    json_put(object, "domain", domain_to_json(c));
    json_put_address(object, "signer", c->signer);
    json_put(object, "promiseSigners", signers);
    json_put_address(object, "protocolAccount", c->protocol_account);
    if (c->explorer != NULL && c->explorer[0] != '\0')
        json_put_text(object, "explorer", c->explorer);
    json_put(object, "limits", limits_to_json(c));
    json_put(object, "sequence", last != NULL ? json_new_u64(last->sequence) : json_new_null());
    return object;
}

void info_get(struct request *req, struct reply *reply)
{
    struct settlement_row last;
    struct err err = { 0 };
    json *signers;
    struct db *db;
    bool found;

    if (!api_begin(req->api, &db, reply))
        return;
    signers = json_new_array();
    if (store_settlement_last(db, &last, &found, &err) && store_promise_signers(db, add_promise_signer, signers, &err)) {
        reply_json(reply, 200, info_to_json(req->api, found ? &last : NULL, signers));
    } else {
        json_free(signers);
        problem_from_err(reply, &err);
    }
    api_end(req->api, db);
}

void health_get(struct request *req, struct reply *reply)
{
    json *object = json_new_object();

    (void)req;
    json_put_text(object, "status", "ok");
    reply_json(reply, 200, object);
}

/* Nothing published yet: nothing found yet. */
static bool add_findings(const struct api *api, bool is_one_of_two, json *list)
{
    struct findings findings = { 0 };
    struct facts facts;

    (void)watchdog_read(api->config->watchdog, &facts, &findings);
    findings_add_to(list, &findings, is_one_of_two ? &api->config->domain.contract : NULL);
    return findings_any(&findings, LEVEL_WARNING);
}

/* Only what stops receipts from being taken makes us not ready: a chain that is away, or a settlement that is stuck, must not. */
void ready_get(struct request *req, struct reply *reply)
{
    struct api *api = req->api, *other = api_other(req);
    bool degraded;
    json *object, *list;

    if (atomic_load(&api->draining)) {
        problem_busy(reply);
        return;
    }
    if (!writer_healthy(api->writer)) {
        problem(reply, 503, "store-not-writable", "The last commit of the store failed.");
        return;
    }
    list = json_new_array();
    degraded = add_findings(api, other != NULL, list);
    if (other != NULL && add_findings(other, true, list))
        degraded = true;
    object = json_new_object();
    json_put_text(object, "status", degraded ? "degraded" : "ready");
    json_put(object, "findings", list);
    reply_json(reply, 200, object);
}

#include "api/account_sums.h"
#include "api/context.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/shapes.h"
#include "chain/settlement.h"
#include "gateway/base/hex.h"
#include "store/ledger.h"

static json *by_role(const struct account_sums *sums)
{
    json *object = json_new_object();

    for (int role = ROLE_PROVIDER; role <= ROLE_PROTOCOL; role++)
        json_put_amount(object, role_name((enum role)role), sums->by_role[role]);
    return object;
}

static json *by_model(const struct account_sums *sums)
{
    json *object = json_new_object();

    for (size_t i = 0; i < sums->by_model.count; i++) {
        char model[HASH_TEXT];

        hash_to_text(sums->by_model.list[i].model, model);
        json_put_amount(object, model, sums->by_model.list[i].amount);
    }
    return object;
}

static json *account_to_json(struct address account, const struct account_sums *sums, struct amount held)
{
    json *object = json_new_object();

    json_put_address(object, "account", account);
    json_put_amount(object, "earned", sums->earned);
    json_put_amount(object, "settled", sums->settled);
    json_put_amount(object, "paid", sums->paid);
    json_put_amount(object, "pending", sums->pending);
    json_put_amount(object, "held", held);
    if (sums->was_charged)
        json_put_amount(object, "charged", sums->charged);
    json_put(object, "byRole", by_role(sums));
    json_put(object, "byModel", by_model(sums));
    return object;
}

static void answer(struct api *api, struct db *db, struct address account, struct reply *reply)
{
    const struct snapshot *snapshot;
    struct account_sums sums;
    struct amount held;
    struct err err = { 0 };

    if (!api_catalog(api, db, &snapshot, reply))
        return;
    if (!account_sum(db, account, &sums, &err)) {
        problem_from_err(reply, &err);
    } else {
        if (held_of_account(api->held, db, snapshot->catalog, account, &held, &err))
            reply_json(reply, 200, account_to_json(account, &sums, held));
        else
            problem_from_err(reply, &err);
        account_sums_clear(&sums);
    }
    snapshot_release(snapshot);
}

void account_get(struct request *req, struct reply *reply)
{
    struct address account;
    struct db *db;

    if (!request_address(req, 0, &account, reply) || !api_begin(req->api, &db, reply))
        return;
    answer(req->api, db, account, reply);
    api_end(req->api, db);
}

struct claim {
    struct address account;
    uint64_t sequence;
    struct amount claimable, claimed, due;
    struct proof proof;
};

/* false: there is nothing to claim, or err is set; reason tells why. */
static bool find_claim(struct api *api, struct db *db, struct claim *c, const char **reason, struct err *err)
{
    struct settlement_row active;
    struct tx_hash last;
    bool found, any;

    if (!store_settlement_active(db, &active, &found, err))
        return false;
    *reason = "No settlement is active yet.";
    if (!found)
        return false;
    c->sequence = active.sequence;
    if (!trees_reward(api->trees, db, active.sequence, api->config->token, c->account, &c->claimable, &c->proof, &found,
                      err))
        return false;
    *reason = "The active settlement holds nothing for this account.";
    if (!found || !store_account_paid(db, c->account, &c->claimed, &last, &any, err))
        return false;
    *reason = "All that is settled for this account has been paid.";
    return amount_sub(c->claimable, any ? c->claimed : AMOUNT_ZERO, &c->due) && !amount_is_zero(c->due);
}

static json *claim_to_json(const struct api *api, const struct claim *c)
{
    json *object = json_new_object();
    struct buf data;

    buf_init(&data);
    settlement_claim_call(c->account, api->config->token, c->claimable, c->proof.path, c->proof.len, &data);
    json_put_address(object, "account", c->account);
    json_put_address(object, "reward", api->config->token);
    json_put_amount(object, "claimable", c->claimable);
    json_put_amount(object, "due", c->due);
    json_put(object, "proof", proof_to_json(&c->proof));
    json_put_u64(object, "sequence", c->sequence);
    json_put_address(object, "contract", api->config->domain.contract);
    json_put(object, "calldata", json_new_hex(data.data, data.len));
    buf_clear(&data);
    return object;
}

void claim_get(struct request *req, struct reply *reply)
{
    const char *reason = "";
    struct claim claim = { 0 };
    struct err err = { 0 };
    struct db *db;

    if (!request_address(req, 0, &claim.account, reply) || !api_begin(req->api, &db, reply))
        return;
    if (find_claim(req->api, db, &claim, &reason, &err))
        reply_json(reply, 200, claim_to_json(req->api, &claim));
    else if (err.code != ERR_NONE)
        problem_from_err(reply, &err);
    else
        problem(reply, 404, "nothing-to-claim", "%s", reason);
    api_end(req->api, db);
}

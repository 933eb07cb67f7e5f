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

    for (int role = ROLE_PROVIDER; role < ROLES; role++)
        if (role_is_credit((enum role)role))
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

static void put_sums(json *object, const struct account_sums *sums, struct amount held)
{
    json_put_amount(object, "earned", sums->earned);
    json_put_amount(object, "settled", sums->settled);
    json_put_amount(object, "paid", sums->paid);
    json_put_amount(object, "pending", sums->pending);
    json_put_amount(object, "held", held);
}

/* Only of an account that was corrected. */
static void put_adjusted(json *object, const struct account_sums *sums)
{
    struct amount up = sums->by_role[ROLE_ADJUSTED_UP], down = sums->by_role[ROLE_ADJUSTED_DOWN];
    json *adjusted;

    if (amount_is_zero(up) && amount_is_zero(down))
        return;
    adjusted = json_new_object();
    json_put_amount(adjusted, "up", up);
    json_put_amount(adjusted, "down", down);
    json_put(object, "adjusted", adjusted);
    json_put_amount(object, "debt", sums->debt);
}

static json *account_to_json(struct address account, const struct account_sums *sums, struct amount held)
{
    json *object = json_new_object();

    json_put_address(object, "account", account);
    put_sums(object, sums, held);
    if (sums->was_charged)
        json_put_amount(object, "charged", sums->charged);
    put_adjusted(object, sums);
    json_put(object, "byRole", by_role(sums));
    json_put(object, "byModel", by_model(sums));
    return object;
}

/* What one book says of an account; the sums are cleared by the caller. */
static bool find_sums(struct api *api, struct address account, struct account_sums *sums, struct amount *held, struct reply *reply)
{
    const struct snapshot *snapshot;
    struct err err = { 0 };
    struct db *db;
    bool ok;

    if (!api_begin(api, &db, reply))
        return false;
    ok = api_catalog(api, db, &snapshot, reply);
    if (ok) {
        ok = account_sum(db, account, sums, &err);
        if (ok && !held_of_account(api->held, db, snapshot->catalog, account, held, &err)) {
            account_sums_clear(sums);
            ok = false;
        }
        if (!ok)
            problem_from_err(reply, &err);
        snapshot_release(snapshot);
    }
    api_end(api, db);
    return ok;
}

/* {contract, earned, settled, paid, pending, held} of the contract before; false: the reply is a problem. */
static bool put_other(struct api *other, struct address account, json *object, struct reply *reply)
{
    struct account_sums sums;
    struct amount held;
    json *list, *row;

    if (other == NULL)
        return true;
    if (!find_sums(other, account, &sums, &held, reply))
        return false;
    row = json_new_object();
    json_put_address(row, "contract", other->config->domain.contract);
    put_sums(row, &sums, held);
    list = json_new_array();
    json_add(list, row);
    json_put(object, "others", list);
    account_sums_clear(&sums);
    return true;
}

void account_get(struct request *req, struct reply *reply)
{
    struct address account;
    struct account_sums sums;
    struct amount held;
    json *object;

    if (!request_address(req, 0, &account, reply) || !find_sums(req->api, account, &sums, &held, reply))
        return;
    object = account_to_json(account, &sums, held);
    account_sums_clear(&sums);
    if (put_other(api_other(req), account, object, reply))
        reply_json(reply, 200, object);
    else
        json_free(object);
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

/* The claim in one book: NULL where there is nothing to claim, for which reason, or an error. */
static json *claim_of(struct api *api, struct address account, const char **reason, struct err *err)
{
    struct claim claim = { .account = account };
    json *object = NULL;
    struct db *db;

    if (!db_pool_take(api->pool, &db, err))
        return NULL;
    if (find_claim(api, db, &claim, reason, err))
        object = claim_to_json(api, &claim);
    db_pool_give(api->pool, db);
    return object;
}

/* With the claim at the contract before, where there is one: it is another call, to another contract. */
void claim_get(struct request *req, struct reply *reply)
{
    const char *reason = "", *ignored = "";
    struct api *other = api_other(req);
    struct address account;
    struct err err = { 0 };
    json *claim, *before = NULL, *others = NULL;

    if (!request_address(req, 0, &account, reply))
        return;
    claim = claim_of(req->api, account, &reason, &err);
    if (other != NULL && err.code == ERR_NONE)
        before = claim_of(other, account, &ignored, &err);
    if (before != NULL) {
        others = json_new_array();
        json_add(others, before);
    }
    if (err.code != ERR_NONE) {
        json_free(claim);
        json_free(others);
        problem_from_err(reply, &err);
    } else if (claim != NULL) {
        if (others != NULL)
            json_put(claim, "others", others);
        reply_json(reply, 200, claim);
    } else {
        json *extra = NULL;

        if (others != NULL) {
            extra = json_new_object();
            json_put(extra, "others", others);
        }
        problem_with(reply, 404, "nothing-to-claim", reason, extra);
    }
}

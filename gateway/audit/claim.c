#include "gateway/audit/claim.h"

#include <inttypes.h>

#include "gateway/audit/differs.h"
#include "gateway/audit/verify_parts.h"
#include "gateway/lib/address_text.h"

struct due { uint64_t sequence; struct amount claimable, due; struct proof proof; };

/* Roots repeat only when nothing was earned between: the newest tells as much as the others. */
static const struct chain_settlement *find_active(const struct chain_view *view)
{
    for (size_t i = view->count; i > 0; i--)
        if (!view->list[i - 1].cancelled && hash_eq(view->list[i - 1].event.rewards_root, view->active_root))
            return &view->list[i - 1];
    return NULL;
}

static bool find_leaf(const json *rewards, const struct chain_view *view, struct address account, struct due *d, struct err *err)
{
    const json *tree = json_member(rewards, "tree");
    struct place at = { d->sequence, "the account's entry" };
    struct address who;

    for (size_t i = 0; tree != NULL && json_kind_of(tree) == JSON_KIND_ARRAY && i < json_count(tree); i++) {
        const json *entry = json_at(tree, i);
        struct hash root;

        if (!json_get_address(json_member(entry, "account"), &who) || !address_eq(who, account))
            continue;
        if (!json_get_amount(json_member(entry, "claimable"), &d->claimable) || !verify_read_path(json_member(entry, "proof"), &d->proof))
            return differs(err, DIFFERS_REWARDS_JSON, at, "{account, reward, claimable, proof}", "another form");
        root = tree_fold(tree_rewards_leaf(account, view->token, d->claimable), &d->proof);
        return hash_eq(root, view->active_root) || differs_hash(err, DIFFERS_REWARDS_JSON, at, view->active_root, root);
    }
    return err_set(err, ERR_NOT_FOUND, "settlement %" PRIu64 " holds nothing for this account", d->sequence);
}

static json *claim_to_json(const struct chain_view *view, struct address account, const struct due *d)
{
    json *out = json_new_object(), *path = json_new_array();
    struct buf data;

    for (size_t i = 0; i < d->proof.len; i++)
        json_add(path, json_new_hash(d->proof.path[i]));
    buf_init(&data);
    settlement_claim_call(account, view->token, d->claimable, d->proof.path, d->proof.len, &data);
    json_put_address(out, "account", account);
    json_put_address(out, "reward", view->token);
    json_put_amount(out, "claimable", d->claimable);
    json_put_amount(out, "due", d->due);
    json_put(out, "proof", path);
    json_put_u64(out, "sequence", d->sequence);
    json_put_address(out, "contract", view->contract);
    json_put(out, "calldata", json_new_hex(data.data, data.len));
    buf_clear(&data);
    return out;
}

bool claim_find(struct rpc *rpc, const struct chain_view *view, struct source *source, struct address account, json **claim,
                struct err *err)
{
    const struct chain_settlement *active = find_active(view);
    struct due d = { 0 };
    struct amount claimed;
    json *rewards;
    bool ok;

    if (active == NULL)
        return err_set(err, ERR_NOT_FOUND, "no settlement is active yet");
    d.sequence = active->event.sequence;
    if (!source_rewards(source, d.sequence, &rewards, err))
        return false;
    ok = find_leaf(rewards, view, account, &d, err);
    json_free(rewards);
    if (!ok || !settlement_claimed(rpc, view->contract, &account, 1, &claimed, err))
        return false;
    if (!amount_sub(d.claimable, claimed, &d.due) || amount_is_zero(d.due))
        return err_set(err, ERR_NOT_FOUND, "all that is settled for this account has been paid");
    *claim = claim_to_json(view, account, &d);
    return true;
}

#include "gateway/audit/rewards.h"

#include <stdio.h>

#include "gateway/audit/differs.h"
#include "gateway/core/tree.h"
#include "gateway/lib/address_text.h"

#define NAME 64

/* part: ", before" for one of its members, or "". */
static void name_account(struct address account, const char *part, char text[NAME])
{
    char address[ADDRESS_TEXT];

    address_to_text(account, address);
    snprintf(text, NAME, "account %s%s", address, part);
}

/* ---- reward lines ---- */

bool reward_walk_next(struct reward_walk *w, const struct archive_reward *line, struct err *err)
{
    const struct account_sum *credit = w->at < w->credits->count ? &w->credits->list[w->at] : NULL;
    struct amount before = totals_of(w->leaves, line->account), after;
    char name[NAME];
    struct place at = { w->sequence, name };

    name_account(line->account, "", name);
    if (amount_cmp(line->after, line->before) < 0)
        return differs_amount(err, DIFFERS_LEAF_FELL, at, line->before, line->after);
    if (credit == NULL)
        return differs(err, DIFFERS_REWARD, at, "no further reward line", "one");
    if (!address_eq(credit->account, line->account))
        return differs_address(err, DIFFERS_REWARD, (struct place){ w->sequence, "next reward line" }, credit->account,
                               line->account);
    name_account(line->account, ", before", name);
    if (amount_cmp(before, line->before) != 0)
        return differs_amount(err, DIFFERS_REWARD, at, before, line->before);
    name_account(line->account, ", after", name);
    if (!amount_add(before, credit->amount, &after))
        return differs(err, DIFFERS_REWARD, at, "a leaf of 256 bits", "more");
    if (amount_cmp(after, line->after) != 0)
        return differs_amount(err, DIFFERS_REWARD, at, after, line->after);
    w->at++;
    return true;
}

bool reward_walk_end(const struct reward_walk *w, struct err *err)
{
    char name[NAME];

    if (w->at == w->credits->count)
        return true;
    name_account(w->credits->list[w->at].account, "", name);
    return differs(err, DIFFERS_REWARD, (struct place){ w->sequence, name }, "a reward line", "none");
}

struct hash rewards_root(const struct totals *leaves, struct address token)
{
    struct tree_stream stream;

    tree_stream_init(&stream);
    for (size_t i = 0; i < leaves->count; i++)
        tree_stream_add(&stream, tree_rewards_leaf(leaves->list[i].account, token, leaves->list[i].amount));
    return tree_stream_root(&stream);
}

/* ---- rewards.json ---- */

static bool read_proof(const json *path, struct proof *proof)
{
    proof->len = json_count(path);
    if (path == NULL || json_kind_of(path) != JSON_KIND_ARRAY || proof->len > TREE_DEPTH_MAX)
        return false;
    for (size_t i = 0; i < proof->len; i++)
        if (!json_get_hash(json_at(path, i), &proof->path[i]))
            return false;
    return true;
}

static bool check_entry(const json *entry, const struct account_sum *leaf, struct amount before, struct address token,
                        struct hash root, uint64_t sequence, struct err *err)
{
    struct address account, reward;
    struct amount claimable;
    struct proof proof;
    struct hash folded;
    char name[NAME];
    struct place at = { sequence, name };

    name_account(leaf->account, "", name);
    if (!json_get_address(json_member(entry, "account"), &account) || !json_get_address(json_member(entry, "reward"), &reward)
        || !json_get_amount(json_member(entry, "claimable"), &claimable) || !read_proof(json_member(entry, "proof"), &proof))
        return differs(err, DIFFERS_REWARDS_JSON, at, "{account, reward, claimable, proof}", "another form");
    if (!address_eq(account, leaf->account))
        return differs_address(err, DIFFERS_REWARDS_JSON, at, leaf->account, account);
    if (!address_eq(reward, token))
        return differs_address(err, DIFFERS_REWARDS_JSON, at, token, reward);
    if (amount_cmp(claimable, before) < 0)
        return differs_amount(err, DIFFERS_LEAF_FELL, at, before, claimable);
    if (amount_cmp(claimable, leaf->amount) != 0)
        return differs_amount(err, DIFFERS_REWARDS_JSON, at, leaf->amount, claimable);
    folded = tree_fold(tree_rewards_leaf(account, token, claimable), &proof);
    name_account(leaf->account, ", proof", name);
    return hash_eq(folded, root) || differs_hash(err, DIFFERS_REWARDS_JSON, at, root, folded);
}

static bool check_metadata(const json *metadata, const struct chain_view *view, const struct committed_event *event, struct err *err)
{
    struct place at = { event->sequence, "metadata" };
    uint64_t chain_id, sequence;
    struct address contract, token;
    struct amount total;

    if (!json_get_u64(json_member(metadata, "chainId"), &chain_id) || !json_get_u64(json_member(metadata, "sequence"), &sequence)
        || !json_get_address(json_member(metadata, "contract"), &contract)
        || !json_get_address(json_member(metadata, "token"), &token) || !json_get_amount(json_member(metadata, "total"), &total))
        return differs(err, DIFFERS_REWARDS_JSON, at, "{chainId, contract, token, sequence, total}", "another form");
    if (chain_id != view->chain_id)
        return differs_u64(err, DIFFERS_REWARDS_JSON, at, view->chain_id, chain_id);
    if (sequence != event->sequence)
        return differs_u64(err, DIFFERS_REWARDS_JSON, at, event->sequence, sequence);
    if (!address_eq(contract, view->contract))
        return differs_address(err, DIFFERS_REWARDS_JSON, at, view->contract, contract);
    if (!address_eq(token, view->token))
        return differs_address(err, DIFFERS_REWARDS_JSON, at, view->token, token);
    return amount_cmp(total, event->total) == 0 || differs_amount(err, DIFFERS_REWARDS_JSON, at, event->total, total);
}

bool rewards_check_json(const json *rewards, const struct chain_view *view, const struct committed_event *event,
                        const struct totals *before, const struct totals *leaves, struct err *err)
{
    const json *tree = json_member(rewards, "tree");
    struct hash root;

    if (!json_get_hash(json_member(rewards, "root"), &root) || json_kind_of(tree) != JSON_KIND_ARRAY)
        return differs(err, DIFFERS_REWARDS_JSON, (struct place){ event->sequence, "file" }, "root and tree", "another form");
    if (!check_metadata(json_member(rewards, "metadata"), view, event, err))
        return false;
    if (!hash_eq(root, event->rewards_root))
        return differs_hash(err, DIFFERS_REWARDS_JSON, (struct place){ event->sequence, "root" }, event->rewards_root, root);
    if (json_count(tree) != leaves->count)
        return differs_u64(err, DIFFERS_REWARDS_JSON, (struct place){ event->sequence, "entries" }, leaves->count, json_count(tree));
    for (size_t i = 0; i < leaves->count; i++)
        if (!check_entry(json_at(tree, i), &leaves->list[i], totals_of(before, leaves->list[i].account), view->token, root,
                         event->sequence, err))
            return false;
    return true;
}

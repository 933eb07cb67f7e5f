/* gateway/cmd_contract.c - the owner's, guardian's and funder's calls, shown in words before they are sent. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/hex.h"
#include "gateway/commands.h"
#include "gateway/lib/address_text.h"
#include "gateway/open.h"
#include "gateway/transact.h"

enum value_kind { VALUE_NONE, VALUE_ADDRESS, VALUE_SEQUENCE, VALUE_AMOUNT };

/* name       role        value           signature                   what it does */
static const struct action {
    const char *name;
    const char *role;              /* the word that must follow; NULL: none */
    enum value_kind value;
    const char *signature;         /* of the contract; NULL: a transfer of the token to it */
    const char *words;
} actions[] = {
    { "cancel",  NULL,       VALUE_SEQUENCE, "cancel(uint64)",           "take back the pending settlement" },
    { "pause",   NULL,       VALUE_NONE,     "pause()",                  "stop commits for the pause duration" },
    { "unpause", NULL,       VALUE_NONE,     "unpause()",                "end the pause" },
    { "revoke",  NULL,       VALUE_NONE,     "revokeOperator()",         "take the operator's right to commit, at once" },
    { "propose", "operator", VALUE_ADDRESS,  "proposeOperator(address)", "name the next operator" },
    { "propose", "guardian", VALUE_ADDRESS,  "proposeGuardian(address)", "name the next guardian" },
    { "accept",  "operator", VALUE_NONE,     "acceptOperator()",         "become the operator" },
    { "accept",  "guardian", VALUE_NONE,     "acceptGuardian()",         "become the guardian" },
    { "set-cap", NULL,       VALUE_AMOUNT,   "setCap(uint256)",          "set the cap to so many base units" },
    { "retire",  NULL,       VALUE_ADDRESS,  "retire(address)",          "end all commits for ever, after the role delay; successor" },
    { "fund",    NULL,       VALUE_AMOUNT,   NULL,                       "transfer so many base units of the token to the contract" },
};

/* Checks the whole line before anything is opened: *value is what follows action and role, NULL where there is none. */
static bool find_action(const struct args *args, const struct action **action, const char **value, struct err *err)
{
    const char *name = args->words[0], *role = args->word_count > 1 ? args->words[1] : "";
    bool known = false;

    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        const struct action *a = &actions[i];
        unsigned used = a->role == NULL ? 1 : 2, wanted = used + (a->value != VALUE_NONE);

        if (strcmp(a->name, name) != 0)
            continue;
        known = true;
        if (a->role != NULL && strcmp(a->role, role) != 0)
            continue;
        if (args->word_count != wanted)
            return err_set(err, ERR_USAGE, args->word_count > wanted ? "%s: one word too many" : "%s needs a value: %s", name, a->words);
        *value = wanted > used ? args->words[used] : NULL;
        *action = a;
        return true;
    }
    return known ? err_set(err, ERR_USAGE, "%s operator or guardian?", name)
                 : err_set(err, ERR_USAGE, "there is no action %s: see quittance contract --help", name);
}

/* ---- the call ---- */

static bool address_call(const struct action *a, const char *text, struct buf *data, struct err *err)
{
    struct address address;

    if (!address_from_text(text, strlen(text), &address) || !address_checksum_fits(text, strlen(text)))
        return err_set(err, ERR_INVALID, "%s: %s is no address, or its checksum is wrong", a->name, text);
    settlement_address_call(a->signature, address, data);
    return true;
}

static bool number_call(const struct action *a, const char *text, struct address contract, struct buf *data, struct err *err)
{
    struct amount amount;
    uint64_t sequence;

    if (!u256_from_decimal(text, strlen(text), &amount.base_units)
        || (a->value == VALUE_SEQUENCE && !u256_to_u64(amount.base_units, &sequence)))
        return err_set(err, ERR_INVALID, "%s takes a whole number%s, not %s", a->name,
                       a->value == VALUE_AMOUNT ? " of base units" : "", text);
    if (a->signature == NULL)
        token_transfer_call(contract, amount, data);
    else
        settlement_u256_call(a->signature, amount.base_units, data);
    return true;
}

static bool build_call(const struct action *a, const char *value, struct address contract, struct buf *data, struct err *err)
{
    switch (a->value) {
    case VALUE_NONE:     settlement_plain_call(a->signature, data); return true;
    case VALUE_ADDRESS:  return address_call(a, value, data, err);
    case VALUE_SEQUENCE:
    case VALUE_AMOUNT:   return number_call(a, value, contract, data, err);
    }
    bug("kind of value %d", (int)a->value);
}

/* ---- asking ---- */

static void tell(const struct action *a, const char *value, const struct config *config, struct address signer, struct address to,
                 const struct buf *data)
{
    char contract[ADDRESS_TEXT], from[ADDRESS_TEXT], target[ADDRESS_TEXT];

    address_to_text(config->chain.contract, contract);
    address_to_text(signer, from);
    address_to_text(to, target);
    fprintf(stderr, "%s%s%s%s%s: %s\n  contract  %s\n  chain     %" PRIu64 "\n  signed by %s\n  sent to   %s\n  calldata  0x", a->name,
            a->role != NULL ? " " : "", a->role != NULL ? a->role : "", value != NULL ? " " : "", value != NULL ? value : "", a->words,
            contract, config->chain.chain_id, from, target);
    for (size_t i = 0; i < data->len; i++)
        fprintf(stderr, "%02x", data->data[i]);
    fputc('\n', stderr);
}

static bool confirm(struct err *err)
{
    char line[16] = "";

    if (isatty(STDIN_FILENO) != 1)
        return err_set(err, ERR_USAGE, "nobody is there to confirm it: add --yes");
    fprintf(stderr, "Type yes to send it: ");
    if (fgets(line, sizeof line, stdin) == NULL || strcmp(line, "yes\n") != 0)
        return err_set(err, ERR_INVALID, "not confirmed: nothing was sent");
    return true;
}

/* ---- sending and showing ---- */

/* The contract's own token: one that is wrong in the configuration would be lost in it. */
static bool read_token(struct rpc *rpc, const struct config *config, struct address *token, struct err *err)
{
    struct settlement_view view;

    if (!settlement_read(rpc, config->chain.contract, &view, err))
        return false;
    *token = view.token;
    return true;
}

static bool send_action(const struct args *args, const struct action *a, const char *value, const struct config *config,
                        struct rpc *rpc, const struct signer *signer, struct err *err)
{
    struct transact t = { rpc, signer, config->chain.chain_id, wei_from_gwei(config->settle.max_fee_gwei) };
    struct address to = config->chain.contract;
    struct tx_receipt receipt = { 0 };
    struct tx_hash hash;
    struct buf data;
    json *out;
    bool ok;

    buf_init(&data);
    ok = build_call(a, value, config->chain.contract, &data, err) && (a->signature != NULL || read_token(rpc, config, &to, err));
    if (ok)
        tell(a, value, config, signer_address(signer), to, &data);
    ok = ok && (args_flag(args, "--yes") || confirm(err)) && transact(&t, &to, &data, &hash, &receipt, err);
    buf_clear(&data);
    if (!ok)
        return false;
    out = json_new_object();
    json_put_text(out, "action", a->name);
    if (a->role != NULL)
        json_put_text(out, "role", a->role);
    json_put_address(out, "contract", config->chain.contract);
    json_put_hash(out, "transaction", hash.h);
    json_put_u64(out, "block", receipt.block);
    json_put_u64(out, "gasUsed", receipt.gas_used);
    logs_clear(&receipt.logs);
    print_json(out);
    return true;
}

static json *view_to_json(const struct config *config, const struct settlement_view *v)
{
    json *out = json_new_object();

    json_put_u64(out, "chainId", config->chain.chain_id);
    json_put_address(out, "contract", config->chain.contract);
    json_put_address(out, "token", v->token);
    json_put_address(out, "owner", v->owner);
    json_put_address(out, "operator", v->operator_);
    json_put_address(out, "guardian", v->guardian);
    json_put_address(out, "funder", v->funder);
    json_put_amount(out, "cap", v->cap);
    json_put_amount(out, "capAvailable", v->cap_available);
    json_put_u64(out, "capWindow", v->cap_window_s);
    json_put_u64(out, "activationDelay", v->activation_delay_s);
    json_put_u64(out, "roleDelay", v->role_delay_s);
    json_put_u64(out, "pausedUntil", v->paused_until_s);
    json_put_u64(out, "sequence", v->sequence);
    json_put_hash(out, "activeRoot", v->active_root);
    json_put_hash(out, "previousRoot", v->previous_root);
    json_put_amount(out, "total", v->total);
    json_put_amount(out, "totalClaimed", v->total_claimed);
    return out;
}

static bool show(const struct config *config, struct rpc *rpc, struct err *err)
{
    struct settlement_view view;
    struct amount balance;
    json *out, *pending;

    if (!settlement_read(rpc, config->chain.contract, &view, err)
        || !token_balance(rpc, view.token, config->chain.contract, &balance, err))
        return false;
    out = view_to_json(config, &view);
    json_put_amount(out, "balance", balance);
    pending = json_new_null();
    if (view.has_pending) {
        json_free(pending);
        pending = json_new_object();
        json_put_u64(pending, "sequence", view.pending_sequence);
        json_put_hash(pending, "root", view.pending_root);
        json_put_u64(pending, "activeAt", view.pending_active_at_s);
    }
    json_put(out, "pending", pending);
    print_json(out);
    return true;
}

static bool contract_run(const struct args *args, struct err *err)
{
    bool showing = strcmp(args->words[0], "show") == 0;
    const struct action *action = NULL;
    const char *value = NULL;
    struct signer *signer = NULL;
    struct rpc *rpc = NULL;
    struct config config;
    bool ok;

    if (showing ? args->word_count > 1 && !err_set(err, ERR_USAGE, "show takes no value") : !find_action(args, &action, &value, err))
        return false;
    if (!config_load(args->config, &config, err))
        return false;
    ok = config_need_contract(&config, err) && open_rpc(&config, &rpc, err);
    if (ok && showing)
        ok = show(&config, rpc, err);
    else
        ok = ok && open_signer_of(&config, args, &signer, err) && send_action(args, action, value, &config, rpc, signer, err);
    signer_free(signer);
    rpc_free(rpc);
    config_clear(&config);
    return ok;
}

const struct command command_contract = {
    .name = "contract", .words = "ACTION [ROLE] [VALUE]", .words_min = 1, .words_max = 3,
    .summary = "cancel, pause, revoke, propose, accept, set-cap, retire, fund; show",
    .text = "show                      what the contract says of itself, as JSON\n"
            "cancel SEQUENCE           take the pending settlement back (guardian)\n"
            "pause | unpause           stop commits (guardian) | go on (owner); payments never stop\n"
            "revoke                    take the operator's right at once (guardian or owner)\n"
            "propose operator|guardian ADDRESS     name the next one (owner)\n"
            "accept operator|guardian              become it (the proposed one, after the role delay)\n"
            "set-cap AMOUNT            base units (owner); a lower cap at once, a higher one after the role delay\n"
            "retire SUCCESSOR          no commit ever again after the role delay (owner)\n"
            "fund AMOUNT               transfer base units of the token from the signer to the contract\n\n"
            "Says what it will do and asks before it sends.  Prints {\"action\",\"role\",\"contract\",\"transaction\",\"block\",\"gasUsed\"}.",
    .run = contract_run,
    .options = { { "--yes", NULL, "do not ask" },
                 { "--key", "KEY", "keystore:PATH or web3signer:URL: who signs ([signer] key)" },
                 { "--passphrase-file", "PATH", "of that key; of a remote signer the file of its token" } },
};

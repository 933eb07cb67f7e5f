/* gateway/cmd_deploy.c - puts the Settlement contract (and on a test chain a token) on the chain, and into the config. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/artefacts.h"
#include "gateway/base/hex.h"
#include "gateway/base/log.h"
#include "gateway/commands.h"
#include "gateway/lib/address_text.h"
#include "gateway/open.h"
#include "gateway/transact.h"
#include "store/binding.h"

#define DEV_TOKEN_DECIMALS 18
#define HOUR_S 3600

struct deployment {
    struct config config;
    struct transact transact;
    struct signer *signer;
    struct address token, contract;
    uint64_t block;
    json *transactions;
};

/* One deployment or call, noted; the created address goes to created where that is not NULL. */
static bool send(struct deployment *d, const struct address *to, const struct buf *data, struct address *created, struct err *err)
{
    struct tx_hash hash;
    struct tx_receipt receipt = { 0 };

    if (!transact(&d->transact, to, data, &hash, &receipt, err))
        return false;
    json_add(d->transactions, json_new_hash(hash.h));
    d->block = receipt.block;
    if (created != NULL)
        *created = receipt.created;
    logs_clear(&receipt.logs);
    return true;
}

static bool deploy_dev_token(struct deployment *d, struct err *err)
{
    struct buf bytecode, data;
    bool ok;

    buf_init(&bytecode);
    buf_init(&data);
    ok = artefact_dev_token(&bytecode, err);
    if (ok) {
        dev_token_deploy_data(&bytecode, "Quittance Dev Token", "QDEV", DEV_TOKEN_DECIMALS, &data);
        ok = send(d, NULL, &data, &d->token, err);
    }
    buf_clear(&bytecode);
    buf_clear(&data);
    return ok || err_prefix(err, "dev token");
}

static struct address role_or(struct address role, struct address fallback)
{
    return address_is_zero(role) ? fallback : role;
}

static bool fill_args(const struct deployment *d, struct deploy_args *args, struct err *err)
{
    const struct config *c = &d->config;
    struct address self = signer_address(d->signer);

    if (!config_is_test_chain(c) && (address_is_zero(c->contract.owner) || address_is_zero(c->contract.guardian)))
        return err_set(err, ERR_CONFIG, "[contract] owner and guardian must be set on a real chain: who may replace the operator, "
                       "and who may stop it");
    *args = (struct deploy_args){
        .token = d->token,
        .owner = role_or(c->contract.owner, self),
        .operator_ = role_or(c->contract.operator_, self),
        .guardian = role_or(c->contract.guardian, self),
        .funder = c->contract.funder,
        .cap = c->contract.cap,
        .cap_window_s = c->contract.cap_window_s,
        .activation_delay_s = c->contract.activation_delay_s,
        .role_delay_s = c->contract.role_delay_s,
        .pause_duration_s = c->contract.pause_duration_s,
    };
    return true;
}

/* What contract.md section 4 says a real deployment should be; a test chain is left alone. */
static bool warn(const struct deployment *d, const struct deploy_args *args, struct err *err)
{
    struct buf code;
    bool ok = true;

    if (config_is_test_chain(&d->config))
        return true;
    fprintf(stderr, "quittance: the token must be a plain ERC-20: no fee on transfer, no rebasing, one address\n");
    if (args->activation_delay_s < HOUR_S)
        fprintf(stderr, "quittance: warning: an activation_delay under an hour leaves earners no time to collect on the old root\n");
    if (args->pause_duration_s <= args->role_delay_s + args->activation_delay_s)
        fprintf(stderr, "quittance: warning: pause_duration should be longer than role_delay + activation_delay\n");
    if (address_eq(args->operator_, args->guardian))
        log_event(LOG_WARN_LEVEL, "guardian_is_operator", KV_ADDRESS("account", &args->operator_),
                  KV_TEXT("error", "operator and guardian are one key: whoever steals it commits a false root that nobody can cancel"));
    buf_init(&code);
    ok = rpc_code(d->transact.rpc, args->owner, &code, err);
    if (ok && code.len == 0)
        fprintf(stderr, "quittance: warning: the owner is a plain key; a multi-signature wallet is safer\n");
    buf_clear(&code);
    return ok;
}

static bool deploy_settlement(struct deployment *d, struct err *err)
{
    struct buf bytecode, data;
    struct deploy_args args;
    bool ok;

    buf_init(&bytecode);
    buf_init(&data);
    ok = fill_args(d, &args, err) && warn(d, &args, err) && artefact_settlement(&bytecode, err);
    if (ok) {
        settlement_deploy_data(&bytecode, &args, &data);
        ok = send(d, NULL, &data, &d->contract, err);
    }
    buf_clear(&bytecode);
    buf_clear(&data);
    return ok || err_prefix(err, "contract");
}

/* 10^9 whole tokens to the contract: a prefunded test set-up. */
static bool fund(struct deployment *d, struct err *err)
{
    static const char amount_text[] = "1000000000000000000000000000";
    struct amount amount;
    struct buf data;
    bool ok;

    if (!u256_from_decimal(amount_text, strlen(amount_text), &amount.base_units))
        bug("amount of the dev token");
    buf_init(&data);
    dev_token_mint_call(d->contract, amount, &data);
    ok = send(d, &d->token, &data, NULL, err);
    buf_clear(&data);
    return ok || err_prefix(err, "minting");
}

/* After each step: what is on the chain must be in the configuration, whatever comes after. */
static bool write_address(const struct deployment *d, const char *key, struct address address, struct err *err)
{
    char text[ADDRESS_TEXT];
    const struct config_change change = { "chain", key, text };

    address_to_text(address, text);
    return config_write(d->config.path, &change, 1, err)
        || err_prefix(err, "%s %s is on the chain, but not in the configuration", key, text);
}

static bool write_block(const struct deployment *d, uint64_t block, struct err *err)
{
    char text[24];
    const struct config_change change = { "chain", "deploy_block", text };

    snprintf(text, sizeof text, "%" PRIu64, block);
    return config_write(d->config.path, &change, 1, err);
}

static bool check_books(void *self, struct group *group, struct err *err)
{
    bool holds;

    (void)self;
    return store_holds_books(group->db, &holds, err)
        && (!holds || err_set(err, ERR_CONFIG, "the store holds receipts, models or settlements of the contract before:"
                              " name a new [store] url for another contract"));
}

/* What the store holds was signed for the contract it was taken in under, and is paid by that one only. */
static bool check_store(const struct deployment *d, struct err *err)
{
    struct writer *writer = NULL;
    bool ok = writer_open(d->config.store.url, &clock_system, &writer, err) && writer_do(writer, check_books, NULL, err);

    writer_close(writer);
    return ok;
}

static bool deploy_all(struct deployment *d, bool dev_token, struct err *err)
{
    uint64_t block;
    json *out;

    d->token = d->config.chain.token;
    if (dev_token && !config_is_test_chain(&d->config))
        return err_set(err, ERR_CONFIG, "--dev-token: anybody may mint it, so only on chain id 31337 or 1337");
    if (!dev_token && address_is_zero(d->token))
        return err_set(err, ERR_CONFIG, "[chain] token is not set; on a test chain --dev-token makes one");
    if (!check_store(d, err))
        return false;
    if (dev_token && (!deploy_dev_token(d, err) || !write_address(d, "token", d->token, err)))
        return false;
    if (!deploy_settlement(d, err))
        return false;
    block = d->block;
    if (!write_address(d, "contract", d->contract, err) || !write_address(d, "token", d->token, err)
        || !write_block(d, block, err) || (dev_token && !fund(d, err)))
        return false;
    out = json_new_object();
    json_put_u64(out, "chainId", d->config.chain.chain_id);
    json_put_address(out, "contract", d->contract);
    json_put_address(out, "token", d->token);
    json_put_u64(out, "block", block);
    json_put(out, "transactions", json_share(d->transactions));
    print_json(out);
    return true;
}

static bool deploy_run(const struct args *args, struct err *err)
{
    struct deployment d = { 0 };
    bool ok = config_load(args->config, &d.config, err);

    if (!ok)
        return false;
    d.transactions = json_new_array();
    if (!address_is_zero(d.config.chain.contract) && !args_flag(args, "--again"))
        ok = err_set(err, ERR_CONFIG, "[chain] contract is set already; --again deploys another one");
    ok = ok && open_rpc(&d.config, &d.transact.rpc, err) && open_signer(&d.config, &d.signer, err);
    if (ok) {
        d.transact.signer = d.signer;
        d.transact.chain_id = d.config.chain.chain_id;
        d.transact.max_fee = wei_from_gwei(d.config.settle.max_fee_gwei);
        ok = deploy_all(&d, args_flag(args, "--dev-token"), err);
    }
    json_free(d.transactions);
    signer_free(d.signer);
    rpc_free(d.transact.rpc);
    config_clear(&d.config);
    return ok;
}

const struct command command_deploy = {
    .name = "deploy", .words = "", .words_max = 0,
    .summary = "put the Settlement contract on the chain and into the configuration",
    .text = "Deploys the contract with the roles, cap and delays of [contract] for the token of [chain] token, writes contract,\n"
            "token and deploy_block into the configuration, and prints {\"chainId\",\"contract\",\"token\",\"block\",\"transactions\"}.\n"
            "The operator's address needs coin for gas.",
    .run = deploy_run,
    .options = { { "--dev-token", NULL, "test chains only: deploy a token with open mint, 18 decimals, 10^9 to the contract" },
                 { "--again", NULL, "although a contract is configured" } },
};

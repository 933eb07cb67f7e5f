#include "chain/settlement.h"

void settlement_commit_call(const struct commit_args *args, struct buf *data)
{
    struct abi_out a;

    abi_add_selector(data, "commit(uint64,bytes32,bytes32,bytes32,bytes32,uint256,uint64)");
    abi_begin(&a, 7);
    abi_add_u64(&a, args->sequence);
    abi_add_hash(&a, args->parent);
    abi_add_hash(&a, args->receipts_root);
    abi_add_hash(&a, args->rewards_root);
    abi_add_hash(&a, args->archive);
    abi_add_u256(&a, args->total.base_units);
    abi_add_u64(&a, args->receipts);
    abi_finish(&a, data);
}

void settlement_distribute_call(const struct address *accounts, const struct amount *claimables, size_t count,
                                const struct hash *proof, size_t proof_count, const struct buf *steps, struct buf *data)
{
    struct abi_out a;

    abi_add_selector(data, "distribute(address[],uint256[],bytes32[],bytes)");
    abi_begin(&a, 4);
    abi_add_addresses(&a, accounts, count);
    abi_add_amounts(&a, claimables, count);
    abi_add_hashes(&a, proof, proof_count);
    abi_add_bytes(&a, steps->data, steps->len);
    abi_finish(&a, data);
}

void settlement_claim_call(struct address account, struct address reward, struct amount claimable,
                           const struct hash *proof, size_t proof_count, struct buf *data)
{
    struct abi_out a;

    abi_add_selector(data, "claim(address,address,uint256,bytes32[])");
    abi_begin(&a, 4);
    abi_add_address(&a, account);
    abi_add_address(&a, reward);
    abi_add_u256(&a, claimable.base_units);
    abi_add_hashes(&a, proof, proof_count);
    abi_finish(&a, data);
}

/* A deployment's data is the bytecode with the constructor's arguments behind it. */
void settlement_deploy_data(const struct buf *bytecode, const struct deploy_args *args, struct buf *data)
{
    struct abi_out a;

    buf_add(data, bytecode->data, bytecode->len);
    abi_begin(&a, 10);
    abi_add_address(&a, args->token);
    abi_add_address(&a, args->owner);
    abi_add_address(&a, args->operator_);
    abi_add_address(&a, args->guardian);
    abi_add_address(&a, args->funder);
    abi_add_u256(&a, args->cap.base_units);
    abi_add_u64(&a, args->cap_window_s);
    abi_add_u64(&a, args->activation_delay_s);
    abi_add_u64(&a, args->role_delay_s);
    abi_add_u64(&a, args->pause_duration_s);
    abi_finish(&a, data);
}

void dev_token_deploy_data(const struct buf *bytecode, const char *name, const char *symbol, uint8_t decimals,
                           struct buf *data)
{
    struct abi_out a;

    buf_add(data, bytecode->data, bytecode->len);
    abi_begin(&a, 3);
    abi_add_bytes(&a, name, strlen(name));
    abi_add_bytes(&a, symbol, strlen(symbol));
    abi_add_u64(&a, decimals);
    abi_finish(&a, data);
}

static void address_amount_call(const char *signature, struct address who, struct amount amount, struct buf *data)
{
    struct abi_out a;

    abi_add_selector(data, signature);
    abi_begin(&a, 2);
    abi_add_address(&a, who);
    abi_add_u256(&a, amount.base_units);
    abi_finish(&a, data);
}

void dev_token_mint_call(struct address to, struct amount amount, struct buf *data)
{
    address_amount_call("mint(address,uint256)", to, amount, data);
}

void token_transfer_call(struct address to, struct amount amount, struct buf *data)
{
    address_amount_call("transfer(address,uint256)", to, amount, data);
}

void token_approve_call(struct address spender, struct amount amount, struct buf *data)
{
    address_amount_call("approve(address,uint256)", spender, amount, data);
}

void settlement_plain_call(const char *signature, struct buf *data)
{
    abi_add_selector(data, signature);
}

void settlement_address_call(const char *signature, struct address a, struct buf *data)
{
    struct abi_out args;

    abi_add_selector(data, signature);
    abi_begin(&args, 1);
    abi_add_address(&args, a);
    abi_finish(&args, data);
}

void settlement_u256_call(const char *signature, struct u256 v, struct buf *data)
{
    struct abi_out args;

    abi_add_selector(data, signature);
    abi_begin(&args, 1);
    abi_add_u256(&args, v);
    abi_finish(&args, data);
}

#include "tests/support/settle_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/lib/address_text.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/json.h"
#include "store/catalog.h"
#include "gateway/core/tree.h"
#include "tests/support/quick_key.h"
#include "tests/support/settle_books.h"

#define CHAIN_ID 31337u

struct address settle_world_account(unsigned number)
{
    return books_account(BOOKS_PROVIDER, number);
}

struct hash settle_world_model(void)
{
    return books_model();
}

/* -- the store -- */

static uint64_t world_now(void *self)
{
    return clock_now_ms(&clock_system) + ((const struct settle_world *)self)->ahead_ms;
}

static bool add_catalog(void *self, struct group *group, struct err *err)
{
    (void)self;
    return books_open(group, SETTLE_WORLD_PROVIDERS, err);
}

static void do_write(struct settle_world *w, writer_fn *fn, void *self)
{
    struct writer *writer;
    struct err err = { 0 };

    if (!writer_open(w->url, &w->clock, &writer, &err) || !writer_do(writer, fn, self, &err))
        fail_msg("%s", err.text);
    writer_close(writer);
}

void settle_world_init(struct settle_world *w)
{
    char path[96];

    *w = (struct settle_world){ .clock = { world_now, w }, .secret = { 7 } };
    snprintf(w->dir, sizeof w->dir, "/tmp/quittance-settle-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(path, sizeof path, "%s/store.db", w->dir);
    store_place_new(path, w->url);
    snprintf(w->archive, sizeof w->archive, "%s/archive", w->dir);
    w->config = (struct settle_config){ .chain_id = CHAIN_ID, .confirmations = 1, .max_fee = wei_from_gwei(500),
                                        .max_run_cost = wei_from_gwei(1000000000), .max_day_cost = wei_from_gwei(10000000000),
                                        .protocol_account = books_account(BOOKS_PROTOCOL, 0), .archive_dir = w->archive,
                                        .secret = w->secret };
    memset(w->config.contract.b, 0xc0, sizeof w->config.contract.b);
    memset(w->config.token.b, 0x70, sizeof w->config.token.b);
    do_write(w, add_catalog, NULL);
}

struct adding { struct settle_world *world; struct receipt_row row; struct catalog *catalog; };

static struct receipt receipt_of(struct settle_world *w, unsigned provider, uint64_t tokens, uint64_t now_ms)
{
    return books_receipt(provider, ++w->jobs, tokens, now_ms);
}

static bool add_receipt(struct adding *a, struct group *group, struct err *err)
{
    return books_accept(a->catalog, group, &a->row, err);
}

struct singles { struct settle_world *world; unsigned first, count; uint64_t tokens; };

static bool add_singles(void *self, struct group *group, struct err *err)
{
    struct singles *s = self;
    struct adding a = { .world = s->world };
    uint64_t settings;
    bool ok;

    if (!store_catalog_load(group->db, &a.catalog, &settings, err))
        return false;
    ok = true;
    for (unsigned i = 0; ok && i < s->count; i++) {
        a.row = (struct receipt_row){ .signed_ = { .has_signature = true } };
        a.row.signed_.receipt = receipt_of(s->world, s->first + i, s->tokens, group->now_ms);
        a.row.signed_.signature.b[64] = 27;
        ok = add_receipt(&a, group, err);
    }
    catalog_free(a.catalog);
    return ok;
}

void settle_world_receipt(struct settle_world *w, unsigned provider, uint64_t output_tokens)
{
    do_write(w, add_singles, &(struct singles){ w, provider, 1, output_tokens });
}

void settle_world_receipts(struct settle_world *w, unsigned providers, uint64_t output_tokens)
{
    do_write(w, add_singles, &(struct singles){ w, 0, providers, output_tokens });
}

struct bundling { struct settle_world *world; size_t count, taken; };

static bool add_bundle(void *self, struct group *group, struct err *err)
{
    struct bundling *b = self;
    struct adding a = { .world = b->world };
    struct bundle_row row = { .bundle = { .provider = settle_world_account(0), .count = b->count } };
    struct receipt *receipts = calloc(b->count, sizeof *receipts);
    struct hash *leaves = calloc(b->count, sizeof *leaves);
    uint64_t settings;
    bool ok;

    buf_init(&row.leaves);
    for (size_t i = 0; i < b->count; i++) {
        struct hash h;

        receipts[i] = receipt_of(b->world, 0, 1000, group->now_ms);
        h = receipt_struct_hash(&receipts[i]);
        buf_add(&row.leaves, h.b, sizeof h.b);
        leaves[i] = tree_promise_leaf(h);
    }
    row.bundle.root = tree_root(leaves, b->count);
    row.signature.b[64] = 27;
    ok = store_catalog_load(group->db, &a.catalog, &settings, err) && store_bundle_insert(group->db, &row, err);
    for (size_t i = 0; ok && i < b->taken; i++) {
        a.row = (struct receipt_row){ .has_bundle = true, .bundle = row.id, .bundle_index = i };
        a.row.signed_.receipt = receipts[i];
        ok = add_receipt(&a, group, err);
    }
    catalog_free(a.catalog);
    buf_clear(&row.leaves);
    free(leaves);
    free(receipts);
    return ok;
}

void settle_world_bundle(struct settle_world *w, size_t count, size_t taken)
{
    do_write(w, add_bundle, &(struct bundling){ w, count, taken });
}

/* -- the chain -- */

void settle_world_rotate(struct settle_world *w)
{
    struct secret_key *key = secret_new(sizeof *key);
    char address[ADDRESS_TEXT], params[128];

    memset(key->b, 0x42, sizeof key->b);
    signer_free(w->signer);
    w->signer = quick_signer(w->dir, key);
    secret_free(key);
    address_to_text(signer_address(w->signer), address);
    snprintf(params, sizeof params, "[\"%s\", \"0x3635c9adc5dea00000\"]", address);
    anvil_do(&w->anvil, "anvil_setBalance", params);
}

void settle_world_use_nonce(struct settle_world *w)
{
    char address[ADDRESS_TEXT], params[256];

    address_to_text(signer_address(w->signer), address);
    snprintf(params, sizeof params, "[{\"from\":\"%s\",\"to\":\"%s\",\"value\":\"0x0\"}]", address, address);
    anvil_do(&w->anvil, "eth_sendTransaction", params);
}

void settle_world_drain(struct settle_world *w, unsigned price_gwei)
{
    char contract[ADDRESS_TEXT], token[ADDRESS_TEXT], params[1024];
    struct amount balance;
    struct err err = { 0 };
    struct rpc *rpc;
    struct buf data, hex;

    buf_init(&data);
    buf_init(&hex);
    if (!rpc_new(w->anvil.url, &rpc, &err) || !token_balance(rpc, w->config.token, w->config.contract, &balance, &err))
        fail_msg("%s", err.text);
    rpc_free(rpc);
    token_transfer_call(settle_world_account(9999), balance, &data);
    for (size_t i = 0; i < data.len; i++)
        buf_printf(&hex, "%02x", data.data[i]);
    address_to_text(w->config.contract, contract);
    address_to_text(w->config.token, token);
    snprintf(params, sizeof params, "[\"%s\", \"0x3635c9adc5dea00000\"]", contract);
    anvil_do(&w->anvil, "anvil_setBalance", params);
    snprintf(params, sizeof params, "[\"%s\"]", contract);
    anvil_do(&w->anvil, "anvil_impersonateAccount", params);
    snprintf(params, sizeof params,
             "[{\"from\":\"%s\",\"to\":\"%s\",\"gas\":\"0x30000\",\"maxFeePerGas\":\"0x%llx\","
             "\"maxPriorityFeePerGas\":\"0x%llx\",\"data\":\"0x%s\"}]", contract, token,
             price_gwei * 1000000000ull, price_gwei * 1000000000ull, buf_text(&hex));
    anvil_do(&w->anvil, "eth_sendTransaction", params);
    buf_clear(&data);
    buf_clear(&hex);
}

static void send_plain(struct settle_world *w, const struct address *to, const struct buf *data,
                       struct tx_receipt *receipt)
{
    struct err err = { 0 };
    struct tx_hash hash;
    struct rpc *rpc;
    struct buf raw;
    struct tx tx;

    buf_init(&raw);
    tx_init(&tx);
    tx.chain_id = CHAIN_ID;
    tx.gas = 6000000;
    tx.max_fee = wei_from_gwei(100);
    tx.max_priority_fee = wei_from_gwei(1);
    tx.creates = to == NULL;
    if (to != NULL)
        tx.to = *to;
    buf_add(&tx.data, data->data, data->len);
    if (!rpc_new(w->anvil.url, &rpc, &err) || !rpc_nonce(rpc, signer_address(w->signer), BLOCK_LATEST, &tx.nonce, &err)
        || !signer_sign_tx(w->signer, &tx, &raw, &hash, &err) || !rpc_send_raw(rpc, &raw, hash, &err))
        fail_msg("%s", err.text);
    do {
        if (!rpc_tx_receipt(rpc, hash, receipt, &err))
            fail_msg("%s", err.text);
    } while (!receipt->found);
    assert_true(receipt->success);
    logs_clear(&receipt->logs);
    rpc_free(rpc);
    tx_clear(&tx);
    buf_clear(&raw);
}

static void read_bytecode(const char *path, struct buf *code)
{
    struct err err = { 0 };
    json *file;

    buf_init(code);
    if (!json_read_file(path, 4 * MIB, &file, &err) || !json_get_bytes(json_member(file, "bytecode"), code))
        fail_msg("%s: %s", path, err.text);
    json_free(file);
}

void settle_world_fund(struct settle_world *w, uint64_t amount)
{
    struct tx_receipt receipt;
    struct buf data;

    buf_init(&data);
    dev_token_mint_call(w->config.contract, amount_from_u64(amount), &data);
    send_plain(w, &w->config.token, &data, &receipt);
    buf_clear(&data);
}

void settle_world_cancel(struct settle_world *w, uint64_t sequence)
{
    struct tx_receipt receipt;
    struct buf data;

    buf_init(&data);
    settlement_u256_call("cancel(uint64)", u256_from_u64(sequence), &data);
    send_plain(w, &w->config.contract, &data, &receipt);
    buf_clear(&data);
}

static bool carry(void *self, struct group *group, struct err *err)
{
    return store_batch_carry(group->db, *(const uint64_t *)self, err);
}

void settle_world_carry(struct settle_world *w, uint64_t sequence)
{
    do_write(w, carry, &sequence);
}

void settle_world_init_chain(struct settle_world *w, uint64_t funds, uint64_t activation_delay_s)
{
    struct deploy_args args = { .cap = amount_from_u64(UINT64_C(1) << 60), .cap_window_s = 86400,
                                .activation_delay_s = activation_delay_s };
    struct tx_receipt receipt;
    struct secret_key *key;
    struct buf code, data;

    settle_world_init(w);
    anvil_start(&w->anvil);
    w->has_chain = true;
    key = secret_new(sizeof *key);
    anvil_key(key);
    w->signer = quick_signer(w->dir, key);
    secret_free(key);
    buf_init(&data);
    read_bytecode("build/contracts/DevToken.json", &code);
    dev_token_deploy_data(&code, "Dev", "DEV", 18, &data);
    send_plain(w, NULL, &data, &receipt);
    args.token = w->config.token = receipt.created;
    args.owner = args.operator_ = args.guardian = signer_address(w->signer);
    buf_clear(&code);
    buf_reset(&data);
    read_bytecode("build/contracts/Settlement.json", &code);
    settlement_deploy_data(&code, &args, &data);
    send_plain(w, NULL, &data, &receipt);
    w->config.contract = receipt.created;
    w->config.deploy_block = receipt.block;
    buf_clear(&code);
    buf_clear(&data);
    if (funds > 0)
        settle_world_fund(w, funds);
}

void settle_world_clear(struct settle_world *w)
{
    char command[128];

    if (w->has_chain)
        anvil_stop(&w->anvil);
    if (w->signer != NULL)
        signer_free(w->signer);
    store_place_gone(w->url);
    snprintf(command, sizeof command, "rm -rf %s", w->dir);
    assert_int_equal(system(command), 0);
}

void settle_session_open(struct settle_world *w, struct settle_session *s)
{
    struct err err = { 0 };

    *s = (struct settle_session){ 0 };
    if (!writer_open(w->url, &w->clock, &s->writer, &err) || !db_open(w->url, DB_READ, &s->db, &err)
        || (w->has_chain && (!rpc_new(w->rpc_url != NULL ? w->rpc_url : w->anvil.url, &s->rpc, &err)
                             || !settle_new(&w->config, s->db, s->writer, s->rpc, w->signer, &w->clock, &s->settle,
                                            &err))))
        fail_msg("%s", err.text);
}

void settle_session_close(struct settle_session *s)
{
    settle_free(s->settle);
    if (s->rpc != NULL)
        rpc_free(s->rpc);
    db_close(s->db);
    writer_close(s->writer);
}

/* A transaction that a person sends, while the node stumbles. */
#include "gateway/transact.h"
#include "tests/settle/slots_world.h"
#include "tests/support/libraries.h"

struct stumbles { unsigned left; };

static bool stumble(void *self, const char *request, struct buf *answer)
{
    struct stumbles *s = self;

    if (s->left == 0 || strstr(request, "eth_getTransactionReceipt") == NULL)
        return false;
    s->left--;
    buf_add_text(answer, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32000,\"message\":\"node is syncing\"}}");
    return true;
}

static void a_node_that_stumbles_does_not_end_the_wait(void **state)
{
    struct settle_world *w = world_new(0, 0);
    struct stumbles stumbles = { 2 };
    struct fake_http *proxy = fake_http_new_proxy(w->anvil.url, stumble, &stumbles);
    struct transact t = { .signer = w->signer, .chain_id = w->config.chain_id, .max_fee = wei_from_gwei(500) };
    struct tx_receipt receipt;
    struct err err = { 0 };
    struct tx_hash hash;
    struct buf data;

    (void)state;
    buf_init(&data);
    dev_token_mint_call(w->config.contract, amount_from_u64(7), &data);
    if (!rpc_new(fake_http_url(proxy), &t.rpc, &err) || !transact(&t, &w->config.token, &data, &hash, &receipt, &err))
        fail_msg("%s", err.text);
    assert_true(receipt.success);
    assert_int_equal(stumbles.left, 0);
    logs_clear(&receipt.logs);
    buf_clear(&data);
    rpc_free(t.rpc);
    fake_http_free(proxy);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_node_that_stumbles_does_not_end_the_wait) };

    return cmocka_run_group_tests_name("transact", tests, secp_and_http_setup, secp_and_http_teardown);
}

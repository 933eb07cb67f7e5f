#include "chain/rpc_class.h"

#include "tests/support/vectors.h"

/* The vectors' names of classes; ours that differ are shorter. */
static const struct class_name { const char *name; enum rpc_class class; } names[] = {
    { "UNKNOWN", RPC_UNKNOWN },         { "KNOWN", RPC_KNOWN },             { "NONCE_USED", RPC_NONCE_USED },
    { "NONCE_AHEAD", RPC_NONCE_AHEAD }, { "BUMP_NEEDED", RPC_BUMP_NEEDED }, { "PRICE_LOW", RPC_PRICE_LOW },
    { "POOL_FULL", RPC_POOL_FULL },     { "FUNDS", RPC_FUNDS },             { "FEE_CAP_RPC", RPC_FEE_CAP },
    { "BAD_GAS", RPC_BAD_GAS },         { "MALFORMED", RPC_MALFORMED },     { "DELEGATED", RPC_DELEGATED },
    { "REVERT", RPC_REVERT },           { "RATE_DOWN", RPC_DOWN },
};

static enum rpc_class class_named(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i].name, name) == 0)
            return names[i].class;
    bug("class %s", name);
}

static void a_message_has_its_class(void **state)
{
    enum rpc_class got = rpc_classify(vector_text(*state, "message"));

    assert_string_equal(rpc_class_name(got), rpc_class_name(class_named(vector_text(*state, "class"))));
}

int main(void)
{
    static const struct vector_group groups[] = { { "vectors", a_message_has_its_class } };

    return vectors_run("rpc_errors", groups, ARRAY_LEN(groups), NULL, NULL);
}

#include "chain/tx.h"
#include "tests/support/vectors.h"

static void the_address_of_a_new_contract(void **state)
{
    assert_address_is(tx_created_address(vector_address(*state, "from"), vector_u64(*state, "nonce")),
                      vector_address(*state, "address"));
}

int main(void)
{
    static const struct vector_group groups[] = { { "create", the_address_of_a_new_contract } };

    return vectors_run("address", groups, ARRAY_LEN(groups), NULL, NULL);
}

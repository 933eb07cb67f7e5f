#include "chain/tx.h"
#include "tests/support/vectors.h"

/* Long rows give only how many bytes are zero and how many are not. */
static struct buf data_of(const json *row)
{
    struct buf data;

    if (vector_has(row, "data"))
        return vector_bytes(row, "data");
    buf_init(&data);
    buf_add_zeros(&data, vector_u64(row, "zeroBytes"));
    for (uint64_t i = 0; i < vector_u64(row, "nonZeroBytes"); i++)
        buf_add_byte(&data, 0xff);
    return data;
}

/* Ours have no access list: what such a row has more is the price of its list (EIP-2930). */
static void gas_is_counted(void **state)
{
    struct tx t = { .data = data_of(*state), .creates = vector_bool(*state, "create") };
    uint64_t list_gas = 2400 * vector_u64(*state, "accessListAddresses") + 1900 * vector_u64(*state, "accessListSlots");

    assert_int_equal(tx_intrinsic_gas(&t) + list_gas, vector_u64(*state, "intrinsicGas"));
    assert_int_equal(tx_floor_gas(&t), vector_u64(*state, "floorGas"));
    buf_clear(&t.data);
}

int main(void)
{
    static const struct vector_group groups[] = { { "vectors", gas_is_counted } };

    return vectors_run("intrinsic_gas", groups, ARRAY_LEN(groups), NULL, NULL);
}

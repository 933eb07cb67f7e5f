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

/* Of every row: the limit holds a fifth more than the estimate, all that is paid before it runs, and no more than allowed. */
static void gas_limit_is_chosen(void **state)
{
    struct tx t = { .data = data_of(*state), .creates = vector_bool(*state, "create") };
    uint64_t before = tx_intrinsic_gas(&t) > tx_floor_gas(&t) ? tx_intrinsic_gas(&t) : tx_floor_gas(&t), gas;
    struct err err = { 0 };

    assert_true(tx_gas_limit(&t, 1, before, &gas, &err));
    assert_int_equal(gas, before);
    assert_false(tx_gas_limit(&t, 1, before - 1, &gas, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_true(tx_gas_limit(&t, 2 * before, 3 * before, &gas, &err));
    assert_int_equal(gas, 2 * before + 2 * before / 5);
    assert_true(tx_gas_limit(&t, 2 * before, 2 * before + 1, &gas, &err));       /* the fifth does not fit, the estimate does */
    assert_int_equal(gas, 2 * before + 1);
    assert_false(tx_gas_limit(&t, UINT64_MAX, TX_GAS_MAX, &gas, &err));
    buf_clear(&t.data);
}

static void a_row(void **state)
{
    gas_is_counted(state);
    gas_limit_is_chosen(state);
    assert_int_equal(tx_gas_most(60000000), TX_GAS_MAX);
    assert_int_equal(tx_gas_most(30000000), 15000000);
}

int main(void)
{
    static const struct vector_group groups[] = { { "vectors", a_row } };

    return vectors_run("intrinsic_gas", groups, ARRAY_LEN(groups), NULL, NULL);
}

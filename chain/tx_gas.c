/* What a transaction costs before it runs, and the address that a deployment gets: part of tx.h. */
#include "chain/tx.h"

#include <inttypes.h>

#include "gateway/lib/keccak.h"

/* Yellow paper, appendix G, as changed by EIP-2, EIP-2028, EIP-3860 and EIP-7623. */
#define GAS_TRANSACTION 21000u
#define GAS_CREATE 32000u
#define GAS_DATA_ZERO 4u
#define GAS_DATA_NONZERO 16u
#define GAS_INITCODE_WORD 2u
#define GAS_FLOOR_TOKEN 10u
#define TOKENS_NONZERO 4u

static uint64_t zero_bytes(const struct buf *data)
{
    uint64_t count = 0;

    for (size_t i = 0; i < data->len; i++)
        count += data->data[i] == 0;
    return count;
}

uint64_t tx_intrinsic_gas(const struct tx *t)
{
    uint64_t zero = zero_bytes(&t->data), nonzero = t->data.len - zero;
    uint64_t gas = GAS_TRANSACTION + zero * GAS_DATA_ZERO + nonzero * GAS_DATA_NONZERO;      /* EIP-2028 */

    if (t->creates)                                                                         /* EIP-2, EIP-3860 */
        gas += GAS_CREATE + GAS_INITCODE_WORD * ((t->data.len + 31) / 32);
    return gas;
}

uint64_t tx_floor_gas(const struct tx *t)
{
    uint64_t zero = zero_bytes(&t->data), nonzero = t->data.len - zero;

    return GAS_TRANSACTION + GAS_FLOOR_TOKEN * (zero + TOKENS_NONZERO * nonzero);            /* EIP-7623 */
}

uint64_t tx_gas_most(uint64_t block_gas)
{
    return block_gas / 2 < TX_GAS_MAX ? block_gas / 2 : TX_GAS_MAX;
}

bool tx_gas_limit(const struct tx *t, uint64_t estimate, uint64_t most, uint64_t *gas, struct err *err)
{
    uint64_t intrinsic = tx_intrinsic_gas(t), floor = tx_floor_gas(t);
    uint64_t least = intrinsic > floor ? intrinsic : floor, wanted;

    if (estimate > least)
        least = estimate;
    if (least > most)
        return err_set(err, ERR_LIMIT, "the call needs %" PRIu64 " gas, a transaction may have %" PRIu64, least, most);
    wanted = estimate + estimate / 5;          /* no overflow: the estimate is at most `most` */
    *gas = wanted > most ? most : wanted > least ? wanted : least;
    return true;
}

struct address tx_created_address(struct address sender, uint64_t nonce)
{
    struct buf items, list;
    struct address created;
    struct hash h;

    /* Yellow paper, section 7: the last 20 bytes of keccak256(rlp([sender, nonce])). */
    buf_init(&items);
    buf_init(&list);
    rlp_add_bytes(&items, sender.b, sizeof sender.b);
    rlp_add_u64(&items, nonce);
    rlp_add_list(&list, &items);
    if (list.failed)
        bug("no memory for %zu bytes", list.len);
    h = keccak256(list.data, list.len);
    memcpy(created.b, h.b + sizeof h.b - sizeof created.b, sizeof created.b);
    buf_clear(&items);
    buf_clear(&list);
    return created;
}

/* What transactions cost: part of transactions.h. */
#include "store/transactions.h"
#include "store/wei.h"

/* One transaction with its newest attempt. */
#define FROM_NEWEST " FROM attempts a JOIN transactions t ON t.id = a.tx" \
                    " WHERE NOT EXISTS (SELECT 1 FROM attempts b WHERE b.tx = a.tx AND b.seq > a.seq) AND t.id <> ? AND "
#define COLUMNS "SELECT t.state, a.gas, a.max_fee, a.data_fee, t.gas_used, t.gas_price, t.l1_fee"

static struct wei most_wei(void)
{
    return (struct wei){ { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } } };
}

static void add_cost(struct wei *sum, uint64_t gas, struct wei price, struct wei more)
{
    struct u256 cost;

    if (!u256_mul_u64(price.v, gas, &cost) || !u256_add(cost, more.v, &cost) || !u256_add(sum->v, cost, &sum->v))
        *sum = most_wei();
}

static void read_cost(struct stmt *st, struct wei *sum)
{
    enum tx_state state = (enum tx_state)stmt_enum(st, TX_PREPARED, TX_STATES - 1);
    uint64_t gas = stmt_u64(st), gas_used;
    struct wei max_fee = stmt_wei(st), data_fee = stmt_wei(st), price, l1_fee;

    gas_used = stmt_u64(st);
    price = stmt_wei(st);
    l1_fee = stmt_wei(st);
    switch (state) {
    case TX_PREPARED:
    case TX_SENT:
        add_cost(sum, gas, max_fee, data_fee);
        return;
    case TX_MINED:
    case TX_FINAL:
    case TX_REVERTED:
    case TX_VOID:
        add_cost(sum, gas_used, price, l1_fee);
        return;
    case TX_FOREIGN:
        return;
    }
    bug("transaction state %d", (int)state);
}

/* Ends st. */
static bool sum_costs(struct stmt *st, struct wei *cost, struct err *err)
{
    struct wei sum = { U256_ZERO };
    bool row;

    while (stmt_step(st, &row, err)) {
        if (!row) {
            *cost = sum;
            return true;
        }
        read_cost(st, &sum);
        if (!stmt_ok(st, err)) {
            stmt_end(st);
            return false;
        }
    }
    return false;
}

bool store_cost_of_sequence(struct db *db, uint64_t sequence, uint64_t except, struct wei *cost, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, COLUMNS FROM_NEWEST "t.sequence = ?", &st, err))
        return false;
    stmt_bind_u64(&st, except);
    stmt_bind_u64(&st, sequence);
    return sum_costs(&st, cost, err);
}

bool store_cost_since(struct db *db, uint64_t since_ms, uint64_t except, struct wei *cost, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, COLUMNS FROM_NEWEST "a.created_at >= ?", &st, err))
        return false;
    stmt_bind_u64(&st, except);
    stmt_bind_u64(&st, since_ms);
    return sum_costs(&st, cost, err);
}

#include "tests/support/fixture.h"

#include "gateway/core/state.h"

struct move { int from, to; };

/* Every move there is; all others must be refused. */
static const struct move receipt_moves[] = { { RECEIPT_QUARANTINED, RECEIPT_ACCEPTED }, { RECEIPT_QUARANTINED, RECEIPT_REFUSED } };
static const struct move batch_moves[] = {
    { BATCH_OPEN, BATCH_CLOSED }, { BATCH_CLOSED, BATCH_PREPARED }, { BATCH_PREPARED, BATCH_COMMITTED },
    { BATCH_COMMITTED, BATCH_ACTIVE }, { BATCH_ACTIVE, BATCH_DISTRIBUTED }, { BATCH_DISTRIBUTED, BATCH_FINAL },
    { BATCH_PREPARED, BATCH_CANCELLED }, { BATCH_COMMITTED, BATCH_CANCELLED }, { BATCH_CANCELLED, BATCH_CLOSED },
};
static const struct move tx_moves[] = {
    { TX_PREPARED, TX_SENT }, { TX_SENT, TX_MINED }, { TX_SENT, TX_FOREIGN }, { TX_MINED, TX_FINAL },
    { TX_MINED, TX_REVERTED }, { TX_MINED, TX_VOID }, { TX_MINED, TX_SENT },
    { TX_FOREIGN, TX_MINED },
};

static bool is_among(const struct move *moves, size_t count, int from, int to)
{
    for (size_t i = 0; i < count; i++)
        if (moves[i].from == from && moves[i].to == to)
            return true;
    return false;
}

static void only_these_moves_are_allowed(void **state)
{
    (void)state;
    for (int from = 1; from < RECEIPT_STATES; from++)
        for (int to = 1; to < RECEIPT_STATES; to++)
            assert_int_equal(receipt_may_become((enum receipt_state)from, (enum receipt_state)to),
                             is_among(receipt_moves, ARRAY_LEN(receipt_moves), from, to));
    for (int from = 1; from < BATCH_STATES; from++)
        for (int to = 1; to < BATCH_STATES; to++)
            assert_int_equal(batch_may_become((enum batch_state)from, (enum batch_state)to),
                             is_among(batch_moves, ARRAY_LEN(batch_moves), from, to));
    for (int from = 1; from < TX_STATES; from++)
        for (int to = 1; to < TX_STATES; to++)
            assert_int_equal(tx_may_become((enum tx_state)from, (enum tx_state)to),
                             is_among(tx_moves, ARRAY_LEN(tx_moves), from, to));
}

static void every_state_has_its_name(void **state)
{
    (void)state;
    assert_string_equal(receipt_state_name(RECEIPT_ACCEPTED), "accepted");
    assert_string_equal(receipt_state_name(RECEIPT_REFUSED), "refused");
    assert_string_equal(batch_state_name(BATCH_OPEN), "open");
    assert_string_equal(batch_state_name(BATCH_CANCELLED), "cancelled");
    assert_string_equal(tx_state_name(TX_PREPARED), "prepared");
    assert_string_equal(tx_state_name(TX_FOREIGN), "foreign");
}

static const struct public_case {
    const char *name;
    enum receipt_state receipt;
    enum batch_state batch;
    bool all_paid;
    const char *want;
} cases[] = {
    { "a quarantined receipt has no batch yet",     RECEIPT_QUARANTINED, BATCH_OPEN,        false, "quarantined" },
    { "a refused one never has",                    RECEIPT_REFUSED,     BATCH_OPEN,        false, "refused" },
    { "in the open batch it is accepted",           RECEIPT_ACCEPTED,    BATCH_OPEN,        false, "accepted" },
    { "in a closed one it is batched",              RECEIPT_ACCEPTED,    BATCH_CLOSED,      false, "batched" },
    { "a signed commit is no commit",               RECEIPT_ACCEPTED,    BATCH_PREPARED,    false, "batched" },
    { "a cancelled one waits again",                RECEIPT_ACCEPTED,    BATCH_CANCELLED,   false, "batched" },
    { "committed",                                  RECEIPT_ACCEPTED,    BATCH_COMMITTED,   false, "committed" },
    { "nothing is paid before it is active",        RECEIPT_ACCEPTED,    BATCH_COMMITTED,   true,  "committed" },
    { "active, not paid",                           RECEIPT_ACCEPTED,    BATCH_ACTIVE,      false, "committed" },
    { "claimed before it was distributed",          RECEIPT_ACCEPTED,    BATCH_ACTIVE,      true,  "paid" },
    { "distributed, somebody skipped",              RECEIPT_ACCEPTED,    BATCH_DISTRIBUTED, false, "committed" },
    { "final and paid",                             RECEIPT_ACCEPTED,    BATCH_FINAL,       true,  "paid" },
};

static void an_outsider_sees(void **state)
{
    const struct public_case *c = *state;

    assert_string_equal(receipt_public_state(c->receipt, c->batch, c->all_paid), c->want);
}

int main(void)
{
    FIXTURE_TESTS(tests, cases, an_outsider_sees);
    const struct CMUnitTest moves[] = {
        cmocka_unit_test(only_these_moves_are_allowed),
        cmocka_unit_test(every_state_has_its_name),
    };

    return cmocka_run_group_tests_name("receipt_public_state", tests, NULL, NULL)
         + cmocka_run_group_tests_name("moves", moves, NULL, NULL);
}

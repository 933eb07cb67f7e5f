/* Corrections and debts: what stands in core/debts.h holds for any order of earnings and corrections. */
#include <string.h>

#include "gateway/core/debts.h"
#include "tests/support/fixture.h"
#include "tests/support/rng.h"

#define ACCOUNTS 6                            /* 1 and 2 take turns as the protocol account */
#define BATCHES 24
#define HISTORIES 2000

static struct address account(unsigned i)
{
    return (struct address){ { (uint8_t)(i + 1) } };
}

/* One life in whole numbers; the state beside it says the same by its own way: a leaf is the highest that what is had ever was. */
struct life {
    struct debts owed;
    uint64_t leaf[ACCOUNTS];
    int64_t balance[ACCOUNTS];                /* earned and corrected, all of it */
    uint64_t accepted;
};

static uint64_t number(struct amount a)
{
    uint64_t n;

    assert_true(u256_to_u64(a.base_units, &n));
    return n;
}

static void move(struct nets *nets, struct life *l, unsigned i, uint64_t credit, uint64_t debit)
{
    struct err err = { 0 };

    assert_true(nets_add(nets, account(i), amount_from_u64(credit), amount_from_u64(debit), &err));
    l->balance[i] += (int64_t)credit - (int64_t)debit;
}

static void fill(struct nets *nets, struct life *l, unsigned protocol, struct rng *rng)
{
    for (unsigned n = (unsigned)rng_below(rng, 8); n > 0; n--) {
        uint64_t earned = rng_below(rng, 100);

        move(nets, l, (unsigned)rng_below(rng, ACCOUNTS), earned, 0);
        l->accepted += earned;
    }
    for (unsigned n = (unsigned)rng_below(rng, 3); n > 0; n--) {
        unsigned who = (unsigned)rng_below(rng, ACCOUNTS);
        uint64_t amount = 1 + rng_below(rng, 300);
        bool up = rng_below(rng, 2) == 0;

        if (who == protocol)
            continue;
        move(nets, l, up ? who : protocol, amount, 0);
        move(nets, l, up ? protocol : who, 0, amount);
    }
}

/* Everybody but the holder: leaf less debt is the balance.  The holder has that less what the others owe.  Σ leaves is what was
 * accepted and what the holder owes. */
static void check(const struct life *l, unsigned protocol)
{
    uint64_t leaves = 0, withheld = 0, own = number(debts_of(&l->owed, account(protocol)));

    for (unsigned i = 0; i < ACCOUNTS; i++) {
        uint64_t debt = number(debts_of(&l->owed, account(i)));

        leaves += l->leaf[i];
        if (i == protocol)
            continue;
        withheld += debt;
        assert_true((int64_t)l->leaf[i] - (int64_t)debt == l->balance[i]);
    }
    assert_true((int64_t)l->leaf[protocol] - (int64_t)own == l->balance[protocol] - (int64_t)withheld);
    assert_int_equal(leaves, l->accepted + own);
}

static void live(uint64_t seed)
{
    struct rng rng = { seed };
    struct life l = { 0 };
    struct err err = { 0 };

    for (unsigned batch = 0; batch < BATCHES; batch++) {
        unsigned protocol = batch / 9 % 2;
        struct nets nets = { 0 };
        struct debts after;

        fill(&nets, &l, protocol, &rng);
        assert_true(nets_settle(&nets, &l.owed, account(protocol), &after, &err));
        debts_clear(&l.owed);
        l.owed = after;
        for (size_t i = 0; i < nets.count; i++) {
            assert_true(amount_is_zero(nets.list[i].growth) || amount_is_zero(nets.list[i].debt));
            l.leaf[nets.list[i].account.b[0] - 1] += number(nets.list[i].growth);
        }
        nets_clear(&nets);
        check(&l, protocol);
    }
    debts_clear(&l.owed);
}

static void leaves_never_fall_and_nothing_is_lost(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++)
        live(seed);
}

static void amounts_beyond_256_bits_are_refused(void **state)
{
    struct amount most = { { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } } };
    struct nets nets = { 0 };
    struct err err = { 0 };

    (void)state;
    assert_true(nets_add(&nets, account(0), most, AMOUNT_ZERO, &err));
    assert_false(nets_add(&nets, account(0), amount_from_u64(1), AMOUNT_ZERO, &err));
    assert_int_equal(err.code, ERR_OVERFLOW);
    nets_clear(&nets);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_never_fall_and_nothing_is_lost),
        cmocka_unit_test(amounts_beyond_256_bits_are_refused),
    };

    return cmocka_run_group_tests_name("debts", tests, NULL, NULL);
}

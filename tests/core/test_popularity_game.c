/* Who tries to buy popularity: random parties against the functions that the gateway pays by.
 *
 * One party owns consumers, nodes and models, and uses its own models through its own nodes; honest consumers use others.  Its net
 * is all it receives, as provider, creator, ancestor and from the pool, less all its consumers are billed.  The claim: however it
 * spreads the jobs, and whatever budget and carry wait in the pool, net <= -(1 - cap) * protocol fees.  Prints what each strategy
 * came to; `--rounds N` plays more of them (make popularity-game). */
#include "gateway/core/popularity.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "tests/support/fixture.h"

#define EPOCHS 3
#define MODELS 8                       /* the first four are the party's, in one lineage; the others honest */
#define OWN_MODELS 4
#define NODES 3
#define CONSUMERS_MAX 300
#define PROTOCOL 0xf0
#define CAP_DEFAULT 5000

enum kind { KIND_HONEST = 1, KIND_CONSUMER, KIND_NODE, KIND_CREATOR, KIND_OTHER };

static struct address who(enum kind kind, unsigned n)
{
    return (struct address){ { (uint8_t)kind, (uint8_t)(n >> 8), (uint8_t)n } };
}

static struct hash model(unsigned n) { return (struct hash){ { (uint8_t)(n + 1) } }; }
static bool is_own(struct address a) { return a.b[0] == KIND_CONSUMER || a.b[0] == KIND_NODE || a.b[0] == KIND_CREATOR; }

enum strategy { SELF_DEALING, SYBILS, COLLUDING_NODES, ONE_RICH, MANY_POOR, WAITING_FOR_CARRY, TOPPING_UP };
#define STRATEGIES (TOPPING_UP + 1)
static const char *const strategy_names[STRATEGIES] = {
    [SELF_DEALING]      = "self-dealing, one consumer",
    [SYBILS]            = "sybil consumers, equal parts",
    [COLLUDING_NODES]   = "colluding nodes and models",
    [ONE_RICH]          = "own jobs beside one rich consumer",
    [MANY_POOR]         = "own jobs beside many poor ones",
    [WAITING_FOR_CARRY] = "nothing, then all in the last epoch",
    [TOPPING_UP]        = "a used model topped up",
};

struct game {
    struct rng honest, own;            /* apart, so that the same market can be played without the party's jobs */
    enum strategy strategy;
    bool idle;                         /* the party does nothing */
    uint16_t cap_bps;
    struct catalog *catalog;
    struct price_version price;
    struct popularity_fees fees;       /* of the epoch under way */
    struct popularity pool;            /* terms and carry from epoch to epoch */
    /* of the party, over all epochs; own_fees: paid by its own consumers on its own models, half of what may come back */
    struct amount paid, received, from_pool, own_fees, refundable;
};

static void add(struct amount *sum, struct amount part)
{
    assert_true(amount_add(*sum, part, sum));
}

/* One job, billed and split as the gateway does it. */
static void job(struct game *g, struct address consumer, unsigned of, unsigned node, uint64_t price)
{
    struct signed_receipt r = { .receipt = { .provider = who(is_own(consumer) ? KIND_NODE : KIND_OTHER, node), .model = model(of),
                                             .consumer = consumer }, .has_consumer_signature = true };
    struct amount amount = amount_from_u64(price);
    struct share charge = ledger_charge(g->catalog, &r, amount, 1);
    struct popularity_fee fee = { charge.model, charge.account, popularity_fee_of(&g->price, amount) };
    struct shares credits = { 0 };
    struct err err = { 0 };

    assert_int_equal(charge.role, ROLE_CONSUMER);
    assert_true(ledger_split(g->catalog, &r.receipt, &g->price, amount, (struct address){ { PROTOCOL } }, 1, &credits, &err));
    for (size_t i = 0; i < credits.count; i++)
        if (is_own(credits.list[i].account))
            add(&g->received, credits.list[i].amount);
    shares_clear(&credits);
    assert_true(popularity_fees_add(&g->fees, &fee, &err));
    if (is_own(consumer)) {
        add(&g->paid, amount);
        add(&g->own_fees, fee.fees);
    }
}

static uint64_t random_price(struct rng *rng)
{
    return 1 + (rng_next(rng) >> (24 + rng_below(rng, 40)));
}

static void honest_jobs(struct game *g)
{
    unsigned consumers = g->strategy == ONE_RICH ? 1 : 1 + (unsigned)rng_below(&g->honest, g->strategy == MANY_POOR ? 200 : 20);

    for (unsigned i = 0; i < consumers; i++)
        for (unsigned m = OWN_MODELS; m < MODELS; m++)
            job(g, who(KIND_HONEST, i), m, 0, g->strategy == MANY_POOR ? 1 + rng_below(&g->honest, 1000000) : random_price(&g->honest));
    if (g->strategy == TOPPING_UP)
        for (unsigned i = 0; i < consumers; i++)
            job(g, who(KIND_HONEST, i), OWN_MODELS - 1, 0, random_price(&g->honest));
}

static void own_jobs(struct game *g)
{
    unsigned many = 1 + (unsigned)rng_below(&g->own, rng_below(&g->own, 2) == 0 ? 20 : CONSUMERS_MAX);
    unsigned consumers = g->strategy == SELF_DEALING ? 1 : many;
    uint64_t equal = random_price(&g->own);

    for (unsigned i = 0; i < consumers; i++) {
        bool spread = g->strategy == COLLUDING_NODES || g->strategy == MANY_POOR;
        unsigned of = spread ? (unsigned)rng_below(&g->own, OWN_MODELS) : OWN_MODELS - 1;

        uint64_t price = g->strategy == SYBILS ? equal : random_price(&g->own);

        /* Little beside what others pay there: the shares of a score that is a sum of roots are cheapest so. */
        if (g->strategy == TOPPING_UP)
            price = 1 + (price >> rng_below(&g->own, 40));
        job(g, who(KIND_CONSUMER, i), of, (unsigned)rng_below(&g->own, NODES), price);
    }
}

/* What the cap lets come back of the fees that the party itself paid, model by model. */
static void book(struct game *g)
{
    struct shares credits = { 0 };
    struct err err = { 0 };

    assert_true(popularity_fees_sort(&g->fees, &err) && popularity_score(&g->fees, &g->pool, &err) && popularity_share(&g->pool, &err));
    assert_true(popularity_credits(g->catalog, &g->pool, &credits, &err));
    for (size_t i = 0; i < credits.count; i++)
        if (is_own(credits.list[i].account)) {
            add(&g->received, credits.list[i].amount);
            add(&g->from_pool, credits.list[i].amount);
        }
    for (size_t i = 0; i < g->pool.count; i++) {
        struct amount cap;

        assert_true(amount_share(g->pool.rows[i].fees, g->pool.terms.cap_bps, &cap));
        assert_true(amount_cmp(g->pool.rows[i].share, cap) <= 0);
        if (g->pool.rows[i].model.b[0] <= OWN_MODELS)
            add(&g->refundable, cap);
    }
    shares_clear(&credits);
    g->pool.carried_in = g->pool.carried_out;
    g->fees.count = 0;
}

static void make_catalog(struct game *g)
{
    g->catalog = catalog_new();
    for (unsigned n = 0; n < NODES; n++) {
        catalog_add_provider(g->catalog, &(struct provider){ .address = who(KIND_NODE, n), .payout = who(KIND_NODE, n), .admitted = true });
        catalog_add_provider(g->catalog, &(struct provider){ .address = who(KIND_OTHER, n), .payout = who(KIND_OTHER, n), .admitted = true });
    }
    for (unsigned i = 0; i < CONSUMERS_MAX; i++) {
        catalog_add_consumer(g->catalog, &(struct consumer){ .address = who(KIND_CONSUMER, i), .enrolled = true });
        catalog_add_consumer(g->catalog, &(struct consumer){ .address = who(KIND_HONEST, i), .enrolled = true });
    }
    for (unsigned n = 0; n < MODELS; n++) {
        struct model m = { .model = model(n), .creator = who(n < OWN_MODELS ? KIND_CREATOR : KIND_OTHER, n), .verified_at_ms = 1 };

        if (n > 0 && n < OWN_MODELS) {
            m.parent_count = 1;
            m.parents[0] = (struct lineage_parent){ model(n - 1), (uint16_t)rng_below(&g->honest, BPS + 1) };
        }
        catalog_add_model(g->catalog, &m);
    }
    catalog_seal(g->catalog);
}

static void play(struct game *g)
{
    uint16_t protocol = (uint16_t)(1 + rng_below(&g->honest, BPS / 2));

    make_catalog(g);
    g->price.split_bps[SPLIT_PROTOCOL] = protocol;
    g->price.split_bps[SPLIT_CREATOR] = (uint16_t)rng_below(&g->honest, BPS - protocol + 1u);
    g->price.split_bps[SPLIT_PROVIDER] = (uint16_t)(BPS - protocol - g->price.split_bps[SPLIT_CREATOR]);
    g->cap_bps = rng_below(&g->honest, 3) != 0 ? CAP_DEFAULT : (uint16_t)rng_below(&g->honest, BPS + 1);
    g->pool.terms = (struct popularity_terms){ 1, 1, 2, amount_from_u64(rng_next(&g->honest) >> rng_below(&g->honest, 64)), g->cap_bps };
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        honest_jobs(g);
        if (!g->idle && (g->strategy != WAITING_FOR_CARRY || epoch == EPOCHS - 1))
            own_jobs(g);
        book(g);
    }
    popularity_fees_clear(&g->fees);
    popularity_clear(&g->pool);
    catalog_free(g->catalog);
}

struct tally { uint64_t rounds, capped, gained; double worst, sum; };      /* worst: for us */

static double as_double(struct amount a)
{
    double v = 0;

    for (int i = 3; i >= 0; i--)
        v = v * 18446744073709551616.0 + (double)a.base_units.limb[i];
    return v;
}

/* For the table alone: the default cap's rounds, net by fees. */
static void count(const struct game *g, double net, struct tally *t)
{
    double ratio = net / as_double(g->own_fees);

    if (g->cap_bps != CAP_DEFAULT || amount_is_zero(g->own_fees))
        return;
    t->worst = t->rounds == 0 || ratio > t->worst ? ratio : t->worst;
    t->sum += ratio;
    t->rounds++;
    t->capped += amount_cmp(g->from_pool, g->refundable) == 0;
    t->gained += net > 0;
}

/* Where nobody else uses the party's models, in exact numbers: received + fees <= paid + floor(cap * fees). */
static void judge(const struct game *g, struct tally *t)
{
    struct amount most = g->paid, has = g->received;

    assert_true(amount_cmp(g->from_pool, g->refundable) <= 0);
    add(&most, g->refundable);
    add(&has, g->own_fees);
    assert_true(amount_cmp(has, most) <= 0);
    if (g->cap_bps < BPS && !amount_is_zero(g->own_fees))
        assert_true(amount_cmp(g->received, g->paid) < 0);
    count(g, as_double(g->received) - as_double(g->paid), t);
}

/* Others' fees are refunded here, too, so topping up may gain; never more than the cap leaves between the share and its bound. */
static void judge_topping_up(const struct game *g, struct tally *t)
{
    struct game without = { .honest = g->honest, .strategy = g->strategy, .idle = true };
    struct game with = *g;
    double net;

    play(&with);
    play(&without);
    assert_true(amount_cmp(with.from_pool, with.refundable) <= 0);
    net = as_double(with.received) - as_double(with.paid) - as_double(without.received);
    assert_true(net <= as_double(with.refundable) - as_double(without.from_pool) - as_double(with.own_fees) + 1e-9 * as_double(with.paid));
    count(&with, net, t);
}

static uint64_t rounds = 2800;

static void nobody_gains_by_using_his_own_model(void **state)
{
    struct tally tallies[STRATEGIES] = { { 0 } };
    struct rng rng = { 2026 };

    (void)state;
    for (uint64_t i = 0; i < rounds; i++) {
        struct game g = { .honest = { rng_next(&rng) }, .own = { rng_next(&rng) }, .strategy = (enum strategy)(i % STRATEGIES) };

        if (g.strategy == TOPPING_UP) {
            judge_topping_up(&g, &tallies[TOPPING_UP]);
        } else {
            play(&g);
            judge(&g, &tallies[g.strategy]);
        }
    }
    printf("with a cap of one half: net of protocol fees paid\n%-38s %8s %8s %8s %10s %10s\n", "strategy", "rounds", "at cap", "gained",
           "best", "mean");
    for (int s = 0; s < STRATEGIES; s++)
        printf("%-38s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %10.4f %10.4f\n", strategy_names[s], tallies[s].rounds, tallies[s].capped,
               tallies[s].gained, tallies[s].worst, tallies[s].sum / (double)tallies[s].rounds);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nobody_gains_by_using_his_own_model) };

    if (argc == 3 && strcmp(argv[1], "--rounds") == 0)
        rounds = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests_name("popularity game", tests, NULL, NULL);
}

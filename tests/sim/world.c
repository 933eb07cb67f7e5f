/* The life of a process that settles: it starts, looks, sleeps, dies and starts again; then everything heals, and what
 * is left must be done. */
#include <stdlib.h>

#include "chain/rpc_health.h"
#include "gateway/base/mem.h"
#include "store/catalog.h"
#include "tests/sim/check.h"
#include "tests/sim/disk.h"
#include "tests/sim/mutations.h"
#include "tests/sim/node.h"
#include "tests/support/settle_books.h"

#define LOOKS_MOST 2000u               /* after everything healed */
#define HEALED_MOST_MS (UINT64_C(8) * 24 * 3600 * 1000)
#define STARTS_MOST 100u
#define CLOCK_OFF_MS INT64_C(200000)

uint64_t world_final_height(const struct sim *s)
{
    uint64_t head = s->chain.blocks[s->chain.head].number, depth = s->plan.confirmations;

    if (s->plan.finality_lag > 0)
        return head > s->plan.finality_lag ? head - s->plan.finality_lag : 0;
    if (depth == 0)
        depth = 64;
    return head + 1 > depth ? head + 1 - depth : 0;
}

static uint64_t process_now(void *self)
{
    const struct sim *s = self;

    return (uint64_t)((int64_t)s->now_ms + s->at->skew_ms);
}

/* What never goes back, and the chance of pauses. */
static uint64_t steady_now(void *self)
{
    return ((const struct sim *)self)->now_ms;
}

static uint64_t draw(void *self)
{
    return rng_next(&((struct sim *)self)->rng);
}

/* -- the process -- */

void world_stop(struct sim *s)
{
    struct process *p = s->at;

    settle_free(p->settle);
    lease_stop(p->lease);
    if (p->rpc != NULL)
        rpc_free(p->rpc);
    db_close(p->db);
    writer_close(p->writer);
    *p = (struct process){ .skew_ms = p->skew_ms, .busy = p->busy };
    for (unsigned n = 0; n < s->plan.endpoints; n++)
        s->nodes[n].fresh[sim_number(s)] = true;
}

bool world_start(struct sim *s, struct err *err)
{
    static const char *const urls[] = { "http://node0", "http://node0,http://node1", "http://node0,http://node1,http://node2" };
    struct settle_config config = s->config;
    struct process *p = s->at;
    char name[16];

    snprintf(name, sizeof name, "gateway %u", (unsigned)(p - s->processes) + 1);
    if (!writer_open(s->store_url, &s->clock, &p->writer, err) || !db_open(s->store_url, DB_READ, &p->db, err)
        || !rpc_new(urls[s->plan.endpoints - 1], &p->rpc, err)
        || (s->replicas > 1 && !lease_new(s->store_url, p->writer, name, &p->lease, err)))
        return false;
    config.lease = p->lease;
    rpc_set_clock(p->rpc, &s->steady, draw, s);
    return settle_new(&config, p->db, p->writer, p->rpc, s->signers[s->key], &s->clock, &p->settle, err);
}

static void process_start(struct sim *s)
{
    struct err err = { 0 };

    for (unsigned i = 0; i < STARTS_MOST; i++) {
        s->crashed = false;
        if (world_start(s, &err)) {
            sim_say(s, "the process starts");
            return;
        }
        sim_say(s, "no start: %s", err.text);
        world_stop(s);
        sim_advance(s, 1000);
    }
    bug("the process does not start: %s", err.text);
}

static void process_restart(struct sim *s)
{
    if (s->replicas > 1) {
        replicas_end(s);
        return;
    }
    world_stop(s);
    sim_advance(s, sim_between(s, 10, 3 * s->plan.block_ms));
    process_start(s);
}

/* -- what it gets to settle -- */

struct feeding { struct sim *sim; struct catalog *catalog; unsigned count; };

static bool feed(void *self, struct group *group, struct err *err)
{
    struct feeding *f = self;
    struct sim *s = f->sim;
    bool ok = true;

    for (unsigned i = 0; ok && i < f->count; i++) {
        struct receipt_row row = { .signed_ = { .has_signature = true } };

        row.signed_.receipt = books_receipt((unsigned)rng_below(&s->rng, s->plan.people), ++s->jobs,
                                            sim_between(s, 1, 5000), group->now_ms);
        row.signed_.signature.b[64] = 27;
        ok = books_accept(f->catalog, group, &row, err);
    }
    return ok;
}

/* The catalog is the same in every life. */
static struct catalog *catalog_of(struct sim *s)
{
    static struct catalog *catalog;
    struct err err = { 0 };
    uint64_t settings;

    if (catalog == NULL && !store_catalog_load(s->look, &catalog, &settings, &err))
        bug("%s", err.text);
    return catalog;
}

static void feed_batch(struct sim *s)
{
    struct feeding f = { .sim = s, .catalog = catalog_of(s), .count = (unsigned)sim_between(s, 1, 8) };
    struct err err = { 0 };

    sim_say(s, "%u receipts", f.count);
    if (s->replicas > 1 && !replicas_choose(s)) {
        sim_say(s, "nobody takes them");
        return;
    }
    s->at->busy = true;
    if (!writer_do(s->at->writer, feed, &f, &err))
        sim_say(s, "not accepted: %s", err.text);      /* or accepted and not known: the books count what is there */
    s->at->busy = false;
    if (s->crashed && s->replicas > 1)
        replicas_end(s);
    s->batches_fed++;
    s->wants_close = true;
}

static bool carry(void *self, struct group *group, struct err *err)
{
    return store_batch_carry(group->db, *(const uint64_t *)self, err);
}

/* A person carries what was cancelled. */
static void carry_cancelled(struct sim *s)
{
    struct err err = { 0 };
    uint64_t sequence;

    if (!check_cancelled(s, &sequence) || (s->faulty && !sim_chance(s, 20)))
        return;
    sim_say(s, "settlement %llu is carried", (unsigned long long)sequence);
    if (!writer_do(s->at->writer, carry, &sequence, &err))
        sim_say(s, "not carried: %s", err.text);
}

/* -- one look -- */

static void settle_once(struct sim *s, struct sim_look *l)
{
    struct settle *settle = s->at->settle;
    bool closed = false;

    *l = (struct sim_look){ 0 };
    s->at->settling = true;
    if (s->wants_close && settle_close(settle, &closed, &l->err))
        s->wants_close = !closed;
    l->err = (struct err){ 0 };
    l->ok = settle_step(settle, &l->moved, &l->report, &l->err);
    s->at->settling = false;
    l->moved = l->moved || closed;
    if (l->ok)
        sim_say(s, "look: sequence %llu %s%s", (unsigned long long)l->report.sequence, batch_state_name(l->report.state),
                l->moved ? ", moved" : "");
    else
        sim_say(s, "look fails (%d): %s", (int)l->err.code, l->err.text);
}

static void sleep_after(struct sim *s, const struct sim_look *l)
{
    uint64_t block_ms = s->plan.block_ms;

    uint64_t depth = s->chain.blocks[s->chain.head].number - world_final_height(s);

    if (l->ok && l->moved)
        return;
    if (!s->faulty || sim_chance(s, 20))
        sim_advance(s, sim_between(s, 1, 2 + depth / 2) * block_ms);
    else
        sim_advance(s, sim_between(s, 500, 500 + 2 * block_ms));
}

void world_look(struct sim *s, struct sim_look *l)
{
    settle_once(s, l);
    check_look(s);
    carry_cancelled(s);
    if (sim_fault(s, FAULT_CLOCK_JUMP)) {
        int64_t most_ms = CLOCK_OFF_MS / (int64_t)s->replicas;     /* two that are believed differ by no more than one may leap */

        s->at->skew_ms = (int64_t)sim_between(s, 0, 2 * (uint64_t)most_ms) - most_ms;
    }
    if (s->crashed)
        process_restart(s);
    else
        sleep_after(s, l);
}

static void look_once(struct sim *s, struct sim_look *l)
{
    if (s->replicas > 1)
        replicas_look(s, l);
    else
        world_look(s, l);
}

/* The key is replaced: all start anew. */
static void rotate(struct sim *s)
{
    s->key = 1;
    outsiders_rotate(s);
    for (unsigned i = 0; i < s->replicas; i++) {
        s->at = &s->processes[i];
        process_restart(s);
    }
}

static void live(struct sim *s)
{
    uint64_t end = s->now_ms + s->plan.faulty_ms, rotate_at = s->now_ms + s->plan.faulty_ms / 2;
    struct sim_look l;

    feed_batch(s);
    while (s->now_ms < end && !s->failed) {
        if (s->batches_fed < s->plan.batches && sim_chance(s, 30))
            feed_batch(s);
        if (s->plan.rotates && s->key == 0 && s->now_ms > rotate_at)
            rotate(s);
        if (s->replicas == 1) {
            world_look(s, &l);
            continue;
        }
        replicas_trouble(s);
        (void)replicas_turn(s, &l);
    }
}

/* -- the end -- */

static void heal(struct sim *s)
{
    sim_say(s, "everything heals");
    s->faulty = false;
    for (unsigned n = 0; n < s->plan.endpoints; n++) {
        struct node *node = &s->nodes[n];

        node->down_until = node->lags_until = node->other_until = node->hides_until = 0;
        node->head = s->chain.head;
        node_drop(node);
    }
    outsiders_heal(s);
    replicas_heal(s);
}

/* Until the chain has done what was asked of it while things were bad, and nobody is refused any more. */
static void wait_for_peace(struct sim *s)
{
    for (unsigned i = 0; i < 200 && !outsiders_are_done(s); i++)
        sim_advance(s, s->plan.block_ms);
    if (!outsiders_are_done(s))
        bug("the simulated chain does not come to rest");
}

static void settle_rest(struct sim *s)
{
    uint64_t began_ms = s->now_ms;
    struct sim_look l = { 0 };
    unsigned quiet = 0;

    for (unsigned i = 0; !s->failed; i++) {
        if (i == LOOKS_MOST || s->now_ms - began_ms > HEALED_MOST_MS) {
            sim_fail(s, "stuck: settlement %llu is %s after %u looks and %llu s: %s",
                     (unsigned long long)l.report.sequence, l.report.state != 0 ? batch_state_name(l.report.state) : "?", i,
                     (unsigned long long)(s->now_ms - began_ms) / 1000, l.err.text);
            return;
        }
        s->wants_close = true;
        look_once(s, &l);
        quiet = l.ok && l.report.nothing && check_is_idle(s) ? quiet + 1 : 0;
        if (quiet == 2)
            return;
        if (i > 40 && l.ok && l.report.waits == WAITS_FOR_ACTIVATION)
            sim_advance(s, 10 * s->plan.block_ms);
    }
}

/* Whoever claimed last must be in the books, too. */
static void wait_until_final(struct sim *s)
{
    uint64_t head = s->chain.blocks[s->chain.head].number;
    struct sim_look l;

    while (!s->failed && world_final_height(s) < head)
        sim_advance(s, 20 * s->plan.block_ms);
    for (unsigned i = 0; i < 2; i++)
        look_once(s, &l);
}

static void prepare(struct sim *s)
{
    struct err err = { 0 };

    s->at = &s->processes[0];
    s->now_ms = DISK_BIRTH_MS + 1000000;
    s->rng = (struct rng){ s->seed };
    s->digest = UINT64_C(0xcbf29ce484222325);
    s->clock = (struct clock){ process_now, s };
    s->steady = (struct clock){ steady_now, s };
    plan_draw(s);
    chain_start(s);
    s->next_block_ms = s->now_ms + s->plan.block_ms;
    for (unsigned n = 0; n < SIM_NODES; n++) {
        s->nodes[n] = (struct node){ .head = s->chain.head, .geth = sim_chance(s, 50) };
        node_drop(&s->nodes[n]);
    }
    memset(s->secret, 7, sizeof s->secret);
    s->config = (struct settle_config){
        .chain_id = SIM_CHAIN_ID, .contract = s->chain.contract, .token = s->chain.token,
        .confirmations = s->plan.confirmations, .deploy_block = SIM_DEPLOY_BLOCK, .max_fee = wei_from_gwei(500),
        .max_run_cost = wei_from_gwei(1000000000000000), .max_day_cost = wei_from_gwei(1000000000000000),
        .distribute_minimum = amount_from_u64(s->plan.minimum), .protocol_account = books_account(BOOKS_PROTOCOL, 0),
        .archive_dir = s->archive, .secret = s->secret, .in_flight = s->plan.in_flight, .set_gas = s->plan.set_gas,
    };
    if (s->server != NULL)
        server_reset();
    else
        disk_reset(s);
    if (!db_open(s->plain_url, DB_READ, &s->look, &err))
        bug("%s", err.text);
}

void world_run(struct sim *s)
{
    sim_here = s;
    mutation_forget();
    prepare(s);
    for (unsigned i = s->replicas; i-- > 0; ) {
        s->at = &s->processes[i];
        process_start(s);
    }
    s->faulty = !s->calm;
    live(s);
    heal(s);
    if (!s->failed)
        settle_rest(s);
    /* What was refused or left out is due again in the next settlement. */
    wait_for_peace(s);
    if (!s->failed && check_is_any_due(s)) {
        feed_batch(s);
        settle_rest(s);
    }
    wait_until_final(s);
    if (!s->failed)
        check_end(s);
    for (unsigned i = 0; i < s->replicas; i++) {
        s->at = &s->processes[i];
        world_stop(s);
    }
    db_close(s->look);
    chain_clear(&s->chain);
    free(s->wire);
    free(s->tx_states);
}

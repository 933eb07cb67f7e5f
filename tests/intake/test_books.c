/* A random load from several threads, and the books recomputed by another rule of thumb than the product's. */
#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "tests/support/world.h"

#define THREADS 4
#define POSTS 30
#define EACH 40

/* What the four earners and two payers of the world should have, in 64-bit integers. */
struct expected { uint64_t node, other, creator, ancestor, protocol, consumer, treasury, all; };

struct poster {
    pthread_t thread;
    struct world *w;
    struct submission list[POSTS];
    struct expected expected;
    bool failed;
};

static void expect(struct expected *e, bool by_node, bool countersigned, uint64_t tokens)
{
    uint64_t amount = 2 * tokens, creator = amount / 4, protocol = amount / 20, lineage = creator / 10;

    *(by_node ? &e->node : &e->other) += amount - creator - protocol;
    e->creator += creator - lineage;
    e->ancestor += lineage;
    e->protocol += protocol;
    *(countersigned ? &e->consumer : &e->treasury) += amount;
    e->all += amount;
}

static void make_load(struct world *w, struct poster *p)
{
    struct signed_receipt list[EACH];

    for (size_t n = 0; n < POSTS; n++) {
        for (size_t i = 0; i < EACH; i++) {
            bool by_node = rng_below(&w->rng, 2) == 0, countersigned = rng_below(&w->rng, 3) == 0;
            bool again = i > 0 && rng_below(&w->rng, 10) == 0, bad = rng_below(&w->rng, 10) == 0;
            uint64_t tokens = rng_below(&w->rng, 1000000);

            list[i] = again ? list[i - 1] : world_receipt(w, by_node ? &w->node : &w->other, tokens);
            if (again)
                continue;
            if (countersigned)
                world_countersign(w, &w->consumer, &list[i]);
            if (bad)
                list[i].signature.b[9] ^= 1;
            else
                expect(&p->expected, by_node, countersigned, tokens);
        }
        world_submission(&p->list[n], list, EACH);
    }
}

static void *post_all(void *self)
{
    struct poster *p = self;
    struct err err = { 0 };

    for (size_t n = 0; n < POSTS; n++)
        p->failed |= !intake_submit_wait(p->w->intake, &p->list[n], &err);
    return NULL;
}

static void add(struct world *w, struct address account, enum role role, uint64_t want)
{
    struct amount sum = AMOUNT_ZERO;
    uint64_t open = world_count(w, "SELECT MAX(number) FROM batches");

    for (uint64_t batch = 1; batch <= open; batch++)
        assert_true(amount_add(sum, world_posted(w, batch, account, role), &sum));
    assert_amount_is(sum, want);
}

static void the_books_are_what_the_receipts_say(void **state)
{
    struct world *w = *state;
    struct poster *posters = mem_array(THREADS, sizeof *posters);
    struct expected e = { 0 };

    w->config.batch_amount_max = amount_from_u64(400000000);      /* about ten batches */
    world_restart(w);
    for (size_t i = 0; i < THREADS; i++) {
        posters[i].w = w;
        make_load(w, &posters[i]);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(posters[i].thread, NULL);
        assert_false(posters[i].failed);
        for (size_t k = 0; k < sizeof e / sizeof (uint64_t); k++)
            ((uint64_t *)&e)[k] += ((const uint64_t *)&posters[i].expected)[k];
        for (size_t n = 0; n < POSTS; n++)
            submission_clear(&posters[i].list[n]);
    }
    assert_books_balance(w);
    assert_true(world_count(w, "SELECT COUNT(*) FROM batches") > 5);
    add(w, w->node.address, ROLE_PROVIDER, e.node);
    add(w, w->other.address, ROLE_PROVIDER, e.other);
    add(w, w->creator.address, ROLE_CREATOR, e.creator);
    add(w, w->ancestor.address, ROLE_LINEAGE, e.ancestor);
    add(w, w->config.protocol_account, ROLE_PROTOCOL, e.protocol);
    add(w, w->consumer.address, ROLE_CONSUMER, e.consumer);
    add(w, (struct address){ { 0 } }, ROLE_TREASURY, e.treasury);
    assert_int_equal(e.all, e.consumer + e.treasury);
    free(posters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_books_are_what_the_receipts_say, world_setup, world_teardown),
    };

    return cmocka_run_group_tests_name("books", tests, NULL, NULL);
}

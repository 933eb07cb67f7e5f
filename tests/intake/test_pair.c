/* Two books while a contract is replaced: each receipt into its own, no job into both. */
#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/lib/address_text.h"
#include "tests/support/world.h"

#define HOUR_MS UINT64_C(3600000)

/* `new` takes over from `old`; what is posted goes to `new`. */
struct worlds {
    struct world *new, *old;
    struct db *new_store, *old_store;         /* for the other's intake */
    struct writer_turns turns;
    uint64_t last_finish_ms;
};

static void pair(struct worlds *p)
{
    intake_pair(&(struct intake_pair){ p->new->intake, p->old->intake, p->new_store, p->old_store, p->last_finish_ms });
}

static int setup(void **state)
{
    struct worlds *p = mem_new(sizeof *p);
    struct err err = { 0 };
    void *old, *new;

    world_setup(&old);
    secp_stop();                              /* a world starts it, and there is one */
    world_setup(&new);
    *p = (struct worlds){ .new = new, .old = old, .last_finish_ms = FIXTURE_NOW + HOUR_MS };
    domain_init(&p->new->config.domain, 31337, (struct address){ { 0xc1 } });
    world_restart(p->new);
    assert_true(db_open(p->new->url, DB_READ, &p->new_store, &err) && db_open(p->old->url, DB_READ, &p->old_store, &err));
    writer_turns_init(&p->turns);
    writer_take_turns(p->new->writer, &p->turns);
    writer_take_turns(p->old->writer, &p->turns);
    p->old->rng.state = 99;                   /* other jobs than those of new */
    pair(p);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct worlds *p = *state;
    void *new = p->new, *old = p->old;
    struct err err = { 0 };

    world_teardown(&new);
    assert_true(secp_start(&err));             /* the next one stops it again */
    world_teardown(&old);
    db_close(p->new_store);
    db_close(p->old_store);
    writer_turns_clear(&p->turns);
    free(p);
    return 0;
}

static struct signed_receipt signed_for(const struct world *w, const struct signed_receipt *r)
{
    struct signed_receipt again = *r;

    world_sign(w, &w->node, &again);
    return again;
}

static void assert_only_in(const struct signed_receipt *r, struct world *in, struct world *not_in)
{
    assert_true(world_has_row(in, r));
    assert_false(world_has_row(not_in, r));
}

static void a_signature_for_the_old_contract_goes_to_its_book(void **state)
{
    struct worlds *p = *state;
    struct signed_receipt r = world_receipt(p->old, &p->old->node, 1000);
    struct intake_item item = world_post_one(p->new, &r);

    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_true(item.in_predecessor);
    assert_only_in(&r, p->old, p->new);
    assert_amount_is(world_batch(p->old, 1).amount, 2000);
    assert_int_equal(world_batch(p->new, 1).receipts, 0);
}

static void a_signature_for_the_new_contract_stays(void **state)
{
    struct worlds *p = *state;
    struct signed_receipt r = world_receipt(p->new, &p->new->node, 1000);
    struct intake_item item = world_post_one(p->new, &r);

    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_false(item.in_predecessor);
    assert_only_in(&r, p->new, p->old);
}

static void a_signature_for_neither_is_refused_once(void **state)
{
    struct worlds *p = *state;
    struct signed_receipt r = world_receipt(p->new, &p->new->stranger, 1000);
    struct submission s;

    r.receipt.provider = p->new->node.address;
    world_submission(&s, &r, 1);
    world_post(p->new, &s);
    assert_item(&s.items[0], ITEM_REJECTED, CODE_INVALID_SIGNATURE);
    assert_int_equal(s.items[0].faults.count, 1);
    submission_clear(&s);
}

/* -- one job, both contracts -- */

static const struct both_case { const char *name; bool old_first; } both_cases[] = {
    { "taken for the new one, then posted for the old one", false },
    { "taken for the old one, then posted for the new one", true },
};

static void one_job_is_taken_once(void **state)
{
    const struct both_case *c = *state;
    struct signed_receipt r, first, second;
    struct intake_item taken, again;
    struct worlds *p;
    void *worlds;

    setup(&worlds);
    p = worlds;
    r = world_receipt(p->new, &p->new->node, 1000);
    first = signed_for(c->old_first ? p->old : p->new, &r);
    second = signed_for(c->old_first ? p->new : p->old, &r);
    taken = world_post_one(p->new, &first);
    again = world_post_one(p->new, &second);
    assert_item(&taken, ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_item(&again, ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_int_equal(again.existing_state, RECEIPT_ACCEPTED);
    assert_int_equal(again.in_predecessor, c->old_first);
    assert_true(again.has_promise);
    assert_int_equal(again.promise, taken.promise);
    assert_amount_is(again.amount, 2000);
    assert_only_in(&r, c->old_first ? p->old : p->new, c->old_first ? p->new : p->old);
    teardown(&worlds);
}

static void other_content_for_the_other_contract_conflicts(void **state)
{
    struct worlds *p = *state;
    struct signed_receipt r = world_receipt(p->new, &p->new->node, 1000), other;
    struct intake_item item;

    world_post_one(p->new, &r);
    other = r;
    other.receipt.count[METER_INPUT] = 5000;
    other = signed_for(p->old, &other);
    item = world_post_one(p->new, &other);
    assert_item(&item, ITEM_REJECTED, CODE_CONFLICTING_RECEIPT);
    assert_int_equal(world_count(p->old, "SELECT COUNT(*) FROM conflicts"), 1);
    assert_false(world_has_row(p->old, &other));
}

static void what_is_held_in_one_book_is_not_taken_in_the_other(void **state)
{
    struct worlds *p = *state;
    struct signed_receipt r = world_receipt(p->old, &p->old->stranger, 1000), again;
    struct intake_item item = world_post_one(p->new, &r);

    assert_item(&item, ITEM_QUARANTINED, CODE_UNKNOWN_PROVIDER);
    world_admit(p->new, &p->new->stranger);
    again = r;
    world_sign(p->new, &p->new->stranger, &again);
    item = world_post_one(p->new, &again);
    assert_item(&item, ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_int_equal(item.existing_state, RECEIPT_QUARANTINED);
    assert_only_in(&r, p->old, p->new);
}

static void a_second_provider_of_a_job_is_held_in_the_other_book_too(void **state)
{
    struct worlds *p = *state;
    struct signed_receipt r = world_receipt(p->old, &p->old->node, 1000), second = r;
    struct intake_item item = world_post_one(p->new, &r);

    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    second.receipt.provider = p->new->other.address;
    world_sign(p->new, &p->new->other, &second);
    item = world_post_one(p->new, &second);
    assert_item(&item, ITEM_QUARANTINED, CODE_DUPLICATE_JOB);
}

/* -- many at once -- */

static void items_keep_their_places(void **state)
{
    struct worlds *p = *state;
    struct signed_receipt list[6];
    struct submission s;

    for (size_t i = 0; i < 6; i++)
        list[i] = i % 2 == 0 ? world_receipt(p->new, &p->new->node, 1000 + i) : world_receipt(p->old, &p->old->node, 1000 + i);
    list[5] = signed_for(p->old, &list[0]);   /* a job of this very array, for the other contract */
    world_submission(&s, list, 6);
    world_post(p->new, &s);
    for (size_t i = 0; i < 5; i++) {
        assert_item(&s.items[i], ITEM_ACCEPTED, CODE_ACCEPTED);
        assert_int_equal(s.items[i].in_predecessor, i % 2);
        assert_amount_is(s.items[i].amount, 2 * (1000 + i));
        assert_int_equal(s.items[i].promise, s.promises[i % 2]->row.id);
    }
    assert_item(&s.items[5], ITEM_DUPLICATE, CODE_DUPLICATE);
    assert_false(s.items[5].in_predecessor);
    assert_int_equal(s.promises[0]->row.promise.count, 3);
    assert_int_equal(s.promises[1]->row.promise.count, 2);
    assert_true(fixture_signed_by(&s.promises[1]->row.signature,
                                  typed_digest(&p->old->config.domain, promise_struct_hash(&s.promises[1]->row.promise)),
                                  signer_address(p->old->signer)));
    submission_clear(&s);
    assert_books_balance(p->new);
    assert_books_balance(p->old);
}

static void a_bundle_goes_whole_with_its_consumers_signatures(void **state)
{
    struct worlds *p = *state;
    struct signed_receipt list[100];
    struct submission s;

    for (size_t i = 0; i < 100; i++) {
        list[i] = world_receipt(p->old, &p->old->node, 1000);
        world_countersign(p->old, &p->old->consumer, &list[i]);
    }
    world_submission(&s, list, 100);
    world_bundle(p->old, &p->old->node, &s);
    world_post(p->new, &s);
    for (size_t i = 0; i < 100; i++) {
        assert_item(&s.items[i], ITEM_ACCEPTED, CODE_ACCEPTED);
        assert_only_in(&list[i], p->old, p->new);
    }
    assert_amount_is(world_posted(p->old, 1, p->old->consumer.address, ROLE_CONSUMER), 200000);
    submission_clear(&s);
    assert_books_balance(p->old);
}

#define JOBS 200
#define THREADS 4

struct poster { struct worlds *worlds; const struct signed_receipt *list; size_t accepted; };

/* Each job under both contracts, in arrays that begin at different places. */
static void *post_all(void *self)
{
    struct poster *poster = self;
    struct submission s;

    for (size_t from = 0; from < 2 * JOBS; from += 50) {
        world_submission(&s, poster->list + from, 50);
        world_post(poster->worlds->new, &s);
        for (size_t i = 0; i < 50; i++)
            poster->accepted += s.items[i].status == ITEM_ACCEPTED;
        submission_clear(&s);
    }
    return NULL;
}

static void each_job_is_taken_once_whoever_posts_it_at_once(void **state)
{
    struct worlds *p = *state;
    struct signed_receipt *lists[THREADS];
    struct poster posters[THREADS];
    pthread_t threads[THREADS];
    struct signed_receipt jobs[JOBS];
    size_t accepted = 0;

    for (size_t i = 0; i < JOBS; i++)
        jobs[i] = world_receipt(p->new, &p->new->node, 1000);
    for (size_t t = 0; t < THREADS; t++) {
        lists[t] = mem_array(2 * JOBS, sizeof *lists[t]);
        for (size_t i = 0; i < 2 * JOBS; i++) {
            size_t at = (i + t * 37) % (2 * JOBS);

            lists[t][i] = signed_for((at / JOBS + t) % 2 == 0 ? p->new : p->old, &jobs[at % JOBS]);
        }
        posters[t] = (struct poster){ p, lists[t], 0 };
    }
    for (size_t t = 0; t < THREADS; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, post_all, &posters[t]), 0);
    for (size_t t = 0; t < THREADS; t++) {
        pthread_join(threads[t], NULL);
        accepted += posters[t].accepted;
        free(lists[t]);
    }
    assert_int_equal(accepted, JOBS);
    for (size_t i = 0; i < JOBS; i++)
        assert_int_equal(world_has_row(p->new, &jobs[i]) + world_has_row(p->old, &jobs[i]), 1);
    assert_int_equal(world_batch(p->new, 1).receipts + world_batch(p->old, 1).receipts, JOBS);
    assert_books_balance(p->new);
    assert_books_balance(p->old);
}

/* -- the end of the old one -- */

static void refused_with_the_successor(struct worlds *p, const struct signed_receipt *r)
{
    char successor[ADDRESS_TEXT];
    struct submission s;

    address_to_text(p->new->config.domain.contract, successor);
    world_submission(&s, r, 1);
    world_post(p->new, &s);
    assert_item(&s.items[0], ITEM_REJECTED, CODE_INVALID_SIGNATURE);
    assert_non_null(strstr(s.items[0].faults.list[0].detail, successor));
    submission_clear(&s);
    assert_false(world_has_row(p->old, r));
}

static void a_job_that_ended_too_late_is_the_successors(void **state)
{
    struct worlds *p = *state;
    struct signed_receipt last, beyond, again;
    struct intake_item item;

    p->new->now_ms = p->old->now_ms = p->last_finish_ms + 1000;          /* jobs of a world end a second ago */
    last = world_receipt(p->old, &p->old->node, 1000);
    p->new->now_ms = p->old->now_ms = p->last_finish_ms + 1001;
    beyond = world_receipt(p->old, &p->old->node, 1000);
    item = world_post_one(p->new, &last);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    refused_with_the_successor(p, &beyond);
    again = signed_for(p->new, &beyond);
    item = world_post_one(p->new, &again);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    item = world_post_one(p->new, &last);
    assert_item(&item, ITEM_DUPLICATE, CODE_DUPLICATE);
}

static void a_closed_book_takes_and_releases_nothing(void **state)
{
    struct worlds *p = *state;
    struct signed_receipt held = world_receipt(p->old, &p->old->stranger, 1000), late = world_receipt(p->old, &p->old->node, 1000);
    struct err err = { 0 };

    world_post_one(p->new, &held);
    intake_close(p->old->intake, true);
    refused_with_the_successor(p, &late);
    world_admit(p->old, &p->old->stranger);   /* what would release it */
    assert_int_equal(world_row(p->old, &held).state, RECEIPT_QUARANTINED);
    assert_false(release_receipt(p->old->intake, "test", held.receipt.job_id, held.receipt.provider, "", &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    intake_close(p->old->intake, false);      /* the owner put the end off */
    assert_true(release_receipt(p->old->intake, "test", held.receipt.job_id, held.receipt.provider, "", &err));
    assert_int_equal(world_row(p->old, &held).state, RECEIPT_ACCEPTED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_signature_for_the_old_contract_goes_to_its_book, setup, teardown),
        cmocka_unit_test_setup_teardown(a_signature_for_the_new_contract_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(a_signature_for_neither_is_refused_once, setup, teardown),
        cmocka_unit_test_setup_teardown(other_content_for_the_other_contract_conflicts, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_held_in_one_book_is_not_taken_in_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_provider_of_a_job_is_held_in_the_other_book_too, setup, teardown),
        cmocka_unit_test_setup_teardown(items_keep_their_places, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bundle_goes_whole_with_its_consumers_signatures, setup, teardown),
        cmocka_unit_test_setup_teardown(each_job_is_taken_once_whoever_posts_it_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_job_that_ended_too_late_is_the_successors, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closed_book_takes_and_releases_nothing, setup, teardown),
    };
    FIXTURE_TESTS(both, both_cases, one_job_is_taken_once);

    return cmocka_run_group_tests_name("pair", tests, NULL, NULL) + cmocka_run_group_tests_name("one job, both contracts", both, NULL, NULL);
}

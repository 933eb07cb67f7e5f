/* What a provider's accepted receipts add up to, over groups, bundles and restarts. */
#include <stdio.h>

#include "gateway/base/hex.h"
#include "store/measures.h"
#include "tests/support/world.h"

#define PAGE 100u

/* A job that ran from `from` to `until` ms after the beginning of a minute that is over. */
static struct signed_receipt ran(struct world *w, uint64_t from, uint64_t until)
{
    struct signed_receipt r = world_receipt(w, &w->node, 10);
    uint64_t minute_ms = (w->now_ms / MINUTE_MS - 10) * MINUTE_MS;

    r.receipt.started_at_ms = minute_ms + from;
    r.receipt.finished_at_ms = minute_ms + until;
    for (int i = 0; i < 6; i++)
        r.receipt.job_id.b[i] = (uint8_t)(r.receipt.started_at_ms >> (40 - 8 * i));
    world_sign(w, &w->node, &r);
    return r;
}

static void assert_becomes(struct world *w, const struct signed_receipt *r, enum item_status status)
{
    struct intake_item item = world_post_one(w, r);

    assert_item(&item, status, status == ITEM_ACCEPTED ? CODE_ACCEPTED : CODE_IMPLAUSIBLE_USAGE);
}

static void with_parallelism(struct world *w, uint64_t parallelism)
{
    w->config.limits.plausibility.class_.parallelism = parallelism;
    world_restart(w);
}

static void jobs_beyond_parallelism_are_held(void **state)
{
    struct world *w = *state;
    struct signed_receipt held, list[] = { ran(w, 0, 60000), ran(w, 30000, 90000), ran(w, 0, 30000) };
    struct err err = { 0 };

    with_parallelism(w, 2);
    for (size_t i = 0; i < ARRAY_LEN(list); i++)
        assert_becomes(w, &list[i], ITEM_ACCEPTED);       /* two at once, all minute long */
    held = ran(w, 59999, 60001);
    assert_becomes(w, &held, ITEM_QUARANTINED);
    assert_non_null(strstr(world_row(w, &held).faults, "parallelism: 120001 ms of jobs"));
    with_parallelism(w, 2);                               /* a restart forgets nothing */
    held = ran(w, 59000, 59001);
    assert_becomes(w, &held, ITEM_QUARANTINED);
    list[0] = ran(w, 90000, 180000);                      /* the minutes after are free */
    assert_becomes(w, &list[0], ITEM_ACCEPTED);
    assert_true(release_receipt(w->intake, "op", held.receipt.job_id, w->node.address, "seen it", &err));
    assert_int_equal(world_row(w, &held).state, RECEIPT_ACCEPTED);
    assert_string_equal(world_row(w, &held).reason, "seen it");
    assert_books_balance(w);
}

static void another_provider_has_its_own_minutes(void **state)
{
    struct world *w = *state;
    struct signed_receipt mine = ran(w, 0, 60000), others = ran(w, 0, 60000);
    struct intake_item item;

    with_parallelism(w, 1);
    assert_becomes(w, &mine, ITEM_ACCEPTED);
    others.receipt.provider = w->other.address;
    world_sign(w, &w->other, &others);
    item = world_post_one(w, &others);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
}

static void a_class_of_its_own_is_a_change_like_any(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = ran(w, 0, 60000);
    struct provider p = { .address = w->node.address, .name = "node", .class_ = { .has_parallelism = true, .parallelism = 1 } };
    enum admit_result result;
    struct err err = { 0 };

    assert_true(admit_provider(w->intake, "op", &p, true, &result, &err));
    assert_int_equal(result, ADMIT_CHANGED);
    assert_becomes(w, &r, ITEM_ACCEPTED);
    r = ran(w, 0, 1);
    assert_becomes(w, &r, ITEM_QUARANTINED);
    p.class_.parallelism = 0;                             /* no rule */
    assert_true(admit_provider(w->intake, "op", &p, true, &result, &err));
    r = ran(w, 1, 2);
    assert_becomes(w, &r, ITEM_ACCEPTED);
}

/* The one that is too much is held, its bundle stays. */
static void a_bundle_loses_only_the_receipt_that_is_implausible(void **state)
{
    struct world *w = *state;
    struct signed_receipt list[PAGE];
    struct submission s;

    with_parallelism(w, 1);
    for (uint64_t i = 0; i < PAGE; i++)
        list[i] = i == 50 ? ran(w, 0, 60001) : ran(w, i * 100, i * 100 + 100);
    world_submission(&s, list, PAGE);
    world_bundle(w, &w->node, &s);
    world_post(w, &s);
    for (size_t i = 0; i < PAGE; i++)
        assert_item(&s.items[i], i == 50 ? ITEM_QUARANTINED : ITEM_ACCEPTED, i == 50 ? CODE_IMPLAUSIBLE_USAGE : CODE_ACCEPTED);
    submission_clear(&s);
    assert_books_balance(w);
}

static void old_minutes_are_swept(void **state)
{
    struct world *w = *state;
    struct signed_receipt r = ran(w, 0, 1000);

    with_parallelism(w, 1);
    assert_becomes(w, &r, ITEM_ACCEPTED);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM provider_measures"), 1);
    w->now_ms += 3 * DAY_MS;
    r = ran(w, 0, 1000);
    assert_becomes(w, &r, ITEM_ACCEPTED);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM provider_measures"), 1);
}

static struct signed_receipt with_evidence(struct world *w, uint8_t evidence)
{
    struct signed_receipt r = world_receipt(w, &w->node, 10);

    r.receipt.evidence = (struct hash){ { evidence } };
    world_sign(w, &w->node, &r);
    return r;
}

static void the_same_evidence_twice_is_held(void **state)
{
    struct world *w = *state;
    struct signed_receipt r, none[] = { with_evidence(w, 0), with_evidence(w, 0) };
    char job[JOB_ID_TEXT];

    w->config.limits.plausibility.unique_evidence = true;
    world_restart(w);
    r = with_evidence(w, 9);
    job_id_to_text(r.receipt.job_id, job);
    assert_becomes(w, &r, ITEM_ACCEPTED);
    r = with_evidence(w, 9);
    assert_becomes(w, &r, ITEM_QUARANTINED);
    assert_non_null(strstr(world_row(w, &r).faults, job));
    assert_becomes(w, &none[0], ITEM_ACCEPTED);
    assert_becomes(w, &none[1], ITEM_ACCEPTED);           /* none is not the same */
    w->now_ms += DAY_MS;
    r = with_evidence(w, 9);
    assert_becomes(w, &r, ITEM_QUARANTINED);              /* nor is it forgotten at midnight */
    w->now_ms += DAY_MS;
    r = with_evidence(w, 9);
    assert_becomes(w, &r, ITEM_ACCEPTED);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM provider_evidence"), 1);
}

static void an_hour_far_above_the_mean_is_held(void **state)
{
    struct world *w = *state;
    struct signed_receipt r;

    w->config.limits.plausibility.max_jump = 3;
    world_restart(w);
    for (int hour = 0; hour < 24; hour++) {               /* 100 an hour */
        r = world_receipt(w, &w->node, 100);
        assert_becomes(w, &r, ITEM_ACCEPTED);
        w->now_ms += HOUR_MS;
    }
    r = world_receipt(w, &w->node, 200);
    assert_becomes(w, &r, ITEM_ACCEPTED);
    r = world_receipt(w, &w->node, 101);
    assert_becomes(w, &r, ITEM_QUARANTINED);
    r = world_receipt(w, &w->node, 100);
    assert_becomes(w, &r, ITEM_ACCEPTED);
}

/* Posted in groups of one and as a whole: the sums are those of the receipts. */
static void cache_hits_are_summed_by_day_provider_and_model(void **state)
{
    struct world *w = *state;
    struct signed_receipt list[PAGE];
    struct submission s;
    struct cache_day day;
    struct err err = { 0 };

    for (size_t i = 0; i < PAGE; i++) {
        list[i] = world_receipt(w, &w->node, 100 + i);
        list[i].receipt.count[METER_CACHED] = i;
        world_sign(w, &w->node, &list[i]);
    }
    world_submission(&s, list + 1, PAGE - 1);
    world_bundle(w, &w->node, &s);
    world_post(w, &s);
    submission_clear(&s);
    world_post_one(w, &list[0]);
    day = (struct cache_day){ .day = w->now_ms / DAY_MS, .model = w->model, .provider = w->node.address };
    assert_true(store_cache_days_find(w->db, &day, 1, &err));
    assert_int_equal(day.use.jobs, PAGE);
    assert_int_equal(day.use.input, PAGE * 100 + PAGE * (PAGE - 1) / 2);
    assert_int_equal(day.use.cached, PAGE * (PAGE - 1) / 2);
}

struct found { struct address provider; size_t count; };

static void note(void *self, struct hash model, const struct cache_peer *peer)
{
    struct found *found = self;

    (void)model;
    found->provider = peer->provider;
    found->count++;
}

/* A node that says nothing was cached, over days, beside two that are as their users make them. */
static void a_node_that_hides_hits_is_found_from_the_sums(void **state)
{
    struct world *w = *state;
    const struct address third = { { 3 } };
    uint64_t today = w->now_ms / DAY_MS;
    struct found found = { .count = 0 };
    char sql[640];
    struct err err = { 0 };

    for (uint64_t day = today - 3; day <= today; day++)
        for (int who = 0; who < 3; who++) {
            const uint8_t *p = who == 0 ? w->node.address.b : who == 1 ? w->other.address.b : third.b;
            char text[41], model[65];

            for (int i = 0; i < 20; i++)
                snprintf(text + 2 * i, 3, "%02x", p[i]);
            for (int i = 0; i < 32; i++)
                snprintf(model + 2 * i, 3, "%02x", w->model.b[i]);
            snprintf(sql, sizeof sql, "INSERT INTO cache_days VALUES (%llu, x'%s', x'%s', 250, 100000, %d)", (unsigned long long)day, model,
                     text, who == 1 ? 900 : 30000);
            world_script(w, sql);
        }
    assert_true(store_cache_hidden(w->db, today, note, &found, &err));
    assert_int_equal(found.count, 1);
    assert_true(address_eq(found.provider, w->other.address));
    found.count = 0;
    assert_true(store_cache_hidden(w->db, today + 4, note, &found, &err));   /* a day of the four is out of the window: too few jobs */
    assert_int_equal(found.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(jobs_beyond_parallelism_are_held, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(another_provider_has_its_own_minutes, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_class_of_its_own_is_a_change_like_any, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_bundle_loses_only_the_receipt_that_is_implausible, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(old_minutes_are_swept, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(the_same_evidence_twice_is_held, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(an_hour_far_above_the_mean_is_held, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(cache_hits_are_summed_by_day_provider_and_model, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_node_that_hides_hits_is_found_from_the_sums, world_setup, world_teardown),
    };

    return cmocka_run_group_tests_name("measure", tests, NULL, NULL);
}

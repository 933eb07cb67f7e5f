#include "tests/support/store_fixture.h"

#include <stdio.h>

#include "store/catalog.h"

static struct provider provider_at(unsigned n, uint64_t since_ms)
{
    struct provider p = { .address = some_address(n), .payout = some_address(n + 100), .since_ms = since_ms, .admitted = true };

    snprintf(p.name, sizeof p.name, "node %u at %u", n, (unsigned)since_ms);
    p.has_daily_limit = since_ms > 100;
    p.daily_limit = p.has_daily_limit ? amount_of_256_bits() : AMOUNT_ZERO;
    return p;
}

static bool note_provider(void *self, const struct provider *p)
{
    char *seen = self;

    strcat(strcat(seen, p->name), ";");
    return strlen(seen) < 40;
}

static void the_latest_revision_of_a_provider_counts(void **state)
{
    struct store_fixture *f = *state;
    struct provider old = provider_at(1, 100), new = provider_at(1, 200), other = provider_at(2, 150), got;
    struct address first = some_address(1);
    char seen[200] = "";
    struct err err;
    bool found;

    store_ok(store_provider_latest(f->db, some_address(1), &got, &found, &err));
    assert_false(found);
    new.admitted = false;
    store_ok(store_provider_add(f->db, &new, &err));
    store_ok(store_provider_add(f->db, &old, &err));
    store_ok(store_provider_add(f->db, &other, &err));
    store_ok(store_provider_latest(f->db, some_address(1), &got, &found, &err));
    assert_true(found);
    assert_string_equal(got.name, new.name);
    assert_true(address_eq(got.payout, new.payout));
    assert_true(got.has_daily_limit && !got.admitted);
    assert_amount_equal(got.daily_limit, amount_of_256_bits());
    assert_int_equal(got.since_ms, 200);

    store_ok(store_providers(f->db, NULL, 10, note_provider, seen, &err));
    assert_string_equal(seen, "node 1 at 200;node 2 at 150;");
    seen[0] = '\0';
    store_ok(store_providers(f->db, &first, 10, note_provider, seen, &err));
    assert_string_equal(seen, "node 2 at 150;");
    store_fails(ERR_CONFLICT, store_provider_add(f->db, &old, &err));
}

static bool note_consumer(void *self, const struct consumer *c)
{
    struct consumer *last = self;

    *last = *c;
    return true;
}

static void the_latest_revision_of_a_consumer_counts(void **state)
{
    struct store_fixture *f = *state;
    struct consumer c = { .address = some_address(1), .name = "first", .since_ms = 1, .enrolled = true }, got;
    struct err err;
    bool found;

    store_ok(store_consumer_add(f->db, &c, &err));
    c.since_ms = 2;
    c.has_credit_limit = true;
    c.credit_limit = some_amount(9);
    store_ok(store_consumer_add(f->db, &c, &err));
    store_ok(store_consumer_latest(f->db, some_address(1), &got, &found, &err));
    assert_true(found && got.has_credit_limit && got.enrolled);
    assert_amount_equal(got.credit_limit, some_amount(9));
    memset(&got, 0, sizeof got);
    store_ok(store_consumers(f->db, NULL, 10, note_consumer, &got, &err));
    assert_int_equal(got.since_ms, 2);
}

static struct model model_of(unsigned n, unsigned creator, size_t parents)
{
    struct model m;

    memset(&m, 0, sizeof m);
    m.model = some_hash(n);
    m.creator = some_address(creator);
    memcpy(m.name, "m\xc3\xb6" "del", sizeof "m\xc3\xb6" "del");
    m.parent_count = parents;
    for (unsigned i = 0; i < parents; i++)
        m.parents[i] = (struct lineage_parent){ some_hash(1000 + i), (uint16_t)(300 + i) };
    m.registered_at_ms = 77;
    m.signature = some_signature(n);
    return m;
}

static void a_model_comes_back_with_all_its_parents(void **state)
{
    struct store_fixture *f = *state;
    struct model m = model_of(1, 2, MODEL_PARENTS_MAX), got;
    struct err err;
    bool found;

    store_ok(store_model_add(f->db, &m, 99, &err));
    store_ok(store_model_find(f->db, some_hash(1), some_address(2), &got, &found, &err));
    assert_true(found);
    assert_true(model_same(&m, &got));
    assert_memory_equal(&m.signature, &got.signature, sizeof m.signature);
    assert_int_equal(got.verified_at_ms, 0);
    store_fails(ERR_CONFLICT, store_model_add(f->db, &m, 100, &err));
    store_sql(f->db, "UPDATE models SET parents = zeroblob(33)");
    store_fails(ERR_STORE, store_model_find(f->db, some_hash(1), some_address(2), &got, &found, &err));
}

static bool count_model(void *self, const struct model *m)
{
    (void)m;
    ++*(int *)self;
    return true;
}

static void a_model_has_one_verified_creator(void **state)
{
    struct store_fixture *f = *state;
    struct model m = model_of(1, 2, 0), rival = model_of(1, 3, 1), got;
    struct hash after = some_hash(1);
    struct address after_creator = some_address(2);
    struct err err;
    bool found = true;
    int count = 0;

    store_ok(store_model_add(f->db, &m, 99, &err));
    store_ok(store_model_add(f->db, &rival, 99, &err));
    store_ok(store_model_verified(f->db, some_hash(1), &got, &found, &err));
    assert_false(found);
    store_ok(store_model_set_verified(f->db, some_hash(1), some_address(3), 500, &err));
    store_ok(store_model_verified(f->db, some_hash(1), &got, &found, &err));
    assert_true(found && address_eq(got.creator, some_address(3)));
    assert_int_equal(got.verified_at_ms, 500);
    store_fails(ERR_BUG, store_model_set_verified(f->db, some_hash(1), some_address(2), 501, &err));
    store_ok(store_models(f->db, NULL, NULL, 10, count_model, &count, &err));
    assert_int_equal(count, 2);
    store_ok(store_models(f->db, &after, &after_creator, 10, count_model, &count, &err));
    assert_int_equal(count, 3);
}

static struct price_version price_of(bool any_model, uint64_t recorded_at_ms)
{
    struct price_version p;

    memset(&p, 0, sizeof p);
    p.any_model = any_model;
    if (!any_model)
        p.model = some_hash(1);
    p.effective_from_ms = 10;
    p.recorded_at_ms = recorded_at_ms;
    memcpy(p.unit, "image", 6);
    for (size_t i = 0; i < METER_COUNT; i++)
        p.per_million[i] = some_amount(1000 + i);
    p.per_million[METER_UNITS] = amount_of_256_bits();
    p.split_bps[SPLIT_PROVIDER] = 6999;
    p.split_bps[SPLIT_CREATOR] = 2001;
    p.split_bps[SPLIT_PROTOCOL] = 1000;
    return p;
}

static bool keep_price(void *self, const struct price_version *p)
{
    struct price_version *kept = self;

    kept[p->version - 1] = *p;
    return true;
}

static void prices_are_numbered_and_come_back(void **state)
{
    struct store_fixture *f = *state;
    struct price_version own = price_of(false, 20), any = price_of(true, 21), got[2];
    struct err err;

    store_ok(store_price_add(f->db, &own, &err));
    store_ok(store_price_add(f->db, &any, &err));
    assert_int_equal(own.version, 1);
    assert_int_equal(any.version, 2);
    memset(got, 0, sizeof got);
    store_ok(store_prices(f->db, 0, 10, keep_price, got, &err));
    assert_true(!got[0].any_model && hash_eq(got[0].model, some_hash(1)));
    assert_true(got[1].any_model);
    for (size_t i = 0; i < METER_COUNT; i++)
        assert_amount_equal(got[0].per_million[i], own.per_million[i]);
    assert_memory_equal(got[0].split_bps, own.split_bps, sizeof own.split_bps);
    assert_string_equal(got[0].unit, "image");
    assert_int_equal(got[1].recorded_at_ms, 21);
    assert_int_equal(got[1].effective_from_ms, 10);
}

static void the_catalog_holds_the_history_and_every_change_counts(void **state)
{
    struct store_fixture *f = *state;
    struct provider p = provider_at(1, 100), gone = provider_at(1, 200);
    struct consumer c = { .address = some_address(3), .name = "c", .since_ms = 1, .enrolled = true };
    struct model m = model_of(1, 2, 0);
    struct price_version price = price_of(true, 20);
    struct catalog *catalog;
    uint64_t before, after;
    struct err err;

    store_ok(store_catalog_settings(f->db, &before, &err));
    gone.admitted = false;
    store_ok(store_provider_add(f->db, &p, &err));
    store_ok(store_provider_add(f->db, &gone, &err));
    store_ok(store_consumer_add(f->db, &c, &err));
    store_ok(store_model_add(f->db, &m, 50, &err));
    store_ok(store_model_set_verified(f->db, some_hash(1), some_address(2), 60, &err));
    store_ok(store_price_add(f->db, &price, &err));
    store_ok(store_catalog_load(f->db, &catalog, &after, &err));
    assert_int_equal(after, before + 6);
    assert_null(catalog_provider(catalog, some_address(1), 99));
    assert_non_null(catalog_provider(catalog, some_address(1), 150));
    assert_null(catalog_provider(catalog, some_address(1), 250));
    assert_non_null(catalog_consumer(catalog, some_address(3), 10));
    assert_null(catalog_model(catalog, some_hash(1), 59));
    assert_non_null(catalog_model(catalog, some_hash(1), 60));
    assert_non_null(catalog_price(catalog, some_hash(1), 10, 20));
    catalog_free(catalog);
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, store_db_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(the_latest_revision_of_a_provider_counts),
        WITH_DB(the_latest_revision_of_a_consumer_counts),
        WITH_DB(a_model_comes_back_with_all_its_parents),
        WITH_DB(a_model_has_one_verified_creator),
        WITH_DB(prices_are_numbered_and_come_back),
        WITH_DB(the_catalog_holds_the_history_and_every_change_counts),
    };

    return cmocka_run_group_tests_name("store: catalog", tests, NULL, NULL);
}

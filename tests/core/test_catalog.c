#include "gateway/core/quote.h"
#include "tests/support/fixture.h"

static void the_price_in_force_is_found(void **state)
{
    const json *row = *state, *versions = vector_member(row, "versions");
    struct catalog *c = catalog_new();
    const struct price_version *got;

    /* Backwards: rows may come in any order. */
    for (size_t i = json_count(versions); i-- > 0;) {
        struct price_version p = fixture_price(json_at(versions, i));

        catalog_add_price(c, &p);
    }
    catalog_seal(c);
    got = catalog_price(c, vector_hash(row, "model"), vector_u64(row, "finishedAt"), vector_u64(row, "acceptedAt"));
    if (!vector_has(row, "version")) {
        assert_null(got);
    } else {
        assert_non_null(got);
        assert_int_equal(got->version, vector_u64(row, "version"));
        assert_ptr_equal(catalog_price_version(c, got->version), got);
    }
    assert_null(catalog_price_version(c, 1000000));
    catalog_free(c);
}

static void quote_is_matched(void **state)
{
    const json *row = *state, *quote = vector_member(row, "quote"), *receipt = vector_member(row, "receipt");
    struct quote q = { vector_hash(quote, "model"), vector_address(quote, "provider"), vector_address(quote, "consumer"),
                       vector_u64(quote, "priceVersion"), vector_u64(quote, "validUntil") };
    struct receipt r = { .model = vector_hash(receipt, "model"), .provider = vector_address(receipt, "provider"),
                         .consumer = vector_address(receipt, "consumer"), .started_at_ms = vector_u64(receipt, "startedAt") };

    assert_int_equal(quote_matches(&q, &r), vector_bool(row, "matches"));
}

/* One provider (and consumer): admitted at 10, moved its payout at 20, expelled at 30, back at 40. */
static const struct time_case { const char *name; uint64_t at; int payout; } times[] = {
    { "nobody before the admission",        9,  0 },
    { "admitted from that moment",          10, 1 },
    { "until the next revision",            19, 1 },
    { "the revision holds at its time",     20, 2 },
    { "expelled",                           30, 0 },
    { "still expelled",                     39, 0 },
    { "admitted again",                     40, 3 },
    { "the last revision holds for ever",   UINT64_MAX, 3 },
};

static void the_revision_of_the_time_is_found(void **state)
{
    static const struct { uint64_t since; bool in; } revisions[] = { { 40, true }, { 10, true }, { 30, false }, { 20, true } };
    static const uint8_t payouts[] = { 3, 1, 0, 2 };
    const struct time_case *c = *state;
    struct address who = { { 7 } }, neighbour = { { 8 } };
    struct catalog *catalog = catalog_new();
    const struct provider *p;
    const struct consumer *consumer;

    for (size_t i = 0; i < ARRAY_LEN(revisions); i++) {
        catalog_add_provider(catalog, &(struct provider){ .address = who, .payout = { { payouts[i] } },
                                                          .since_ms = revisions[i].since, .admitted = revisions[i].in });
        catalog_add_consumer(catalog, &(struct consumer){ .address = who, .since_ms = revisions[i].since, .enrolled = revisions[i].in });
    }
    catalog_add_provider(catalog, &(struct provider){ .address = { { 6 } }, .since_ms = 1, .admitted = true });
    catalog_seal(catalog);
    p = catalog_provider(catalog, who, c->at);
    consumer = catalog_consumer(catalog, who, c->at);
    assert_int_equal(p != NULL, c->payout != 0);
    assert_int_equal(consumer != NULL, c->payout != 0);
    if (p != NULL)
        assert_int_equal(p->payout.b[0], c->payout);
    assert_null(catalog_provider(catalog, neighbour, c->at));
    catalog_free(catalog);
}

static struct hash digest(unsigned n)
{
    return (struct hash){ { (uint8_t)(n >> 8), (uint8_t)n } };
}

static struct model model_of(unsigned n, uint64_t verified_at_ms)
{
    return (struct model){ .model = digest(n), .creator = { { 1 } }, .verified_at_ms = verified_at_ms };
}

static void only_the_verified_claim_counts(void **state)
{
    struct catalog *c = catalog_new();
    struct model first = model_of(1, 0), second = model_of(1, 50);

    (void)state;
    second.creator.b[0] = 2;
    catalog_add_model(c, &first);
    catalog_add_model(c, &second);
    catalog_seal(c);
    assert_true(catalog_model_claimed(c, digest(1)));
    assert_false(catalog_model_claimed(c, digest(2)));
    assert_null(catalog_model(c, digest(1), 49));
    assert_int_equal(catalog_model(c, digest(1), 50)->creator.b[0], 2);
    catalog_free(c);
}

static void a_step_counts_from_its_windows_end_whenever_it_was_recorded(void **state)
{
    struct catalog *c = catalog_new();

    (void)state;
    catalog_add_price(c, &(struct price_version){ .version = 1, .model = digest(1), .market = { .window_s = 60 } });
    catalog_add_price(c, &(struct price_version){ .version = 2, .model = digest(1), .effective_from_ms = 100, .recorded_at_ms = 900,
                                                  .step = { .base = 1 } });
    catalog_add_price(c, &(struct price_version){ .version = 3, .model = digest(1), .effective_from_ms = 200, .recorded_at_ms = 900 });
    catalog_seal(c);
    assert_int_equal(catalog_price(c, digest(1), 99, 500)->version, 1);
    assert_int_equal(catalog_price(c, digest(1), 100, 500)->version, 2);      /* one held back counts all the same */
    assert_int_equal(catalog_price(c, digest(1), 500, 500)->version, 2);      /* an operator's counts once it is there */
    assert_int_equal(catalog_price(c, digest(1), 500, 900)->version, 3);
    assert_int_equal(catalog_market(c, digest(1), 50)->version, 1);
    assert_int_equal(catalog_market(c, digest(1), 500)->version, 1);
    assert_null(catalog_market(c, digest(1), 900));
    assert_null(catalog_market(c, digest(2), 900));
    catalog_free(c);
}

/* A ladder of `levels` levels, `width` models each; every model has the whole level below as parents. */
static struct catalog *ladder(unsigned levels, unsigned width, bool verified)
{
    struct catalog *c = catalog_new();

    for (unsigned level = 0; level < levels; level++)
        for (unsigned i = 0; i < width; i++) {
            struct model m = model_of(level * 16 + i, verified ? 1 : 0);

            m.parent_count = level == 0 ? 0 : width;
            for (size_t k = 0; k < m.parent_count; k++)
                m.parents[k] = (struct lineage_parent){ digest((level - 1) * 16 + (unsigned)k), 100 };
            catalog_add_model(c, &m);
        }
    catalog_seal(c);
    return c;
}

static const struct lineage_case { const char *name; unsigned levels, width; const char *says; } lineages[] = {
    { "no parents",                                 0, 0,  NULL },
    { "one parent",                                 1, 1,  NULL },
    { "8 steps to the farthest ancestor",           8, 1,  NULL },
    { "9 steps are too many",                       9, 1,  "more than 8 steps" },
    { "16 parents with 16 each are 272 paths",      2, 16, NULL },
    { "10 on three levels are 1110 paths",          3, 10, "more than 1024 paths" },
    { "2 on eight levels are 510 paths",            8, 2,  NULL },
    { "16 on eight levels end at once",             8, 16, "more than 1024 paths" },
};

static void lineage_is_bounded(void **state)
{
    const struct lineage_case *l = *state;

    for (int verified = 0; verified <= 1; verified++) {
        struct catalog *c = ladder(l->levels, l->width, verified == 1);
        struct model m = model_of(999, 0);
        struct err err = { 0 };

        m.parent_count = l->levels == 0 ? 0 : l->width;
        for (size_t k = 0; k < m.parent_count; k++)
            m.parents[k].model = digest((l->levels - 1) * 16 + (unsigned)k);
        assert_int_equal(catalog_check_lineage(c, &m, &err), l->says == NULL);
        if (l->says != NULL)
            assert_non_null(strstr(err.text, l->says));
        catalog_free(c);
    }
}

static void a_parent_must_be_registered(void **state)
{
    struct catalog *c = ladder(1, 1, false);
    struct model m = model_of(999, 0);
    struct err err = { 0 };

    (void)state;
    m.parent_count = 2;
    m.parents[0].model = digest(0);
    m.parents[1].model = digest(1);
    assert_false(catalog_check_lineage(c, &m, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.text, "parents/1/parent"));
    catalog_free(c);
}

/* Claims of strangers may point at each other: the check must end. */
static void a_circle_of_claims_ends(void **state)
{
    struct catalog *c = catalog_new();
    struct model a = model_of(1, 0), b = model_of(2, 0), m = model_of(3, 0);
    struct err err = { 0 };

    (void)state;
    a.parent_count = b.parent_count = m.parent_count = 1;
    a.parents[0].model = digest(2);
    b.parents[0].model = digest(1);
    m.parents[0].model = digest(1);
    catalog_add_model(c, &a);
    catalog_add_model(c, &b);
    catalog_seal(c);
    assert_false(catalog_check_lineage(c, &m, &err));
    catalog_free(c);
}

int main(void)
{
    FIXTURE_TESTS(time_tests, times, the_revision_of_the_time_is_found);
    FIXTURE_TESTS(lineage_tests, lineages, lineage_is_bounded);
    const struct CMUnitTest others[] = {
        cmocka_unit_test(only_the_verified_claim_counts),
        cmocka_unit_test(a_step_counts_from_its_windows_end_whenever_it_was_recorded),
        cmocka_unit_test(a_parent_must_be_registered),
        cmocka_unit_test(a_circle_of_claims_ends),
    };

    return fixture_run("priceChoice", the_price_in_force_is_found, NULL, NULL)
         + fixture_run("quoteMatch", quote_is_matched, NULL, NULL)
         + cmocka_run_group_tests_name("revisions", time_tests, NULL, NULL)
         + cmocka_run_group_tests_name("lineage", lineage_tests, NULL, NULL)
         + cmocka_run_group_tests_name("models", others, NULL, NULL);
}

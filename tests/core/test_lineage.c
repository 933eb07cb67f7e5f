#include "gateway/core/lineage.h"

#include <stdio.h>

#include "tests/support/fixture.h"

static struct hash digest(unsigned n)
{
    return (struct hash){ { (uint8_t)(n >> 8), (uint8_t)n, 1 } };
}

static struct address creator(unsigned n)
{
    return (struct address){ { (uint8_t)(n >> 8), (uint8_t)n, 2 } };
}

struct parent_row { unsigned parent; uint16_t share_bps; };

static void add(struct catalog *c, unsigned n, uint64_t verified_at_ms, const struct parent_row *parents, size_t count)
{
    struct model m = { .model = digest(n), .creator = creator(n), .verified_at_ms = verified_at_ms, .parent_count = count };

    snprintf(m.name, sizeof m.name, "model %u", n);
    for (size_t i = 0; i < count; i++)
        m.parents[i] = (struct lineage_parent){ digest(parents[i].parent), parents[i].share_bps };
    catalog_add_model(c, &m);
}

/* A diamond: 4 is merged from 2 and 3, both made from 1; 5 is tuned from 4. */
static struct catalog *diamond(void)
{
    struct catalog *c = catalog_new();

    add(c, 1, 10, NULL, 0);
    add(c, 2, 20, (struct parent_row[]){ { 1, 1000 } }, 1);
    add(c, 3, 20, (struct parent_row[]){ { 1, 3333 } }, 1);
    add(c, 4, 30, (struct parent_row[]){ { 2, 5000 }, { 3, 2500 } }, 2);
    add(c, 5, 0, (struct parent_row[]){ { 4, 100 } }, 1);
    catalog_seal(c);
    return c;
}

static const struct lineage_node *find(const struct lineage *l, unsigned n)
{
    for (size_t i = 0; i < l->node_count; i++)
        if (hash_eq(l->nodes[i].model, digest(n)))
            return &l->nodes[i];
    return NULL;
}

static const struct node_case { const char *name; unsigned model; enum lineage_relation relation; unsigned steps; const char *part; } nodes[] = {
    { "the model keeps what its parents do not get",        4, LINEAGE_SELF,       0, "0.25" },
    { "a parent keeps what its own parent does not get",    2, LINEAGE_ANCESTOR,   1, "0.45" },
    { "the other parent",                                   3, LINEAGE_ANCESTOR,   1, "0.166675" },
    { "an ancestor by two ways gets both",                  1, LINEAGE_ANCESTOR,   2, "0.133325" },
    { "a descendant gets nothing of it",                    5, LINEAGE_DESCENDANT, 1, NULL },
};

static void a_node_has_its_part(void **state)
{
    const struct node_case *n = *state;
    struct catalog *c = diamond();
    const struct lineage_node *node;
    struct lineage l;
    struct err err = { 0 };
    char part[160];

    assert_true(lineage_of(c, catalog_claim(c, digest(4)), &l, &err));
    assert_int_equal(l.node_count, 5);
    assert_int_equal(l.edge_count, 5);        /* each once, though the ancestor has two ways */
    node = find(&l, n->model);
    assert_non_null(node);
    assert_int_equal(node->relation, n->relation);
    assert_int_equal(node->steps, n->steps);
    assert_int_equal(node->has_part, n->part != NULL);
    if (n->part != NULL) {
        amount_to_units(node->part, LINEAGE_DECIMALS, part);
        assert_string_equal(part, n->part);
    }
    lineage_clear(&l);
    catalog_free(c);
}

static void an_unverified_model_has_no_parts(void **state)
{
    struct catalog *c = diamond();
    struct lineage l;
    struct err err = { 0 };

    (void)state;
    assert_true(lineage_of(c, catalog_claim(c, digest(5)), &l, &err));
    assert_int_equal(l.node_count, 5);        /* itself and four ancestors */
    for (size_t i = 0; i < l.node_count; i++)
        assert_false(l.nodes[i].has_part);
    assert_int_equal(find(&l, 1)->steps, 3);
    lineage_clear(&l);
    catalog_free(c);
}

static void anybodys_claims_do_not_crowd_out_verified_descendants(void **state)
{
    struct catalog *c = catalog_new();
    struct lineage l;
    struct err err = { 0 };

    (void)state;
    add(c, 1, 10, NULL, 0);
    for (unsigned n = 100; n < 100 + LINEAGE_DESCENDANTS_MAX + 5; n++)
        add(c, n, 0, (struct parent_row[]){ { 1, 0 } }, 1);
    add(c, 2, 20, (struct parent_row[]){ { 1, 1000 } }, 1);
    catalog_seal(c);
    assert_true(lineage_of(c, catalog_claim(c, digest(1)), &l, &err));
    assert_int_equal(l.node_count, 1 + LINEAGE_DESCENDANTS_MAX);
    assert_true(l.more_descendants);
    assert_non_null(find(&l, 2));
    lineage_clear(&l);
    catalog_free(c);
}

static void a_circle_of_claims_ends(void **state)
{
    struct catalog *c = catalog_new();
    struct lineage l;
    struct err err = { 0 };

    (void)state;
    add(c, 1, 0, (struct parent_row[]){ { 2, 5000 } }, 1);
    add(c, 2, 0, (struct parent_row[]){ { 1, 5000 }, { 3, 10 } }, 2);      /* 3 is nobody's */
    catalog_seal(c);
    assert_true(lineage_of(c, catalog_claim(c, digest(1)), &l, &err));
    assert_int_equal(l.node_count, 3);
    assert_int_equal(l.edge_count, 3);
    assert_null(find(&l, 3)->claim);
    lineage_clear(&l);
    catalog_free(c);
}

#define LEVELS 8
#define WIDTH 3

/* Random shares over eight steps: parts sum to the whole, and the ledger pays 7 wholes as 7 times the parts. */
static void parts_are_exact(void **state)
{
    struct rng rng = { 77 };

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct catalog *c = catalog_new();
        struct amount sum = AMOUNT_ZERO, whole, seven;
        struct shares paid = { 0 };
        struct lineage l;
        struct err err = { 0 };
        unsigned top = LEVELS * WIDTH;

        for (unsigned n = 0; n <= top; n++) {
            struct parent_row parents[2];
            unsigned level = n / WIDTH, left = BPS;
            size_t count = level == 0 ? 0 : 1 + (size_t)rng_below(&rng, 2);

            for (size_t k = 0; k < count; k++) {
                parents[k] = (struct parent_row){ (level - 1) * WIDTH + (unsigned)((n + k) % WIDTH), (uint16_t)rng_below(&rng, left + 1) };
                left -= parents[k].share_bps;
            }
            add(c, n, 1, parents, count);
        }
        catalog_seal(c);
        assert_true(amount_from_units("1", 1, LINEAGE_DECIMALS, &whole) && amount_from_units("7", 1, LINEAGE_DECIMALS, &seven));
        assert_true(lineage_of(c, catalog_claim(c, digest(top)), &l, &err));
        assert_true(ledger_pay_model(c, digest(top), seven, ROLE_CREATOR, ROLE_LINEAGE, 1, &paid, &err));
        for (size_t i = 0; i < l.node_count; i++)
            assert_true(amount_add(sum, l.nodes[i].part, &sum));
        assert_u256_is(sum.base_units, whole.base_units);
        for (size_t i = 0; i < paid.count; i++) {
            struct u256 times;

            for (size_t k = 0; k < l.node_count; k++)
                if (hash_eq(l.nodes[k].model, paid.list[i].model)) {
                    assert_true(u256_mul_u64(l.nodes[k].part.base_units, 7, &times));
                    assert_u256_is(paid.list[i].amount.base_units, times);
                }
        }
        shares_clear(&paid);
        lineage_clear(&l);
        catalog_free(c);
    }
}

int main(void)
{
    FIXTURE_TESTS(parts, nodes, a_node_has_its_part);
    const struct CMUnitTest others[] = {
        cmocka_unit_test(an_unverified_model_has_no_parts),
        cmocka_unit_test(anybodys_claims_do_not_crowd_out_verified_descendants),
        cmocka_unit_test(a_circle_of_claims_ends),
        cmocka_unit_test(parts_are_exact),
    };

    return cmocka_run_group_tests_name("parts", parts, NULL, NULL) + cmocka_run_group_tests_name("lineage", others, NULL, NULL);
}

#include "tests/support/fixture.h"

#include "gateway/base/mem.h"
#include "gateway/lib/keccak.h"

#include <stdlib.h>

static void assert_proof_is(const struct proof *got, const struct proof *want)
{
    assert_int_equal(got->len, want->len);
    assert_memory_equal(got->path, want->path, want->len * sizeof want->path[0]);
}

static void assert_steps(const struct tree *tree, const json *distribute, size_t count)
{
    const json *wanted_rows = vector_member(distribute, "wanted"), *hashes = vector_member(distribute, "proof");
    bool *wanted = mem_array(count, sizeof *wanted);
    struct buf want = vector_bytes(distribute, "steps"), nodes, steps;

    for (size_t i = 0; i < json_count(wanted_rows); i++) {
        uint64_t index;

        assert_true(json_get_u64(json_at(wanted_rows, i), &index));
        wanted[index] = true;
    }
    buf_init(&nodes);
    buf_init(&steps);
    tree_steps(tree, wanted, &nodes, &steps);
    assert_bytes_are(&steps, &want);
    assert_int_equal(nodes.len, json_count(hashes) * 32);
    for (size_t i = 0; i < json_count(hashes); i++)
        assert_memory_equal(nodes.data + i * 32, fixture_hash_at(hashes, i).b, 32);
    buf_clear(&want);
    buf_clear(&nodes);
    buf_clear(&steps);
    free(wanted);
}

static void rewards_tree_matches(void **state)
{
    const json *row = *state;
    const json *rows = vector_member(row, "rows"), *proofs = vector_member(row, "proofs");
    const json *distributes = vector_member(row, "distributes");
    size_t count = json_count(rows);
    struct hash *leaves = mem_array(count + 1, sizeof *leaves);
    struct address token = vector_address(row, "token");
    struct amount total = AMOUNT_ZERO;
    struct tree *tree;

    for (size_t i = 0; i < count; i++) {
        const json *r = json_at(rows, i);

        leaves[i] = tree_rewards_leaf(vector_address(r, "account"), token, vector_amount(r, "claimable"));
        assert_hash_is(leaves[i], vector_hash(r, "leaf"));
        assert_true(amount_add(total, vector_amount(r, "claimable"), &total));
    }
    assert_u256_is(total.base_units, vector_u256(row, "total"));
    tree = tree_new(leaves, count);
    assert_hash_is(tree_top(tree), vector_hash(row, "root"));
    for (size_t i = 0; i < json_count(proofs); i++) {
        struct proof want = fixture_proof(json_at(proofs, i), "proof"), got;
        size_t index = vector_u64(json_at(proofs, i), "index");

        tree_prove(tree, index, &got);
        assert_proof_is(&got, &want);
        assert_hash_is(tree_fold(leaves[index], &want), tree_top(tree));
    }
    for (size_t i = 0; i < json_count(distributes); i++)
        assert_steps(tree, json_at(distributes, i), count);
    tree_free(tree);
    free(leaves);
}

static void receipts_tree_matches(void **state)
{
    const json *row = *state, *rows = vector_member(row, "rows");
    struct hash secret = vector_hash(row, "secret");
    struct tree_stream stream;

    tree_stream_init(&stream);
    for (size_t i = 0; i < json_count(rows); i++) {
        const json *r = json_at(rows, i);
        struct job_id job_id = vector_job_id(r, "jobId");
        struct address provider = vector_address(r, "provider");
        struct hash salt = receipt_salt(secret.b, job_id, provider);
        struct hash leaf = tree_receipts_leaf(i, job_id, provider, salt, vector_hash(r, "structHash"));
        struct proof proof = fixture_proof(r, "proof");

        assert_int_equal(vector_u64(r, "index"), i);
        assert_hash_is(salt, vector_hash(r, "salt"));
        assert_hash_is(leaf, vector_hash(r, "leaf"));
        assert_hash_is(tree_fold(leaf, &proof), vector_hash(row, "root"));
        tree_stream_add(&stream, leaf);
    }
    assert_hash_is(tree_stream_root(&stream), vector_hash(row, "root"));
}

static void salt_matches(void **state)
{
    const json *row = *state;
    struct hash secret = vector_hash(row, "secret");

    assert_hash_is(receipt_salt(secret.b, vector_job_id(row, "jobId"), vector_address(row, "provider")), vector_hash(row, "salt"));
}

/* Another leaf (two words) and another order of leaves, but the same folding. */
static void a_standard_proof_folds(void **state)
{
    const json *row = *state;
    struct address account = vector_address(row, "account");
    struct proof proof = fixture_proof(row, "proof");
    uint8_t words[64] = { 0 };
    struct hash leaf;

    memcpy(words + 12, account.b, 20);
    u256_to_be(vector_u256(row, "amount"), words + 32);
    leaf = keccak256(words, sizeof words);
    leaf = keccak256(leaf.b, sizeof leaf.b);
    if (vector_has(row, "leaf"))
        assert_hash_is(leaf, vector_hash(row, "leaf"));
    assert_int_equal(hash_eq(tree_fold(leaf, &proof), vector_hash(row, "root")), vector_bool(row, "ok"));
}

#define SIZES 71

static void stream_levels_and_root_agree(void **state)
{
    struct rng rng = { 11 };
    struct hash leaves[SIZES];
    struct tree_stream stream;

    (void)state;
    tree_stream_init(&stream);
    for (size_t count = 0; count < SIZES; count++) {
        struct tree *tree = tree_new(leaves, count);

        assert_hash_is(tree_top(tree), tree_root(leaves, count));
        assert_hash_is(tree_top(tree), tree_stream_root(&stream));
        if (count <= 1)
            assert_hash_is(tree_top(tree), count == 0 ? (struct hash){ { 0 } } : leaves[0]);
        tree_free(tree);
        leaves[count] = rng_hash(&rng);
        tree_stream_add(&stream, leaves[count]);
    }
}

/* Runs of the leaves, with gaps of others between them, wherever they begin and however long they are. */
static void trees_at_hand_change_nothing(void **state)
{
    struct hash leaves[200];
    struct rng rng = { 12 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(leaves); i++)
        leaves[i] = rng_hash(&rng);
    for (unsigned round = 0; round < 300; round++) {
        size_t count = 1 + rng_below(&rng, ARRAY_LEN(leaves)), known_count = 0, width;
        struct tree_known known[ARRAY_LEN(leaves)];
        struct tree *own[ARRAY_LEN(leaves)], *want = tree_new(leaves, count), *got;

        for (size_t at = rng_below(&rng, 3) * rng_below(&rng, 17); at < count;) {
            size_t run = 1 + rng_below(&rng, round % 2 == 0 ? 70 : 8);

            run = run < count - at ? run : count - at;
            own[known_count] = tree_new(leaves + at, run);
            assert_true(tree_is_over(own[known_count], leaves + at, run));
            assert_false(tree_is_over(own[known_count], leaves + at, run - 1));
            known[known_count] = (struct tree_known){ at, own[known_count] };
            known_count++;
            at += run + (rng_below(&rng, 2) == 0 ? 0 : rng_below(&rng, 20));
        }
        got = tree_new_of(leaves, count, known, known_count);
        for (size_t level = 0; tree_level(want, level, &width) != NULL; level++) {
            size_t width_got = 0;

            assert_non_null(tree_level(got, level, &width_got));
            assert_int_equal(width_got, width);
            assert_memory_equal(tree_level(got, level, &width), tree_level(want, level, &width), width * sizeof *leaves);
        }
        for (size_t i = 0; i < known_count; i++)
            tree_free(own[i]);
        tree_free(want);
        tree_free(got);
    }
}

static void another_leaf_is_another_tree(void **state)
{
    struct hash leaves[9];
    struct rng rng = { 13 };
    struct tree *tree;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(leaves); i++)
        leaves[i] = rng_hash(&rng);
    tree = tree_new(leaves, ARRAY_LEN(leaves));
    for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
        leaves[i].b[31] ^= 1;
        assert_false(tree_is_over(tree, leaves, ARRAY_LEN(leaves)));
        leaves[i].b[31] ^= 1;
    }
    assert_true(tree_is_over(tree, leaves, ARRAY_LEN(leaves)));
    tree_free(tree);
}

static void leaves_side_by_side_are_the_same(void **state)
{
    struct receipts_leaf of[130];
    struct hash leaves[ARRAY_LEN(of)];
    struct rng rng = { 19 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(of); i++)
        rng_bytes(&rng, &of[i], sizeof of[i]);
    for (size_t count = 0; count <= ARRAY_LEN(of); count += 13) {
        tree_receipts_leaves(of, count, 7, leaves);
        for (size_t i = 0; i < count; i++)
            assert_hash_is(leaves[i], tree_receipts_leaf(7 + i, of[i].job_id, of[i].provider, of[i].salt, of[i].struct_hash));
    }
}

static void every_proof_folds_to_the_root(void **state)
{
    struct rng rng = { 12 };
    struct hash leaves[SIZES];

    (void)state;
    for (size_t i = 0; i < SIZES; i++)
        leaves[i] = rng_hash(&rng);
    for (size_t count = 1; count < SIZES; count++) {
        struct tree *tree = tree_new(leaves, count);

        for (size_t i = 0; i < count; i++) {
            struct proof kept, made;

            tree_prove(tree, i, &kept);
            tree_proof(leaves, count, i, &made);
            assert_proof_is(&made, &kept);
            assert_hash_is(tree_fold(leaves[i], &kept), tree_top(tree));
            if (count > 1)
                assert_false(hash_eq(tree_fold(leaves[(i + 1) % count], &kept), tree_top(tree)) && (i ^ 1) != (i + 1) % count);
        }
        tree_free(tree);
    }
}

/* What the contract does with the steps (contract.md 3). */
static struct hash run_steps(const struct hash *leaves, size_t leaf_count, const struct buf *nodes, const struct buf *steps)
{
    struct hash stack[TREE_DEPTH_MAX + 2];
    size_t depth = 0, leaf = 0, node = 0;

    for (size_t i = 0; i < steps->len; i++) {
        assert_true(depth < ARRAY_LEN(stack));
        if ((steps->data[i] & 0x80) != 0)
            memcpy(stack[depth++].b, nodes->data + 32 * node++, 32);
        else
            stack[depth++] = leaves[leaf++];
        for (int joins = steps->data[i] & 0x7f; joins > 0; joins--) {
            struct proof one = { .len = 1 };

            assert_true(depth >= 2);
            one.path[0] = stack[depth - 1];
            stack[depth - 2] = tree_fold(stack[depth - 2], &one);
            depth--;
        }
    }
    assert_int_equal(leaf, leaf_count);
    assert_int_equal(node * 32, nodes->len);
    assert_int_equal(depth, 1);
    return stack[0];
}

static void the_steps_of_any_subset_lead_to_the_root(void **state)
{
    struct rng rng = { 13 };
    struct hash leaves[SIZES];

    (void)state;
    for (size_t i = 0; i < SIZES; i++)
        leaves[i] = rng_hash(&rng);
    for (size_t round = 0; round < 600; round++) {
        size_t count = 1 + rng_below(&rng, SIZES - 1), wanted_count = 0;
        struct tree *tree = tree_new(leaves, count);
        struct hash wanted_leaves[SIZES];
        bool wanted[SIZES] = { false };
        uint64_t density = 1 + rng_below(&rng, 8);
        struct buf nodes, steps;

        for (size_t i = 0; i < count; i++) {
            wanted[i] = rng_below(&rng, 8) < density;
            if (wanted[i])
                wanted_leaves[wanted_count++] = leaves[i];
        }
        buf_init(&nodes);
        buf_init(&steps);
        tree_steps(tree, wanted, &nodes, &steps);
        assert_hash_is(run_steps(wanted_leaves, wanted_count, &nodes, &steps), tree_top(tree));
        buf_clear(&nodes);
        buf_clear(&steps);
        tree_free(tree);
    }
}

static void a_proof_from_a_part_is_that_from_all_leaves(void **state)
{
    enum { MOST = 5 * TREE_PART + 1 };
    static struct hash leaves[MOST];
    struct rng rng = { 14 };

    (void)state;
    for (size_t i = 0; i < MOST; i++)
        leaves[i] = rng_hash(&rng);
    for (size_t count = TREE_PART + 1; count <= MOST; count += count < 2 * TREE_PART + 3 ? 1 : 31) {
        struct tree *tree = tree_new(leaves, count);
        struct proof want, got;
        struct buf nodes;

        buf_init(&nodes);
        tree_upper(tree, &nodes);
        for (size_t i = 0; i < count; i++) {
            tree_prove(tree, i, &want);
            assert_true(tree_prove_part(leaves + i - i % TREE_PART, count, &nodes, i, &got));
            assert_int_equal(got.len, want.len);
            assert_memory_equal(got.path, want.path, want.len * sizeof *want.path);
        }
        assert_false(tree_prove_part(leaves, count, &nodes, count, &got));
        buf_add_zeros(&nodes, 32);
        assert_false(tree_prove_part(leaves, count, &nodes, 0, &got));
        buf_clear(&nodes);
        tree_free(tree);
    }
}

int main(void)
{
    const struct CMUnitTest properties[] = {
        cmocka_unit_test(a_proof_from_a_part_is_that_from_all_leaves),
        cmocka_unit_test(stream_levels_and_root_agree),
        cmocka_unit_test(trees_at_hand_change_nothing),
        cmocka_unit_test(another_leaf_is_another_tree),
        cmocka_unit_test(leaves_side_by_side_are_the_same),
        cmocka_unit_test(every_proof_folds_to_the_root),
        cmocka_unit_test(the_steps_of_any_subset_lead_to_the_root),
    };

    return fixture_run("rewardsTrees", rewards_tree_matches, NULL, NULL)
         + fixture_run("receiptsTrees", receipts_tree_matches, NULL, NULL)
         + fixture_run("lineKeys", salt_matches, NULL, NULL)
         + fixture_run("merkle", a_standard_proof_folds, NULL, NULL)
         + cmocka_run_group_tests_name("tree properties", properties, NULL, NULL);
}

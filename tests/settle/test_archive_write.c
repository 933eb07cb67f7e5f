#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/mem.h"
#include "gateway/core/seal.h"
#include "gateway/core/tree.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/lib/json.h"
#include "gateway/lib/pack.h"
#include "gateway/settle/archive.h"
#include "gateway/settle/rewards.h"
#include "tests/support/settle_world.h"

struct published_world { struct settle_world w; struct settle_session s; struct published p; struct reward_leaves before, after;
    struct debts owed;                        /* nobody owes anything */ };

static int setup(void **state)
{
    struct published_world *t = mem_new(sizeof *t);
    struct reward_leaves none = { 0 };
    struct amount total;
    struct err err = { 0 };

    settle_world_init(&t->w);
    settle_world_receipt(&t->w, 1, 1000);
    settle_world_receipt(&t->w, 2, 500);
    settle_world_bundle(&t->w, 5, 3);
    settle_session_open(&t->w, &t->s);
    assert_true(rewards_earned(t->s.db, 1, t->w.config.protocol_account, &t->owed, &t->after, &t->owed, &err));
    assert_true(rewards_next(&none, &t->after, &t->before, &total, &err));
    reward_leaves_clear(&t->after);
    t->after = t->before;
    t->before = none;
    t->p = (struct published){
        .batch = { .chain_id = 31337, .contract = t->w.config.contract, .token = t->w.config.token,
                   .protocol_account = t->w.config.protocol_account,
                   .content = { .sequence = 1, .total = total, .receipts = 5 } },
        .number = 1, .before = &t->before, .after = &t->after, .owed_before = &t->owed, .owed = &t->owed,
    };
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct published_world *t = *state;

    reward_leaves_clear(&t->after);
    settle_session_close(&t->s);
    settle_world_clear(&t->w);
    free(t);
    return 0;
}

/* With the receipts of the batch put in order for it. */
static bool write_with_receipts(struct published_world *t, struct hash *digest, struct err *err)
{
    struct batch_receipts *receipts;
    bool ok;

    if (!batch_receipts_open(t->s.db, t->p.number, &receipts, err))
        return false;
    t->p.receipts = receipts;
    ok = archive_write(t->w.archive, t->s.db, &t->p, t->w.secret, digest, err);
    batch_receipts_close(receipts);
    return ok;
}

static struct hash write_archive(struct published_world *t, struct buf *text)
{
    char path[128];
    struct hash digest;
    struct err err = { 0 };

    buf_init(text);
    archive_path(t->w.archive, 1, ".archive.ndjson", path, sizeof path);
    if (!write_with_receipts(t, &digest, &err) || !file_read(path, MIB, text, &err))
        fail_msg("%s", err.text);
    return digest;
}

static void the_digest_is_that_of_the_file(void **state)
{
    struct published_world *t = *state;
    struct buf text, again;
    struct hash digest = write_archive(t, &text), second = write_archive(t, &again);

    assert_true(hash_eq(digest, sha256(text.data, text.len)));
    assert_true(hash_eq(digest, second));
    assert_int_equal(text.len, again.len);
    buf_clear(&text);
    buf_clear(&again);
}

static bool take_first(void *self, const struct receipt_row *row, struct err *err)
{
    (void)err;
    *(struct receipt_row *)self = *row;
    return false;
}

static bool add_row(void *self, struct group *group, struct err *err)
{
    return store_receipt_insert(group->db, self, err);
}

static void what_comes_while_it_is_written_is_not_in_it(void **state)
{
    struct published_world *t = *state;
    struct batch_receipts *receipts;
    struct receipt_row more;
    struct hash digest, before;
    struct err err = { 0 };
    struct buf text;

    before = write_archive(t, &text);
    assert_true(batch_receipts_open(t->s.db, t->p.number, &receipts, &err));
    assert_true(batch_receipts_each(receipts, take_first, &more, &err));
    more.signed_.receipt.job_id.b[15] ^= 0x80;
    if (!writer_do(t->s.writer, add_row, &more, &err))
        fail_msg("%s", err.text);
    t->p.receipts = receipts;
    assert_true(archive_write(t->w.archive, t->s.db, &t->p, t->w.secret, &digest, &err));
    assert_true(hash_eq(digest, before));
    batch_receipts_close(receipts);
    buf_clear(&text);
}

static void the_packed_file_is_the_same(void **state)
{
    struct published_world *t = *state;
    struct buf text, packed, plain;
    char path[128];
    struct err err = { 0 };

    write_archive(t, &text);
    buf_init(&packed);
    buf_init(&plain);
    archive_path(t->w.archive, 1, ".archive.ndjson.zst", path, sizeof path);
    assert_true(file_read(path, MIB, &packed, &err));
    assert_true(zstd_unpack(packed.data, packed.len, MIB, &plain, &err));
    assert_int_equal(plain.len, text.len);
    assert_memory_equal(plain.data, text.data, text.len);
    buf_clear(&text);
    buf_clear(&packed);
    buf_clear(&plain);
}

static void check_bundle(const struct archive_bundle *b)
{
    struct hash leaves[5] = { 0 };

    /* Three were taken; the two others stand as leaves, so that the root can be computed. */
    assert_int_equal(b->bundle.count, 5);
    assert_int_equal(b->other_count, 2);
    assert_int_equal(b->others[0].index, 3);
    assert_int_equal(b->others[1].index, 4);
    leaves[3] = b->others[0].leaf;
    leaves[4] = b->others[1].leaf;
    assert_false(hash_eq(leaves[3], leaves[4]));
}

static void every_line_reads_back_in_order(void **state)
{
    struct published_world *t = *state;
    unsigned counts[ARCHIVE_REWARD + 1] = { 0 };
    struct amount paid = AMOUNT_ZERO;
    enum archive_type last = ARCHIVE_BATCH;
    struct err err = { 0 };
    struct buf text;
    char *line, *rest;

    write_archive(t, &text);
    for (line = strtok_r((char *)text.data, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        struct archive_line read = { 0 };

        if (!archive_read_line(line, strlen(line), &read, &err))
            fail_msg("%s", err.text);
        assert_true(read.type >= last);
        last = read.type;
        counts[read.type]++;
        if (read.type == ARCHIVE_BUNDLE)
            check_bundle(&read.of.bundle);
        if (read.type == ARCHIVE_REWARD)
            assert_true(amount_add(paid, read.of.reward.after, &paid));
        archive_line_clear(&read);
    }
    /* batch, price, three providers, the model and its parent, one bundle, five receipts; earners: 3 nodes, 2 creators, protocol */
    assert_int_equal(counts[ARCHIVE_BATCH], 1);
    assert_int_equal(counts[ARCHIVE_PRICE], 1);
    assert_int_equal(counts[ARCHIVE_PROVIDER], 3);
    assert_int_equal(counts[ARCHIVE_MODEL], 2);
    assert_int_equal(counts[ARCHIVE_BUNDLE], 1);
    assert_int_equal(counts[ARCHIVE_RECEIPT], 5);
    assert_int_equal(counts[ARCHIVE_REWARD], 6);
    assert_int_equal(amount_cmp(paid, amount_from_u64(4500)), 0);
    buf_clear(&text);
}

/* Sealed lines stand where the plain ones stood, lead to the same tree, and open to the same lines. */
static void a_sealed_archive_opens_to_the_plain_one(void **state)
{
    struct published_world *t = *state;
    struct buf plain, sealed, opened;
    struct tree_stream leaves;
    struct err err = { 0 };
    char *line, *rest;

    write_archive(t, &plain);
    t->p.sealed = true;
    write_archive(t, &sealed);
    buf_init(&opened);
    tree_stream_init(&leaves);
    for (line = strtok_r((char *)sealed.data, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        struct archive_line read = { 0 };
        bool fits = false;

        assert_true(archive_read_line(line, strlen(line), &read, &err));
        assert_true(read.type != ARCHIVE_RECEIPT && read.type != ARCHIVE_BUNDLE);
        if (read.type == ARCHIVE_SEALED)
            tree_stream_add(&leaves, read.of.sealed.leaf);
        assert_true(seal_open(&read, seal_settlement_key(t->w.secret, 1), &fits, &err) && fits);
        archive_write_line(&read, &opened);
        archive_line_clear(&read);
    }
    assert_int_equal(leaves.count, 5);
    assert_string_equal(buf_text(&opened), buf_text(&plain));
    buf_clear(&plain);
    buf_clear(&sealed);
    buf_clear(&opened);
}

static void every_proof_leads_to_the_root(void **state)
{
    struct published_world *t = *state;
    struct tree *tree = rewards_tree(&t->after, t->w.config.token);
    const json *rows;
    json *file;
    char path[128];
    struct err err = { 0 };

    t->p.batch.content.rewards_root = tree_top(tree);
    tree_free(tree);
    assert_true(file_make_dir(t->w.archive, 0755, &err));
    assert_true(rewards_write(t->w.archive, &t->p, &err));
    archive_path(t->w.archive, 1, ".rewards.json", path, sizeof path);
    if (!json_read_file(path, MIB, &file, &err))
        fail_msg("%s", err.text);
    rows = json_member(file, "tree");
    assert_int_equal(json_count(rows), t->after.count);
    for (size_t i = 0; i < t->after.count; i++) {
        const json *path_rows = json_member(json_at(rows, i), "proof");
        struct proof proof = { .len = json_count(path_rows) };
        struct amount claimable;
        struct address account;

        for (size_t j = 0; j < proof.len; j++)
            assert_true(json_get_hash(json_at(path_rows, j), &proof.path[j]));
        assert_true(json_get_amount(json_member(json_at(rows, i), "claimable"), &claimable));
        assert_true(json_get_address(json_member(json_at(rows, i), "account"), &account));
        assert_true(hash_eq(tree_fold(tree_rewards_leaf(account, t->w.config.token, claimable), &proof),
                            t->p.batch.content.rewards_root));
    }
    json_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_digest_is_that_of_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(what_comes_while_it_is_written_is_not_in_it, setup, teardown),
        cmocka_unit_test_setup_teardown(the_packed_file_is_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(every_line_reads_back_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_sealed_archive_opens_to_the_plain_one, setup, teardown),
        cmocka_unit_test_setup_teardown(every_proof_leads_to_the_root, setup, teardown),
    };

    return cmocka_run_group_tests_name("archive files", tests, NULL, NULL);
}

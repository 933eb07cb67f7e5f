/* A batch that was cancelled and is carried keeps its boxes as they were published: a line's key seals one text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/core/header.h"
#include "gateway/core/seal.h"
#include "gateway/lib/file.h"
#include "gateway/settle/archive.h"
#include "gateway/settle/rewards.h"
#include "tests/support/settle_world.h"

struct carried { struct settle_world w; struct settle_session s; struct published p; struct reward_leaves before, after;
    struct debts owed;                        /* nobody owes anything */ };

static bool cancel(void *self, struct group *group, struct err *err)
{
    struct carried *t = self;
    struct settlement_row row = { .sequence = 1, .batch = 1, .state = BATCH_PREPARED, .accounts = t->after.count, .prepared_at_ms = 1,
                                  .content = t->p.batch.content };

    row.header = header_next(row.parent, &row.content, 1790718400);
    row.has_header = true;
    row.committed_at_s = row.active_at_s = 1790718400;
    row.commit_block = 5;
    return store_batch_close(group->db, group->now_ms, t->w.config.protocol_account, err)
        && store_settlement_insert(group->db, &row, err)
        && store_batch_move(group->db, 1, BATCH_CLOSED, BATCH_PREPARED, err)
        && store_settlement_committed(group->db, &row, err)
        && store_batch_move(group->db, 1, BATCH_PREPARED, BATCH_COMMITTED, err)
        && store_batch_move(group->db, 1, BATCH_COMMITTED, BATCH_CANCELLED, err)
        && store_batch_carry(group->db, 1, err);
}

static bool countersign(void *self, struct group *group, struct err *err)
{
    (void)self;
    return db_exec_script(group->db, "UPDATE receipts SET consumer_signature = zeroblob(65)", err);
}

/* With the receipts of the batch put in order for it. */
static bool write_with_receipts(struct carried *t, struct hash *digest, struct err *err)
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

static void write_one(struct carried *t, uint64_t sequence, struct buf *text)
{
    char path[128];
    struct hash digest;
    struct err err = { 0 };

    t->p.batch.content.sequence = sequence;
    buf_init(text);
    archive_path(t->w.archive, sequence, ".archive.ndjson", path, sizeof path);
    if (!write_with_receipts(t, &digest, &err) || !file_read(path, MIB, text, &err))
        fail_msg("%s", err.text);
}

/* The n-th line that is sealed. */
static struct archive_line sealed_line(const struct buf *text, size_t n)
{
    const char *line = buf_text(text);
    struct archive_line read = { 0 };
    struct err err = { 0 };

    for (; *line != '\0'; line = strchr(line, '\n') + 1) {
        assert_true(archive_read_line(line, strcspn(line, "\n"), &read, &err));
        if (read.type == ARCHIVE_SEALED && n-- == 0)
            return read;
        archive_line_clear(&read);
    }
    fail_msg("too few sealed lines");
    return read;
}

static int setup(void **state)
{
    struct carried *t = calloc(1, sizeof *t);
    struct reward_leaves none = { 0 }, earned = { 0 };
    struct amount total;
    struct err err = { 0 };

    settle_world_init(&t->w);
    settle_world_receipt(&t->w, 1, 1000);
    settle_world_receipt(&t->w, 2, 500);
    settle_session_open(&t->w, &t->s);
    assert_true(rewards_earned(t->s.db, 1, t->w.config.protocol_account, &t->owed, &earned, &t->owed, &err) && rewards_next(&none, &earned, &t->after, &total, &err));
    reward_leaves_clear(&earned);
    t->p = (struct published){
        .batch = { .chain_id = 31337, .contract = t->w.config.contract, .token = t->w.config.token,
                   .protocol_account = t->w.config.protocol_account, .content = { .sequence = 1, .total = total, .receipts = 2 } },
        .number = 1, .sealed = true, .before = &t->before, .after = &t->after, .owed_before = &t->owed, .owed = &t->owed,
    };
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct carried *t = *state;

    reward_leaves_clear(&t->after);
    settle_session_close(&t->s);
    settle_world_clear(&t->w);
    free(t);
    return 0;
}

static void a_signature_that_came_in_since_changes_no_box(void **state)
{
    struct carried *t = *state;
    struct buf first, second;
    struct err err = { 0 };

    write_one(t, 1, &first);
    assert_true(writer_do(t->s.writer, cancel, t, &err) && writer_do(t->s.writer, countersign, t, &err));
    write_one(t, 2, &second);
    for (size_t i = 0; i < 2; i++) {
        struct archive_line a = sealed_line(&first, i), b = sealed_line(&second, i);
        bool opened = false;

        assert_int_equal(a.of.sealed.box.len, b.of.sealed.box.len);
        assert_memory_equal(a.of.sealed.box.data, b.of.sealed.box.data, a.of.sealed.box.len);
        /* Wrapped anew, so that the key of the new settlement opens it. */
        assert_memory_not_equal(a.of.sealed.wrap, b.of.sealed.wrap, ARCHIVE_WRAP);
        assert_true(seal_open(&b, seal_settlement_key(t->w.secret, 2), &opened, &err));
        assert_true(opened);
        archive_line_clear(&a);
        archive_line_clear(&b);
    }
    buf_clear(&first);
    buf_clear(&second);
}

static void without_the_earlier_file_nothing_is_sealed_twice(void **state)
{
    struct carried *t = *state;
    struct hash digest;
    struct err err = { 0 };
    struct buf text;
    char path[128];

    write_one(t, 1, &text);
    buf_clear(&text);
    assert_true(writer_do(t->s.writer, cancel, t, &err));
    archive_path(t->w.archive, 1, ".archive.ndjson", path, sizeof path);
    assert_int_equal(unlink(path), 0);
    t->p.batch.content.sequence = 2;
    assert_false(write_with_receipts(t, &digest, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_signature_that_came_in_since_changes_no_box, setup, teardown),
        cmocka_unit_test_setup_teardown(without_the_earlier_file_nothing_is_sealed_twice, setup, teardown),
    };

    return cmocka_run_group_tests_name("archives of carried batches", tests, NULL, NULL);
}

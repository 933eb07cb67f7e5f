/* tests/settle/retention_world.h - a settled batch in a world, how it leaves for its archive, and what must be found of it then. */
#ifndef QUITTANCE_TESTS_SETTLE_RETENTION_WORLD_H
#define QUITTANCE_TESTS_SETTLE_RETENTION_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "gateway/intake/admit.h"
#include "gateway/lib/file.h"
#include "gateway/settle/archive.h"
#include "gateway/settle/retention.h"
#include "store/archived.h"
#include "tests/support/world.h"

#define BUNDLED 1300u                         /* more frames than a task takes */
#define TOGETHER 300u                         /* signed one by one, in an array */
#define ALONE 20u
#define ALL (BUNDLED + TOGETHER + ALONE + 2)
#define KEEP_MS UINT64_C(604800000)

struct kept {
    struct world *w;
    char dir[96];
    uint8_t secret[32];
    struct signed_receipt posted[ALL];        /* the last two: countersigned; released by an operator */
    struct receipt_row before[ALL];
    struct hash root;
    struct settlement_row settlement;
};

/* -- a settled batch -- */

static inline void set_job_ms(struct signed_receipt *r, uint64_t ms)
{
    for (size_t i = 0; i < 6; i++)
        r->receipt.job_id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
}

static inline void post_all(struct kept *k)
{
    struct world *w = k->w;
    struct signed_receipt *reasoned = &k->posted[ALL - 1], *countersigned = &k->posted[ALL - 2];
    struct price_version early = { .model = w->parent, .split_bps = { 10000, 0, 0 }, .effective_from_ms = w->now_ms - UINT64_C(360000000) };
    struct intake_item item;
    struct submission s;
    struct err err = { 0 };

    assert_true(add_price(w->intake, "test", &early, &err));
    for (size_t i = 0; i < ALL; i++)
        k->posted[i] = world_receipt(w, i < BUNDLED ? &w->node : &w->other, 1000 + i);
    set_job_ms(&k->posted[0], w->now_ms + 240000);        /* a provider's clock may be that wrong */
    world_countersign(w, &w->consumer, countersigned);
    reasoned->receipt.model = w->parent;
    reasoned->receipt.finished_at_ms -= UINT64_C(25) * 3600 * 1000;
    reasoned->receipt.started_at_ms = reasoned->receipt.finished_at_ms - 1000;
    set_job_ms(reasoned, reasoned->receipt.started_at_ms);
    world_sign(w, &w->other, reasoned);
    world_submission(&s, k->posted, BUNDLED);
    world_bundle(w, &w->node, &s);
    world_post(w, &s);
    submission_clear(&s);
    world_submission(&s, k->posted + BUNDLED, TOGETHER);
    world_post(w, &s);
    assert_int_equal(world_count(w, "SELECT COUNT(*) FROM receipt_pages"), 2);
    submission_clear(&s);
    for (size_t i = BUNDLED + TOGETHER; i < ALL - 1; i++) {
        item = world_post_one(w, &k->posted[i]);
        assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    }
    item = world_post_one(w, reasoned);
    assert_item(&item, ITEM_QUARANTINED, CODE_LATE);
    assert_true(release_receipt(w->intake, "test", reasoned->receipt.job_id, reasoned->receipt.provider, "seen", &err));
}

static inline bool close_batch(void *self, struct group *group, struct err *err)
{
    (void)self;
    return store_batch_close(group->db, group->now_ms, (struct address){ { 7 } }, err);
}

static inline bool add_to_root(void *self, const struct receipt_row *row, struct err *err)
{
    struct { struct tree_stream tree; const uint8_t *secret; } *r = self;
    const struct receipt *receipt = &row->signed_.receipt;

    (void)err;
    tree_stream_add(&r->tree, tree_receipts_leaf(r->tree.count, receipt->job_id, receipt->provider,
                                                 receipt_salt(r->secret, receipt->job_id, receipt->provider), row->hash));
    return true;
}

static inline bool insert_settlement(void *self, struct group *group, struct err *err)
{
    return store_settlement_insert(group->db, self, err);
}

static inline void settle(struct kept *k, bool sealed)
{
    struct { struct tree_stream tree; const uint8_t *secret; } root = { .secret = k->secret };
    struct reward_leaves none = { 0 };
    struct debts nobody = { 0 };
    struct published p = { .batch = { .chain_id = 31337, .content = { .sequence = 1, .receipts = ALL } }, .number = 1, .sealed = sealed,
                           .before = &none, .after = &none, .owed_before = &nobody, .owed = &nobody };
    struct world *w = k->w;
    struct err err = { 0 };

    assert_true(writer_do(w->writer, close_batch, NULL, &err));
    assert_true(batch_receipts_open(w->db, 1, &p.receipts, &err));
    tree_stream_init(&root.tree);
    assert_true(batch_receipts_each(p.receipts, add_to_root, &root, &err));
    if (!archive_write(k->dir, w->db, &p, k->secret, &k->settlement.content.archive, &err))
        fail_msg("%s", err.text);
    batch_receipts_close(p.receipts);
    k->root = tree_stream_root(&root.tree);
    k->settlement.sequence = k->settlement.batch = k->settlement.content.sequence = 1;
    k->settlement.state = BATCH_PREPARED;
    k->settlement.content.receipts = ALL;
    k->settlement.content.receipts_root = k->root;
    assert_true(writer_do(w->writer, insert_settlement, &k->settlement, &err));
    world_script(w, "UPDATE batches SET state = 7 WHERE number = 1; UPDATE settlements SET state = 7;");
}

static inline struct kept *begin(void **state, bool sealed)
{
    struct kept *k = mem_new(sizeof *k);

    k->w = *state;
    memset(k->secret, 7, sizeof k->secret);
    snprintf(k->dir, sizeof k->dir, "%s/archive", k->w->dir);
    assert_int_equal(mkdir(k->dir, 0700), 0);
    db_use_archives(k->w->db, k->dir, k->secret);
    writer_use_archives(k->w->writer, k->dir, k->secret);
    post_all(k);
    settle(k, sealed);
    for (size_t i = 0; i < ALL; i++)
        k->before[i] = world_row(k->w, &k->posted[i]);
    k->w->now_ms += KEEP_MS + 60000;
    return k;
}

static inline void end(struct kept *k)
{
    char command[160];

    db_forget_archives(k->w->db);
    snprintf(command, sizeof command, "rm -rf %s", k->dir);
    assert_int_equal(system(command), 0);
    free(k);
}

/* -- leaving -- */

static inline struct retention *retention_of(struct kept *k)
{
    return retention_new(&(struct retention_config){ .archive_dir = k->dir, .secret = k->secret, .keep_ms = KEEP_MS }, k->w->db, k->w->writer, &k->w->clock);
}

/* At most so many steps; how many were done. */
static inline unsigned leave(struct kept *k, unsigned most)
{
    struct retention *r = retention_of(k);
    struct err err = { 0 };
    bool moved = true;
    unsigned steps = 0;

    while (steps < most && moved) {
        if (!retention_step(r, &moved, &err))
            fail_msg("%s", err.text);
        steps += moved;
    }
    retention_free(r);
    return steps;
}

static inline uint64_t in_store(struct kept *k)
{
    return world_count(k->w, "SELECT COUNT(*) FROM receipts");
}

static inline void assert_row_is(const struct receipt_row *row, const struct receipt_row *before)
{
    assert_hash_is(row->hash, before->hash);
    assert_memory_equal(&row->signed_.receipt, &before->signed_.receipt, sizeof row->signed_.receipt);
    assert_int_equal(row->signed_.has_signature, before->signed_.has_signature);
    assert_memory_equal(&row->signed_.signature, &before->signed_.signature, sizeof row->signed_.signature);
    assert_int_equal(row->signed_.has_consumer_signature, before->signed_.has_consumer_signature);
    assert_memory_equal(&row->signed_.consumer_signature, &before->signed_.consumer_signature, sizeof row->signed_.signature);
    assert_int_equal(row->state, before->state);
    assert_int_equal(row->has_bundle, before->has_bundle);
    assert_int_equal(row->bundle, before->bundle);
    assert_int_equal(row->bundle_index, before->bundle_index);
    assert_int_equal(row->accepted_at_ms, before->accepted_at_ms);
    assert_int_equal(row->batch, before->batch);
    assert_int_equal(row->price_version, before->price_version);
    assert_int_equal(amount_cmp(row->amount, before->amount), 0);
    assert_int_equal(row->promise, before->promise);
    assert_int_equal(row->promise_index, before->promise_index);
    assert_string_equal(row->reason, before->reason);
}

static inline bool count_one(void *self, const struct receipt_row *row, struct err *err)
{
    (void)row;
    (void)err;
    ++*(size_t *)self;
    return true;
}

/* Every so many of the receipts is what it was, once, and proven. */
static inline void check(struct kept *k, size_t every)
{
    struct err err = { 0 };
    size_t count = 0;

    for (size_t i = ALL; i-- > 0; i -= i < every ? i : every - 1) {
        const struct receipt *r = &k->posted[i].receipt;
        struct receipt_row row = world_row(k->w, &k->posted[i]);
        struct hash salt = receipt_salt(k->secret, r->job_id, r->provider);
        struct proof proof;
        uint64_t index;
        size_t of_job = 0;
        bool found = false;

        assert_row_is(&row, &k->before[i]);
        if (!store_receipts_of_job(k->w->db, r->job_id, count_one, &of_job, &err))
            fail_msg("%s", err.text);
        assert_int_equal(of_job, 1);
        if (!archived_prove(k->w->db, &k->settlement, r->job_id, r->provider, &index, &proof, &found, &err))
            fail_msg("%s", err.text);
        assert_true(found);
        assert_hash_is(tree_fold(tree_receipts_leaf(index, r->job_id, r->provider, salt, row.hash), &proof), k->root);
    }
    assert_true(store_receipts_of_batch(k->w->db, 1, count_one, &count, &err));
    assert_int_equal(count, ALL);
}

/* -- kill -9 -- */

static inline void die_at(struct kept *k, const char *place)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        struct world *w = k->w;
        struct err err = { 0 };

        setenv("QUITTANCE_CRASH_AT", place, 1);
        if (!writer_open(w->url, &w->clock, &w->writer, &err) || !db_open(w->url, DB_READ, &w->db, &err))
            _exit(2);
        leave(k, 1000);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static inline void kill_at(struct kept *k, const char *const *places, size_t count)
{
    struct world *w = k->w;
    struct err err = { 0 };

    intake_free(w->intake);
    snapshots_free(w->snapshots);
    db_close(w->db);
    writer_close(w->writer);
    for (size_t i = 0; i < count; i++)
        die_at(k, places[i]);
    assert_true(writer_open(w->url, &w->clock, &w->writer, &err) && writer_start(w->writer, &err)
                && db_open(w->url, DB_READ, &w->db, &err) && snapshots_new(w->db, &w->snapshots, &err)
                && intake_new(&w->config, w->writer, w->signer, &w->clock, w->snapshots, &w->intake, &err));
    db_use_archives(w->db, k->dir, k->secret);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

#endif

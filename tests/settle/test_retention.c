/* Settled receipts leave the store for their archive; whoever looks for one finds it as before. */
#include "tests/settle/retention_world.h"

#include "gateway/base/log.h"

static void all_leave_and_are_found(struct kept *k)
{
    check(k, 11);
    leave(k, 1000);
    assert_int_equal(in_store(k), 1);         /* the one with an operator's reason */
    assert_int_equal(world_count(k->w, "SELECT COUNT(*) FROM receipt_pages"), 0);
    assert_int_equal(world_count(k->w, "SELECT COUNT(*) FROM receipt_frames"), 0);
    assert_int_equal(world_count(k->w, "SELECT COUNT(*) FROM archived_batches WHERE done = 1"), 1);
    check(k, 11);
    assert_books_balance(k->w);
}

static void settled_receipts_leave_and_are_found(void **state)
{
    struct kept *k = begin(state, false);

    all_leave_and_are_found(k);
    end(k);
}

static void sealed_ones_too(void **state)
{
    struct kept *k = begin(state, true);

    all_leave_and_are_found(k);
    end(k);
}

static void nothing_leaves_before_its_time_or_before_its_batch_is_final(void **state)
{
    struct kept *k = begin(state, false);

    k->w->now_ms -= 120000;
    assert_int_equal(leave(k, 1000), 0);
    k->w->now_ms += 120000;
    world_script(k->w, "UPDATE batches SET state = 6 WHERE number = 1");
    assert_int_equal(leave(k, 1000), 0);
    assert_int_equal(in_store(k), ALL);
    end(k);
}

static void a_duplicate_is_known_however_old(void **state)
{
    struct kept *k = begin(state, false);
    struct signed_receipt changed = k->posted[3], other = k->posted[5];
    struct intake_item item;
    struct submission s;

    leave(k, 1000);
    for (size_t i = 0; i < ALL; i += 7) {
        if (i < BUNDLED)
            world_sign(k->w, &k->w->node, &k->posted[i]);
        item = world_post_one(k->w, &k->posted[i]);
        assert_item(&item, ITEM_DUPLICATE, CODE_DUPLICATE);
        assert_int_equal(item.existing_state, RECEIPT_ACCEPTED);
        assert_true(item.has_promise);
        assert_int_equal(item.promise, k->before[i].promise);
        assert_int_equal(item.promise_index, k->before[i].promise_index);
    }
    world_submission(&s, k->posted, BUNDLED);
    world_bundle(k->w, &k->w->node, &s);
    world_post(k->w, &s);
    for (size_t i = 0; i < BUNDLED; i++)
        assert_item(&s.items[i], ITEM_DUPLICATE, CODE_DUPLICATE);
    submission_clear(&s);
    changed.receipt.count[METER_INPUT]++;
    world_sign(k->w, &k->w->node, &changed);
    item = world_post_one(k->w, &changed);
    assert_item(&item, ITEM_REJECTED, CODE_CONFLICTING_RECEIPT);
    assert_int_equal(world_count(k->w, "SELECT COUNT(*) FROM conflicts"), 1);
    assert_int_equal(in_store(k), 1);
    other.receipt.provider = k->w->other.address;
    world_sign(k->w, &k->w->other, &other);
    item = world_post_one(k->w, &other);
    assert_item(&item, ITEM_QUARANTINED, CODE_LATE);
    assert_non_null(strstr(world_row(k->w, &other).faults, "duplicate-job"));
    end(k);
}

static void a_frame_at_a_time_changes_no_answer(void **state)
{
    struct kept *k = begin(state, false);
    unsigned steps = 0;

    /* Each step by a new process, as if the one before had died after it. */
    while (leave(k, 4) > 0 && steps++ < 100)
        check(k, 41);
    assert_true(steps >= 2);
    assert_int_equal(in_store(k), 1);
    end(k);
}

static void spoil(struct kept *k, const char *suffix, long at)
{
    char path[ARCHIVE_PATH];
    FILE *file;
    int byte;

    archive_path(k->dir, 1, suffix, path, sizeof path);
    file = fopen(path, "r+e");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    byte = fgetc(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    fputc(byte ^ 1, file);
    fclose(file);
}

static void nothing_leaves_for_an_archive_that_is_not_right(void **state)
{
    struct kept *k = begin(state, false);
    char path[ARCHIVE_PATH];

    log_set_level(LOG_ERROR_LEVEL + 1);
    spoil(k, ARCHIVE_PACKED, 20000);
    assert_int_equal(leave(k, 1000), 1);
    assert_int_equal(in_store(k), ALL);
    archive_path(k->dir, 1, ARCHIVE_INDEX, path, sizeof path);
    unlink(path);
    spoil(k, ARCHIVE_PLAIN, 20000);
    assert_int_equal(leave(k, 1000), 1);
    assert_int_equal(in_store(k), ALL);
    assert_int_equal(world_count(k->w, "SELECT COUNT(*) FROM archived_batches"), 0);
    log_set_level(LOG_ERROR_LEVEL);
    end(k);
}

static void a_lost_index_is_made_again(void **state)
{
    struct kept *k = begin(state, true);
    char path[ARCHIVE_PATH];
    struct retention *r;
    struct err err = { 0 };

    leave(k, 1000);
    archive_path(k->dir, 1, ARCHIVE_INDEX, path, sizeof path);
    db_use_archives(k->w->db, k->dir, k->secret);
    assert_int_equal(unlink(path), 0);
    r = retention_of(k);
    assert_true(retention_index_all(r, &err));
    retention_free(r);
    check(k, 11);
    end(k);
}

static void without_its_archive_a_receipt_is_not_taken_for_a_new_one(void **state)
{
    struct kept *k = begin(state, false);
    char path[ARCHIVE_PATH];
    struct submission s;
    struct err err = { 0 };

    leave(k, 1000);
    archive_path(k->dir, 1, ARCHIVE_PACKED, path, sizeof path);
    assert_int_equal(unlink(path), 0);
    writer_use_archives(k->w->writer, k->dir, k->secret);
    world_submission(&s, &k->posted[BUNDLED], 1);
    assert_false(intake_submit_wait(k->w->intake, &s, &err));
    assert_int_equal(err.code, ERR_AGAIN);
    submission_clear(&s);
    end(k);
}

static void killed_anywhere_it_goes_on(void **state)
{
    static const char *const places[] = { "retention_begun", "retention_moved", "retention_dropped" };
    struct kept *k = begin(state, false);

    kill_at(k, places, ARRAY_LEN(places));
    check(k, 11);
    leave(k, 1000);
    assert_int_equal(in_store(k), 1);
    check(k, 11);
    end(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(settled_receipts_leave_and_are_found),
        WITH_WORLD(sealed_ones_too),
        WITH_WORLD(nothing_leaves_before_its_time_or_before_its_batch_is_final),
        WITH_WORLD(a_duplicate_is_known_however_old),
        WITH_WORLD(a_frame_at_a_time_changes_no_answer),
        WITH_WORLD(nothing_leaves_for_an_archive_that_is_not_right),
        WITH_WORLD(a_lost_index_is_made_again),
        WITH_WORLD(without_its_archive_a_receipt_is_not_taken_for_a_new_one),
        WITH_WORLD(killed_anywhere_it_goes_on),
    };

    return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}

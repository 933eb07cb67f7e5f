/* A backup that is opened while the chain went on: nothing is settled by it, and it is told what is missing. */
#include "gateway/base/hex.h"
#include "gateway/settle/behind.h"
#include "tests/settle/slots_world.h"
#include "tests/support/libraries.h"

#include <unistd.h>

#include "store/copy.h"

static void tell_nobody(void *self, const char *table, uint64_t rows)
{
    (void)self, (void)table, (void)rows;
}

/* The store as it is now, to be opened later. */
static void back_up(const struct settle_world *w, char url[STORE_URL])
{
    struct copy_report report;
    struct err err = { 0 };
    char path[96];

    snprintf(path, sizeof path, "%s/backup.db", w->dir);
    store_place_new(path, url);
    if (!store_copy(w->url, url, tell_nobody, NULL, &report, &err))
        fail_msg("%s", err.text);
}

static void settle_one(struct settle_world *w, enum batch_state until)
{
    struct settle_session s;

    settle_world_receipt(w, 1, 1000);
    settle_session_open(w, &s);
    close_batch(&s);
    steps_until(w, &s, until);
    settle_session_close(&s);
}

static struct behind look(struct settle_world *w)
{
    struct settle_session s;
    struct err err = { 0 };
    struct behind b;

    settle_session_open(w, &s);
    if (!behind_look(&w->config, s.rpc, s.db, &b, &err))
        fail_msg("%s", err.text);
    settle_session_close(&s);
    return b;
}

static void a_store_that_settled_all_is_level(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct behind b;

    (void)state;
    assert_false(look(w).is_behind);
    settle_one(w, BATCH_FINAL);
    b = look(w);
    assert_false(b.is_behind);
    assert_int_equal(b.known, 1);
    assert_int_equal(b.used, 1);
    world_free(w);
}

static void a_backup_settles_nothing_while_it_is_behind(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;
    struct settle_plan plan;
    struct batch_row open;
    struct err err = { 0 };
    char url[STORE_URL];
    bool closed;

    (void)state;
    settle_one(w, BATCH_FINAL);
    settle_world_receipt(w, 2, 500);
    back_up(w, url);
    settle_one(w, BATCH_FINAL);
    settle_one(w, BATCH_FINAL);
    memcpy(w->url, url, sizeof url);
    settle_session_open(w, &s);
    assert_false(settle_close(s.settle, &closed, &err));
    assert_int_equal(err.code, ERR_HALT);
    assert_non_null(strstr(err.text, "settlements 2 to 3"));
    assert_false(settle_plan(s.settle, &plan, &err));
    assert_int_equal(step_fails(&s).code, ERR_HALT);
    assert_true(store_batch_open(s.db, &open, &err));
    assert_int_equal(open.number, 2);
    assert_int_equal(open.receipts, 1);
    settle_session_close(&s);
    world_free(w);
}

static void what_is_pending_is_no_halt_yet(void **state)
{
    struct settle_world *w = world_new(FUNDS, 3600);
    struct settle_session s;
    char url[STORE_URL];
    struct err err;

    (void)state;
    back_up(w, url);
    settle_one(w, BATCH_COMMITTED);
    memcpy(w->url, url, sizeof url);
    settle_session_open(w, &s);
    err = step_fails(&s);
    assert_int_equal(err.code, ERR_AGAIN);
    assert_non_null(strstr(err.text, "settlement 1,"));
    settle_session_close(&s);
    world_free(w);
}

static void what_was_cancelled_is_missing_only_where_its_archive_is_here(void **state)
{
    static const char *const suffixes[] = { "archive.ndjson", "archive.ndjson.zst", "rewards.json" };
    struct settle_world *w = world_new(FUNDS, 3600);
    char url[STORE_URL], path[160];

    (void)state;
    back_up(w, url);
    settle_one(w, BATCH_COMMITTED);
    settle_world_cancel(w, 1);
    memcpy(w->url, url, sizeof url);
    assert_true(look(w).is_behind);
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        snprintf(path, sizeof path, "%s/1.%s", w->archive, suffixes[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_false(look(w).is_behind);
    settle_one(w, BATCH_COMMITTED);            /* as the next sequence, on top of the mark */
    assert_int_equal(look(w).known, 2);
    world_free(w);
}

static bool forge_header(void *self, struct group *group, struct err *err)
{
    (void)self;
    return db_exec_script(group->db, "UPDATE settlements SET header = zeroblob(32) WHERE sequence = 1", err);
}

static void another_history_is_named_and_refused(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;
    struct err err = { 0 };
    char header[HASH_TEXT];
    struct hash real;

    (void)state;
    settle_one(w, BATCH_FINAL);
    settle_session_open(w, &s);
    assert_true(writer_do(s.writer, forge_header, NULL, &err));
    assert_true(settlement_header(s.rpc, w->config.contract, 1, &real, &err));
    hash_to_text(real, header);
    err = step_fails(&s);
    assert_int_equal(err.code, ERR_HALT);
    assert_non_null(strstr(err.text, header));
    assert_non_null(strstr(err.text, "0x0000000000000000000000000000000000000000000000000000000000000000"));
    settle_session_close(&s);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_that_settled_all_is_level),
        cmocka_unit_test(a_backup_settles_nothing_while_it_is_behind),
        cmocka_unit_test(what_is_pending_is_no_halt_yet),
        cmocka_unit_test(what_was_cancelled_is_missing_only_where_its_archive_is_here),
        cmocka_unit_test(another_history_is_named_and_refused),
    };

    return cmocka_run_group_tests_name("behind", tests, secp_and_http_setup, secp_and_http_teardown);
}

/* What is left after a commit whose answer is lost, and after a process that is killed. */
#include "tests/support/store_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/driver.h"
#include "store/meta.h"

/* SQLite, but for its commits. */
enum mishap { NONE, ANSWER_LOST, DIES_BEFORE, REFUSED };
static struct driver lossy;
static enum mishap next_commit;
static int reopens_that_fail;

static bool lossy_commit(void *connection, struct err *err)
{
    enum mishap mishap = next_commit;

    next_commit = NONE;
    switch (mishap) {
    case NONE:
        return driver_sqlite.commit(connection, err);
    case ANSWER_LOST:
        return driver_sqlite.commit(connection, err) && err_set(err, ERR_UNKNOWN, "the line is dead");
    case DIES_BEFORE:
        return driver_sqlite.script(connection, "ROLLBACK", err) && err_set(err, ERR_UNKNOWN, "the line is dead");
    case REFUSED:
        return driver_sqlite.script(connection, "ROLLBACK", err) && err_set(err, ERR_STORE, "a constraint");
    }
    bug("mishap %d", (int)mishap);
}

static bool lossy_reopen(void *connection, struct err *err)
{
    if (reopens_that_fail > 0 && reopens_that_fail--)
        return err_set(err, ERR_STORE, "still dead");
    return driver_sqlite.reopen(connection, err);
}

static int lossy_setup(void **state)
{
    struct store_fixture *f;

    lossy = driver_sqlite;
    lossy.scheme = "lossy";
    lossy.commit = lossy_commit;
    lossy.reopen = lossy_reopen;
    next_commit = NONE;
    reopens_that_fail = 0;
    db_driver_add(&lossy);
    if (store_dir_setup(state) != 0)
        return -1;
    f = *state;
    snprintf(f->url, sizeof f->url, "lossy:%s", f->path);
    return 0;
}

static bool set_key(void *self, struct group *group, struct err *err)
{
    return store_meta_set(group->db, self, group->number, err);
}

static const struct lost_case {
    const char *name;
    enum mishap mishap;
    int reopens_that_fail;
    enum err_code want;
    bool want_kept;
} cases[] = {
    /* name                                                       commit       reopens  answer       kept */
    { "a commit whose answer is lost is found",                   ANSWER_LOST, 0,       ERR_NONE,    true },
    { "a commit that never came is found missing",                DIES_BEFORE, 0,       ERR_AGAIN,   false },
    { "a refused commit needs no looking up",                     REFUSED,     0,       ERR_AGAIN,   false },
    { "looking up goes on until the store is there again",        ANSWER_LOST, 3,       ERR_NONE,    true },
    { "what cannot be looked up is unknown, neither yes nor no",  ANSWER_LOST, 1000,    ERR_UNKNOWN, true },
};

static void a_lost_commit_is_looked_up(void **state)
{
    const struct lost_case *c = *state;
    void *own = NULL;
    struct store_fixture *f;
    struct writer *w;
    char first[] = "first", tried[] = "tried", later[] = "later";
    struct err err = { .code = ERR_NONE };

    assert_int_equal(lossy_setup(&own), 0);
    f = own;
    store_ok(writer_open(f->url, &f->clock, &w, &err));
    store_ok(writer_do(w, set_key, first, &err));

    next_commit = c->mishap;
    reopens_that_fail = c->reopens_that_fail;
    assert_int_equal(writer_do(w, set_key, tried, &err), c->want == ERR_NONE);
    if (c->want != ERR_NONE)
        assert_int_equal(err.code, c->want);
    assert_int_equal(writer_healthy(w), c->want == ERR_NONE);
    assert_int_equal(store_kept(f, "tried") != 0, c->want_kept);

    /* Whatever it was, the next group has a number of its own and is kept. */
    reopens_that_fail = 0;
    store_ok(writer_do(w, set_key, later, &err));
    assert_int_equal(store_kept(f, "later"), c->want_kept ? 3 : 2);
    assert_true(writer_healthy(w));
    writer_close(w);
    store_teardown(&own);
}

/* Two stores in turn: nobody judges by a store whose last commit is not known. */
static void the_other_store_waits_while_an_outcome_is_unknown(void **state)
{
    struct store_fixture *f = *state;
    char url[sizeof f->url + 8], tried[] = "tried", later[] = "later";
    struct writer *doubtful, *other;
    struct writer_turns turns;
    struct err err = { .code = ERR_NONE };

    snprintf(url, sizeof url, "sqlite:%s-other", f->path);
    writer_turns_init(&turns);
    store_ok(writer_open(f->url, &f->clock, &doubtful, &err));
    store_ok(writer_open(url, &f->clock, &other, &err));
    writer_take_turns(doubtful, &turns);
    writer_take_turns(other, &turns);

    next_commit = ANSWER_LOST;
    reopens_that_fail = 1000;
    store_fails(ERR_UNKNOWN, writer_do(doubtful, set_key, tried, &err));
    store_fails(ERR_AGAIN, writer_do(other, set_key, later, &err));
    store_fails(ERR_AGAIN, writer_do(doubtful, set_key, later, &err));       /* it is still not there */
    store_fails(ERR_AGAIN, writer_do(other, set_key, later, &err));
    reopens_that_fail = 0;
    store_ok(writer_do(doubtful, set_key, later, &err));
    store_ok(writer_do(other, set_key, later, &err));
    writer_close(doubtful);
    writer_close(other);
    writer_turns_clear(&turns);
}

static bool count_up(void *self, struct group *group, struct err *err)
{
    const uint64_t *n = self;
    char key[24];

    snprintf(key, sizeof key, "n%llu", (unsigned long long)*n);
    return store_meta_set(group->db, key, *n, err);
}

/* The child: writes numbers from `from` on for ever, and says each only once it is acknowledged. */
static void write_for_ever(struct store_fixture *f, uint64_t from, int said)
{
    struct writer *w;
    struct err err;

    if (!writer_open(f->url, &clock_system, &w, &err) || !writer_start(w, &err))
        _exit(1);
    for (uint64_t n = from;; n++)
        if (!writer_do(w, count_up, &n, &err) || write(said, &n, sizeof n) != sizeof n)
            _exit(1);
}

static uint64_t last_said(int fd, uint64_t before, int stop_after, pid_t child)
{
    uint64_t n, last = before;
    ssize_t got;

    for (int heard = 0;;) {
        got = read(fd, &n, sizeof n);
        if (got != sizeof n)
            return last;
        last = n;
        if (++heard == stop_after)
            kill(child, SIGKILL);             /* and hear out what was said meanwhile */
    }
}

static void all_that_was_acknowledged_survives_kill_9(void **state)
{
    struct store_fixture *f = *state;
    uint64_t last = 0;

    for (int round = 0; round < 10; round++) {
        struct err err;
        int line[2], status;
        pid_t child;

        assert_int_equal(pipe(line), 0);
        child = fork();
        if (child == 0) {
            close(line[0]);
            write_for_ever(f, last + 1, line[1]);
        }
        close(line[1]);
        last = last_said(line[0], last, 5 + 7 * round, child);
        close(line[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));

        store_ok(db_open(f->url, DB_WRITE, &f->db, &err));
        store_ok(db_migrate(f->db, &err));
        for (uint64_t n = 1; n <= last; n++) {
            char key[24];
            uint64_t value;

            snprintf(key, sizeof key, "n%llu", (unsigned long long)n);
            store_ok(store_meta_get(f->db, key, &value, &err));
            assert_int_equal(value, n);
        }
        assert_true((uint64_t)store_number(f->db, "SELECT value FROM meta WHERE key = 'group'") >= last);
        db_close(f->db);
        f->db = NULL;
    }
    assert_true(last >= 5);
}

int main(void)
{
    const struct CMUnitTest killed[] = {
        cmocka_unit_test_setup_teardown(all_that_was_acknowledged_survives_kill_9, store_dir_setup, store_teardown),
    };
    const struct CMUnitTest turns[] = {
        cmocka_unit_test_setup_teardown(the_other_store_waits_while_an_outcome_is_unknown, lossy_setup, store_teardown),
    };
    struct CMUnitTest lost[ARRAY_LEN(cases)];
    int failed;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        lost[i] = (struct CMUnitTest){ cases[i].name, a_lost_commit_is_looked_up, NULL, NULL, (void *)(uintptr_t)&cases[i] };
    failed = cmocka_run_group_tests_name("store: killed", killed, NULL, NULL)
           + cmocka_run_group_tests_name("store: turns", turns, NULL, NULL);
    return failed + cmocka_run_group_tests_name("store: lost commits", lost, NULL, NULL);
}

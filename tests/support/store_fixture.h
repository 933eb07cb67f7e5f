/* tests/support/store_fixture.h - a store in a folder of its own, gone after the test; and values to fill it with. */
#ifndef QUITTANCE_TESTS_STORE_FIXTURE_H
#define QUITTANCE_TESTS_STORE_FIXTURE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/base/clock.h"
#include "store/receipts.h"
#include "store/writer.h"
#include "tests/support/store_place.h"

struct store_fixture {
    char dir[64], path[96], url[STORE_URL];
    struct db *db;                            /* NULL after store_dir_setup */
    uint64_t now_ms;                          /* what `clock` says */
    struct clock clock;
};

int store_dir_setup(void **state);            /* a folder and a clock at 1000; no store yet */
int store_db_setup(void **state);             /* and a migrated store, opened for writing */
int store_teardown(void **state);

/* The call must succeed; else the test fails with what err says.  Needs a `struct err err` in scope. */
#define store_ok(call)                                                     \
    do {                                                                   \
        if (!(call))                                                       \
            fail_msg("%s: %s", #call, err.text);                           \
    } while (0)
/* The call must fail with this class. */
#define store_fails(wanted, call)                                          \
    do {                                                                   \
        err.code = ERR_NONE;                                               \
        assert_false(call);                                                \
        assert_int_equal(err.code, wanted);                                \
    } while (0)

void store_sql(struct db *db, const char *sql);                /* a script that must succeed */
int64_t store_number(struct db *db, const char *literal_sql);  /* the one number it selects */

/* Values that differ by n in every byte but the first. */
struct address some_address(unsigned n);
struct hash some_hash(unsigned n);
struct job_id some_job(unsigned n);
struct signature some_signature(unsigned n);
struct amount some_amount(uint64_t v);
struct amount amount_of_256_bits(void);       /* 2^256 - 1 */
void assert_amount_equal(struct amount a, struct amount b);
/* An accepted receipt of batch 1, with every field set. */
struct receipt_row some_receipt(unsigned n);
/* The same, held for an unknown provider. */
struct receipt_row some_held_receipt(unsigned n);

/* One shared place for what the tasks of a test do; the writer's thread and the test meet at the lock. */
struct board {
    struct store_fixture *fixture;
    struct writer *writer;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int finished, succeeded, seals;
    bool gate_reached, gate_open;
    bool seal_fails, seal_fails_bare;         /* the latter: what was left to it, so that the tasks are run again */
};
struct probe {
    struct task task;
    struct board *board;
    char key[24];
    bool fails;
    uint64_t takes_ms;                        /* on the fixture's clock */
    /* what became of it */
    unsigned runs;
    uint64_t group, now_ms;
    bool ok, finished;
    struct err err;
};
void board_open(struct board *b, struct store_fixture *f, bool threaded);      /* with a writer of the fixture's store */
void board_close(struct board *b);                                             /* closes the writer, which drains its queue */
/* A task that sets meta 'probeN' to its group's number, then fails if told to. */
void probe_init(struct probe *p, struct board *b, unsigned n);
/* A seal over a board: counts, sets meta 'sealed', then fails if told to. */
bool board_seal(void *self, struct group *group, struct err *err);
/* `gate` holds the writer until the gate opens, so that a queue builds up behind it. */
void gate_close(struct board *b, struct probe *gate);
void gate_open(struct board *b);
void board_wait(struct board *b, int finished);                                /* until so many tasks are done */
/* What a reader finds in meta; 0: nothing. */
uint64_t store_kept(struct store_fixture *f, const char *key);

#endif

#include "store/settler.h"

bool store_settler(struct db *db, struct settler_row *row, struct err *err)
{
    struct settler_row got = { 0 };
    struct stmt st;
    bool found;

    if (!db_prepare(db, "SELECT generation, beat, holder, process, wanted, answered FROM settler", &st, err) || !stmt_step(&st, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_STORE, "the row of table settler is gone");
    got.generation = stmt_u64(&st);
    got.beat = stmt_u64(&st);
    stmt_text(&st, got.holder, sizeof got.holder);
    stmt_text(&st, got.process, sizeof got.process);
    got.wanted = stmt_u64(&st);
    got.answered = stmt_u64(&st);
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    *row = got;
    return true;
}

bool store_settler_take(struct db *db, const struct settler_row *seen, const char *holder, const char *process, bool *taken, struct err *err)
{
    uint64_t changed;
    struct stmt st;

    if (!db_prepare(db, "UPDATE settler SET generation = generation + 1, beat = beat + 1, holder = ?, process = ?"
                        " WHERE generation = ? AND beat = ?", &st, err))
        return false;
    stmt_bind_text(&st, holder);
    stmt_bind_text(&st, process);
    stmt_bind_u64(&st, seen->generation);
    stmt_bind_u64(&st, seen->beat);
    if (!stmt_exec(&st, &changed, err))
        return false;
    *taken = changed == 1;
    return true;
}

bool store_settler_check(struct db *db, uint64_t generation, struct err *err)
{
    struct settler_row row;

    return store_settler(db, &row, err)
        && (row.generation == generation || err_set(err, ERR_AGAIN, "settling has passed on to %s",
                                                    row.holder[0] != '\0' ? row.holder : "another gateway"));
}

/* A guarded UPDATE of our own row, where it is ours. */
static bool change(struct stmt *st, uint64_t generation, struct err *err)
{
    struct db *db = st->db;
    uint64_t changed;

    stmt_bind_u64(st, generation);
    return stmt_exec(st, &changed, err) && (changed == 1 || store_settler_check(db, generation, err));
}

bool store_settler_beat(struct db *db, uint64_t generation, struct err *err)
{
    struct stmt st;

    return db_prepare(db, "UPDATE settler SET beat = beat + 1 WHERE generation = ?", &st, err) && change(&st, generation, err);
}

bool store_settler_leave(struct db *db, uint64_t generation, struct err *err)
{
    struct stmt st;

    return db_prepare(db, "UPDATE settler SET holder = '' WHERE generation = ?", &st, err) && change(&st, generation, err);
}

bool store_settler_answer(struct db *db, uint64_t generation, uint64_t answered, const char *report, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE settler SET answered = ?, report = ? WHERE generation = ?", &st, err))
        return false;
    stmt_bind_u64(&st, answered);
    stmt_bind_text(&st, report);
    return change(&st, generation, err);
}

bool store_settler_want(struct db *db, uint64_t *number, struct err *err)
{
    struct stmt st;

    return db_prepare(db, "UPDATE settler SET wanted = wanted + 1 RETURNING wanted", &st, err) && stmt_exec_id(&st, number, err);
}

bool store_settler_report(struct db *db, struct buf *report, struct err *err)
{
    struct stmt st;
    bool found;

    if (!db_prepare(db, "SELECT report FROM settler", &st, err) || !stmt_step(&st, &found, err))
        return false;
    if (found)
        stmt_buf(&st, report);
    stmt_end(&st);
    return stmt_ok(&st, err);
}

/* Many lives on one database server: a worker has a schema of its own, and one beside it that holds what each life begins with. */
#include "store/postgres.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "tests/sim/disk.h"

static struct db *base;                            /* past the seams */
static struct buf reset;                           /* the script that makes the store what it was */

void disk_cut(void *connection)
{
    const struct postgres *p = connection;

    if (p->session != NULL)
        (void)shutdown(PQsocket(p->session), SHUT_RDWR);
}

static void must(bool ok, const struct err *err)
{
    if (!ok)
        bug("the database server: %s", err->text);
}

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *format, ...)
{
    struct err err = { 0 };
    char sql[512];
    va_list args;

    va_start(args, format);
    vsnprintf(sql, sizeof sql, format, args);
    va_end(args);
    must(db_exec_script(base, sql, &err), &err);
}

/* TRUNCATE gives each life the same empty pages: rows without an order come in the same one then. */
static void add_table(const char *name, long worker)
{
    run("CREATE TABLE sim_%ld_begin.%s AS SELECT * FROM sim_%ld.%s", worker, name, worker, name);
    buf_printf(&reset, "PERFORM 1 FROM %s LIMIT 1; IF FOUND THEN TRUNCATE %s CASCADE; END IF;\n", name, name);
}

static void add_tables(long worker)
{
    char name[64], filled[128][64];
    struct err err = { 0 };
    size_t count = 0;
    struct stmt st;
    bool row;

    must(db_prepare(base, "SELECT c.relname::TEXT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ?"
                    " AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname", &st, &err), &err);
    snprintf(name, sizeof name, "sim_%ld", worker);
    stmt_bind_text(&st, name);
    for (must(stmt_step(&st, &row, &err), &err); row; must(stmt_step(&st, &row, &err), &err)) {
        if (count == ARRAY_LEN(filled))
            bug("more tables than expected");
        stmt_text(&st, filled[count++], sizeof filled[0]);
    }
    for (size_t i = 0; i < count; i++)
        add_table(filled[i], worker);
    for (size_t i = 0; i < count; i++)
        buf_printf(&reset, "INSERT INTO %s SELECT * FROM sim_%ld_begin.%s;\n", filled[i], worker, filled[i]);
}

void server_template(const char *url, long worker, char *store, size_t size)
{
    struct err err = { 0 };

    must(db_open(url, DB_WRITE, &base, &err), &err);
    run("CREATE SCHEMA sim_%ld; CREATE SCHEMA sim_%ld_begin", worker, worker);
    snprintf(store, size, "%s%coptions=-csearch_path%%3Dsim_%ld", url, strchr(url, '?') != NULL ? '&' : '?', worker);
    disk_fill(store);
    buf_init(&reset);
    buf_printf(&reset, "SET search_path = sim_%ld; SET session_replication_role = replica;\nDO $$ BEGIN\n", worker);
    add_tables(worker);
    buf_printf(&reset, "END $$;\n%s", driver_postgres.numbers);
}

void server_template_clear(void)
{
    buf_clear(&reset);
    db_close(base);
}

void server_reset(void)
{
    struct err err = { 0 };

    must(db_exec_script(base, buf_text(&reset), &err), &err);
}

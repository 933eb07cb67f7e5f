#include "tests/support/store_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/err.h"
#include "gateway/base/hex.h"
#include "store/db.h"

static const char *server(void)
{
    const char *url = getenv("QUITTANCE_TEST_STORE");

    return url != NULL && strncmp(url, "postgresql:", 11) == 0 ? url : NULL;
}

bool store_place_is_sqlite(void)
{
    return server() == NULL;
}

bool store_place_is_beside(void)
{
    const char *beside = getenv("QUITTANCE_TEST_BESIDE");

    return server() != NULL && beside != NULL && strcmp(beside, "1") == 0;
}

/* By a reader, who waits for no turn. */
static void run(const char *url, const char *sql)
{
    struct err err = { 0 };
    struct db *db;

    if (!db_open(url, DB_READ, &db, &err) || !db_exec_script(db, "SET default_transaction_read_only = off", &err)
        || !db_exec_script(db, sql, &err))
        bug("%s", err.text);
    db_close(db);
}

/* Past a pooler, which passes no search path on: there each store is a database. */
static const char *behind_pooler(void)
{
    return getenv("QUITTANCE_TEST_SERVER");
}

bool store_place_is_pooled(void)
{
    return behind_pooler() != NULL;
}

static void make(const char *name)
{
    char sql[128];

    snprintf(sql, sizeof sql, "CREATE %s %s", behind_pooler() != NULL ? "DATABASE" : "SCHEMA", name);
    run(behind_pooler() != NULL ? behind_pooler() : server(), sql);
}

void store_place_new(const char *path, char url[STORE_URL])
{
    static unsigned made;
    char name[64];

    if (store_place_is_sqlite()) {
        snprintf(url, STORE_URL, "sqlite:%s", path);
        return;
    }
    snprintf(name, sizeof name, "t%ld_%u", (long)getpid(), made++);
    make(name);
    if (behind_pooler() != NULL)
        snprintf(url, STORE_URL, "postgresql:///%s%s", name, strchr(server(), '?'));
    else
        snprintf(url, STORE_URL, "%s%coptions=-csearch_path%%3D%s", server(), strchr(server(), '?') != NULL ? '&' : '?', name);
}

void store_place_gone(const char *url)
{
    const char *name = strstr(url, "search_path%3D");
    char sql[128];

    if (name != NULL) {
        snprintf(sql, sizeof sql, "DROP SCHEMA %s CASCADE", name + strlen("search_path%3D"));
        run(server(), sql);
    } else if (behind_pooler() != NULL && strncmp(url, "postgresql:///", 14) == 0) {
        snprintf(sql, sizeof sql, "DROP DATABASE %.*s WITH (FORCE)", (int)strcspn(url + 14, "?"), url + 14);
        run(behind_pooler(), sql);
    }
}

const char *store_place_ruin(void)
{
    return store_place_is_sqlite() ? "INSERT OR ROLLBACK INTO meta VALUES ('group', 1)"
        : "SELECT pg_terminate_backend(pg_backend_pid())";
}

void store_place_refuse(char sql[STORE_SCRIPT], const char *table, const uint8_t *amount)
{
    char bytes[65] = "", when[128] = "";

    if (amount != NULL) {
        hex_encode_bare(amount, 32, bytes);
        snprintf(when, sizeof when, "WHEN (NEW.amount = x'%s')", bytes);
    }
    if (store_place_is_sqlite())
        snprintf(sql, STORE_SCRIPT, "CREATE TRIGGER refuse BEFORE INSERT ON %s %s BEGIN SELECT RAISE(ABORT, 'no'); END", table, when);
    else
        snprintf(sql, STORE_SCRIPT, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';"
                 " CREATE TRIGGER refuse BEFORE INSERT ON %s FOR EACH ROW %s EXECUTE FUNCTION refuse()", table, when);
}

void store_place_take(char sql[STORE_SCRIPT], const char *table)
{
    if (store_place_is_sqlite())
        snprintf(sql, STORE_SCRIPT, "DROP TRIGGER refuse");
    else
        snprintf(sql, STORE_SCRIPT, "DROP TRIGGER refuse ON %s; DROP FUNCTION refuse()", table);
}

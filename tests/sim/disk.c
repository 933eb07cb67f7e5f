/* A store that misbehaves: SQLite, or PostgreSQL for several gateways, behind a driver that refuses, loses answers, and stops with the process. */
#include "store/driver.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/lib/file.h"
#include "tests/sim/disk.h"
#include "tests/support/settle_books.h"

static struct driver disk;
static const struct driver *real = &driver_sqlite;
static struct buf template;

static bool ended(struct err *err)
{
    return err_set(err, ERR_STORE, "the process has ended");
}

static bool disk_open(const char *rest, enum db_mode mode, void **connection, struct err *err)
{
    bool ok;

    if (sim_here->crashed)
        return ended(err);
    sim_here->storing = true;
    ok = real->open(rest, mode, connection, err)
      && (mode == DB_READ || real == &driver_postgres || real->script(*connection, "PRAGMA synchronous = OFF", err));
    sim_here->storing = false;
    return ok;
}

static bool disk_reopen(void *connection, struct err *err)
{
    return sim_here->crashed ? ended(err) : real->reopen(connection, err);
}

/* Time that passes while others are in the way is nobody's turn. */
static bool begin(void *connection, enum db_mode mode, struct err *err)
{
    bool ok;

    sim_here->storing = true;
    ok = real->begin(connection, mode, err);
    sim_here->storing = false;
    return ok;
}

static bool disk_begin(void *connection, enum db_mode mode, struct err *err)
{
    struct sim *s = sim_here;

    if (s->crashed)
        return ended(err);
    if (mode == DB_WRITE)
        replicas_stop_here(s);
    if (mode == DB_WRITE && sim_fault(s, FAULT_STORE_BUSY))
        return err_set(err, ERR_STORE, "database is locked");
    return begin(connection, mode, err);
}

static bool disk_script(void *connection, const char *sql, struct err *err)
{
    return sim_here->crashed ? ended(err) : real->script(connection, sql, err);
}

static bool undo(void *connection, enum err_code code, const char *words, struct err *err)
{
    if (!real->script(connection, "ROLLBACK", err))
        sim_say(sim_here, "store: %s", err->text);             /* the connection was cut: it is undone all the same */
    sim_say(sim_here, "store: %s", words);
    return err_set(err, code, "%s", words);
}

/* A server is not asked to roll back: the line ends before it has the COMMIT, and it does so by itself. */
static bool commit_gone(void *connection, struct err *err)
{
    if (real != &driver_postgres)
        return undo(connection, ERR_UNKNOWN, "disk I/O error: not kept", err);
    disk_cut(connection);
    if (real->commit(connection, err))
        bug("a COMMIT over a line that is gone");
    sim_say(sim_here, "store: the line is gone before COMMIT");
    return false;
}

static bool disk_commit(void *connection, struct err *err)
{
    struct sim *s = sim_here;

    if (s->crashed)
        return ended(err);
    s->events++;
    if (sim_crash(s, false))
        return undo(connection, ERR_UNKNOWN, "the process ends before the commit", err);
    if (sim_fault(s, FAULT_DISK_FULL))
        return undo(connection, ERR_STORE, "database or disk is full", err);
    if (sim_fault(s, FAULT_COMMIT_GONE))
        return commit_gone(connection, err);
    if (!real->commit(connection, err))
        return false;
    sim_say(s, "store: commit");
    if (s->replicas > 1)
        check_settler(s);
    if (sim_crash(s, true) || sim_fault(s, FAULT_COMMIT_KEPT)) {
        sim_say(s, "store: kept, and nobody is told");
        return err_set(err, ERR_UNKNOWN, "disk I/O error: kept");
    }
    return true;
}

static bool disk_prepare(void *connection, const char *sql, void **handle, struct err *err)
{
    return sim_here->crashed ? ended(err) : real->prepare(connection, sql, handle, err);
}

static bool disk_step(void *connection, void *handle, bool *row, struct err *err)
{
    if (real == &driver_postgres && !sim_here->crashed && sim_fault(sim_here, FAULT_CUT))
        disk_cut(connection);
    return sim_here->crashed ? ended(err) : real->step(connection, handle, row, err);
}

void disk_register(bool server)
{
    real = server ? &driver_postgres : &driver_sqlite;
    disk = *real;
    disk.scheme = "sim";
    disk.open = disk_open;
    disk.reopen = disk_reopen;
    disk.begin = disk_begin;
    disk.script = disk_script;
    disk.commit = disk_commit;
    disk.prepare = disk_prepare;
    disk.step = disk_step;
    db_driver_add(&disk);
}

/* -- every life begins with the same store -- */

static uint64_t birth(void *self)
{
    (void)self;
    return DISK_BIRTH_MS;
}

static bool fill(void *self, struct group *group, struct err *err)
{
    (void)self;
    return books_open(group, SIM_PEOPLE - 3, err);
}

void disk_fill(const char *url)
{
    struct clock clock = { birth, NULL };
    struct writer *writer;
    struct err err = { 0 };

    if (!writer_open(url, &clock, &writer, &err) || !writer_do(writer, fill, NULL, &err))
        bug("%s", err.text);
    writer_close(writer);
}

void disk_template(const char *dir)
{
    char path[96], url[112];
    struct err err = { 0 };

    snprintf(path, sizeof path, "%s/template.db", dir);
    snprintf(url, sizeof url, "sqlite:%s", path);
    disk_fill(url);
    buf_init(&template);
    if (!file_read(path, 16 * MIB, &template, &err))
        bug("%s", err.text);
}

void disk_template_clear(void)
{
    buf_clear(&template);
}

static void overwrite(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, template.data, template.len) != (ssize_t)template.len)
        bug("%s cannot be written", path);
    close(fd);
}

void disk_reset(struct sim *s)
{
    static const char *const names[] = { "store.db-wal", "store.db-shm" };
    char path[160];

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", s->dir, names[i]);
        (void)unlink(path);
    }
    snprintf(path, sizeof path, "%s/store.db", s->dir);
    overwrite(path);
}

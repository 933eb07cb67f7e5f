/* A store that misbehaves: SQLite behind a driver that refuses, loses answers, and stops with the process. */
#include "store/driver.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/lib/file.h"
#include "tests/sim/disk.h"
#include "tests/support/settle_books.h"

static struct driver disk;
static struct buf template;

static bool ended(struct err *err)
{
    return err_set(err, ERR_STORE, "the process has ended");
}

static bool disk_open(const char *rest, enum db_mode mode, void **connection, struct err *err)
{
    if (sim_here->crashed)
        return ended(err);
    return driver_sqlite.open(rest, mode, connection, err)
        && (mode == DB_READ || driver_sqlite.script(*connection, "PRAGMA synchronous = OFF", err));
}

static bool disk_reopen(void *connection, struct err *err)
{
    return sim_here->crashed ? ended(err) : driver_sqlite.reopen(connection, err);
}

static bool disk_begin(void *connection, enum db_mode mode, struct err *err)
{
    struct sim *s = sim_here;

    if (s->crashed)
        return ended(err);
    if (mode == DB_WRITE && sim_fault(s, FAULT_STORE_BUSY))
        return err_set(err, ERR_STORE, "database is locked");
    return driver_sqlite.begin(connection, mode, err);
}

static bool disk_script(void *connection, const char *sql, struct err *err)
{
    return sim_here->crashed ? ended(err) : driver_sqlite.script(connection, sql, err);
}

static bool undo(void *connection, enum err_code code, const char *words, struct err *err)
{
    if (!driver_sqlite.script(connection, "ROLLBACK", err))
        bug("rollback: %s", err->text);
    sim_say(sim_here, "store: %s", words);
    return err_set(err, code, "%s", words);
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
        return undo(connection, ERR_UNKNOWN, "disk I/O error: not kept", err);
    if (!driver_sqlite.commit(connection, err))
        return false;
    sim_say(s, "store: commit");
    if (sim_crash(s, true) || sim_fault(s, FAULT_COMMIT_KEPT)) {
        sim_say(s, "store: kept, and nobody is told");
        return err_set(err, ERR_UNKNOWN, "disk I/O error: kept");
    }
    return true;
}

static bool disk_prepare(void *connection, const char *sql, void **handle, struct err *err)
{
    return sim_here->crashed ? ended(err) : driver_sqlite.prepare(connection, sql, handle, err);
}

static bool disk_step(void *connection, void *handle, bool *row, struct err *err)
{
    return sim_here->crashed ? ended(err) : driver_sqlite.step(connection, handle, row, err);
}

void disk_register(void)
{
    disk = driver_sqlite;
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

void disk_template(const char *dir)
{
    struct clock clock = { birth, NULL };
    char path[96], url[112];
    struct writer *writer;
    struct err err = { 0 };

    snprintf(path, sizeof path, "%s/template.db", dir);
    snprintf(url, sizeof url, "sqlite:%s", path);
    if (!writer_open(url, &clock, &writer, &err) || !writer_do(writer, fill, NULL, &err))
        bug("%s", err.text);
    writer_close(writer);
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

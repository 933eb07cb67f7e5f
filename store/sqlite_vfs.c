#include "store/sqlite_vfs.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/err.h"
#include "gateway/base/mem.h"

#define FRAME_HEAD 24                         /* written before each page; its second number is zero but in the last frame of a commit */

/* A log.  The system's file lies behind it. */
struct log {
    sqlite3_file file;                        /* first: SQLite knows it as this */
    bool gathers;                             /* COMMIT is under way */
    bool last;                                /* with the page that comes next the commit is whole */
    int failure;                              /* what it failed with; nothing more is done to the file before it ends */
    uint8_t *bytes;                           /* owned; gathered, for the file from `from` on */
    int len;
    sqlite3_int64 from;
};

static sqlite3_vfs *systems;
static sqlite3_vfs ours;

static struct log *log_of(sqlite3_file *file)
{
    return (struct log *)(void *)file;
}

static sqlite3_file *behind(struct log *log)
{
    return (sqlite3_file *)(void *)(log + 1);
}

/* What fails is forgotten: COMMIT fails with it, and SQLite takes all of the transaction back. */
static int write_gathered(struct log *log)
{
    int len = log->len;

    log->len = 0;
    if (log->failure == SQLITE_OK && len > 0)
        log->failure = behind(log)->pMethods->xWrite(behind(log), log->bytes, len, log->from);
    return log->failure;
}

static bool is_last(const uint8_t head[FRAME_HEAD])
{
    return (head[4] | head[5] | head[6] | head[7]) != 0;
}

static int log_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
    struct log *log = log_of(file);
    bool follows = log->len > 0 && at == log->from + log->len && len <= LOG_GATHERED_MAX - log->len, whole;
    int code;

    if (!follows && (code = write_gathered(log)) != SQLITE_OK)
        return code;
    if (!log->gathers || len > LOG_GATHERED_MAX)
        return behind(log)->pMethods->xWrite(behind(log), bytes, len, at);
    if (!follows)
        log->from = at;
    memcpy(log->bytes + log->len, bytes, (size_t)len);
    log->len += len;
    whole = log->last && len != FRAME_HEAD;
    log->last = len == FRAME_HEAD && is_last(bytes);
    return whole ? write_gathered(log) : SQLITE_OK;
}

/* COMMIT reads where it writes frames anew that are in the log already; those are nothing to gather. */
static int log_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 at)
{
    struct log *log = log_of(file);
    int code = write_gathered(log);

    log->gathers = false;
    return code != SQLITE_OK ? code : behind(log)->pMethods->xRead(behind(log), bytes, len, at);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct log *log = log_of(file);
    int code = write_gathered(log);

    return code != SQLITE_OK ? code : behind(log)->pMethods->xTruncate(behind(log), size);
}

static int log_sync(sqlite3_file *file, int flags)
{
    struct log *log = log_of(file);
    int code = write_gathered(log);

    return code != SQLITE_OK ? code : behind(log)->pMethods->xSync(behind(log), flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct log *log = log_of(file);
    int code = write_gathered(log);

    return code != SQLITE_OK ? code : behind(log)->pMethods->xFileSize(behind(log), size);
}

static int log_close(sqlite3_file *file)
{
    struct log *log = log_of(file);

    free(log->bytes);
    return behind(log)->pMethods->xClose(behind(log));
}

/* ---- nothing to do with what is gathered ---- */

static int log_lock(sqlite3_file *file, int level)
{
    struct log *log = log_of(file);

    return behind(log)->pMethods->xLock(behind(log), level);
}

static int log_unlock(sqlite3_file *file, int level)
{
    struct log *log = log_of(file);

    return behind(log)->pMethods->xUnlock(behind(log), level);
}

static int log_is_reserved(sqlite3_file *file, int *reserved)
{
    struct log *log = log_of(file);

    return behind(log)->pMethods->xCheckReservedLock(behind(log), reserved);
}

static int log_control(sqlite3_file *file, int what, void *argument)
{
    struct log *log = log_of(file);

    return behind(log)->pMethods->xFileControl(behind(log), what, argument);
}

static int log_sector(sqlite3_file *file)
{
    struct log *log = log_of(file);

    return behind(log)->pMethods->xSectorSize(behind(log));
}

static int log_device(sqlite3_file *file)
{
    struct log *log = log_of(file);

    return behind(log)->pMethods->xDeviceCharacteristics(behind(log));
}

static const sqlite3_io_methods log_methods = {
    .iVersion = 1,                            /* a log is neither mapped nor has it a wal-index of its own */
    .xClose = log_close, .xRead = log_read, .xWrite = log_write, .xTruncate = log_truncate, .xSync = log_sync, .xFileSize = log_size,
    .xLock = log_lock, .xUnlock = log_unlock, .xCheckReservedLock = log_is_reserved, .xFileControl = log_control,
    .xSectorSize = log_sector, .xDeviceCharacteristics = log_device,
};

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    struct log *log = log_of(file);
    int code;

    (void)vfs;
    if ((flags & SQLITE_OPEN_WAL) == 0)
        return systems->xOpen(systems, name, file, flags, out_flags);
    *log = (struct log){ .failure = SQLITE_OK };
    code = systems->xOpen(systems, name, behind(log), flags, out_flags);
    if (code == SQLITE_OK) {
        log->file.pMethods = &log_methods;
        log->bytes = mem_new(LOG_GATHERED_MAX);
    }
    return code;
}

/* Everything but opening a file is the system's. */
static void make(void)
{
    systems = sqlite3_vfs_find(NULL);
    if (systems == NULL)
        return;
    ours = *systems;
    ours.zName = "quittance";
    ours.pNext = NULL;
    ours.szOsFile += (int)sizeof(struct log);
    ours.xOpen = open_file;
    if (sqlite3_vfs_register(&ours, 0) != SQLITE_OK)
        ours.zName = NULL;
}

const char *vfs_of_writers(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make);
    return ours.zName;
}

int vfs_commit(sqlite3 *session)
{
    sqlite3_file *file = NULL;
    struct log *log = NULL;
    int code;

    if (sqlite3_file_control(session, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) == SQLITE_OK && file != NULL
        && file->pMethods == &log_methods) {
        log = log_of(file);
        log->gathers = (log_device(file) & SQLITE_IOCAP_POWERSAFE_OVERWRITE) != 0;      /* else it pads the log behind its last frame */
    }
    code = sqlite3_exec(session, "COMMIT", NULL, NULL, NULL);
    if (log != NULL) {
        if (code == SQLITE_OK && log->len > 0)
            bug("a commit that is not in the log");
        log->gathers = log->last = false;
        log->len = 0;
        log->failure = SQLITE_OK;
    }
    return code;
}

#include "gateway/settle/process.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/lib/file.h"

#define STARTED 22                            /* field of /proc/PID/stat; the name in brackets is the second */

static bool read_text(const char *path, struct buf *text)
{
    struct err ignored = { 0 };

    buf_init_max(text, 4096);
    return file_read(path, 4095, text, &ignored);
}

/* In ticks since the boot. */
static bool started_at(long pid, uint64_t *ticks)
{
    const char *at = NULL;
    struct buf stat;
    char path[40];

    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    if (read_text(path, &stat))
        at = strrchr(buf_text(&stat), ')');   /* the name may have spaces and brackets itself */
    for (int field = 2; at != NULL && field < STARTED; field++) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    *ticks = at != NULL ? strtoull(at, NULL, 10) : 0;
    buf_clear(&stat);
    return at != NULL;
}

/* The machine as it runs now, and its process numbers as seen from here. */
static bool name_place(char *place, size_t size)
{
    struct stat numbers;
    struct buf boot;
    bool ok = read_text("/proc/sys/kernel/random/boot_id", &boot) && stat("/proc/self/ns/pid", &numbers) == 0;

    if (ok)
        snprintf(place, size, "%.36s %" PRIu64, buf_text(&boot), (uint64_t)numbers.st_ino);
    buf_clear(&boot);
    return ok;
}

void process_self(char name[PROCESS_NAME])
{
    char place[64];
    uint64_t ticks;

    name[0] = '\0';
    if (name_place(place, sizeof place) && started_at((long)getpid(), &ticks))
        snprintf(name, PROCESS_NAME, "%s %ld %" PRIu64, place, (long)getpid(), ticks);
}

bool process_is_dead(const char *name)
{
    uint64_t ticks, started;
    char place[64], *end;
    size_t len;
    long pid;

    if (!name_place(place, sizeof place))
        return false;
    len = strlen(place);
    if (strncmp(name, place, len) != 0 || name[len] != ' ')
        return false;
    pid = strtol(name + len, &end, 10);
    started = strtoull(end, NULL, 10);
    if (pid <= 0 || started == 0)
        return false;
    if (kill((pid_t)pid, 0) != 0)
        return errno == ESRCH;
    return started_at(pid, &ticks) && ticks != started;
}

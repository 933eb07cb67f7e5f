#include "gateway/limits.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/resource.h>

#include "gateway/base/log.h"

/* Descriptors that are no connection of the public listener: 256 of the admin's, 256 files being sent, readers of two stores
 * with three files each, the writers, the chain, the log. */
#define RESERVE 768u
#define CONNECTIONS_MIN 16u
#define MAPPED_FROM (256 * 1024)

/* Large blocks are mapped and so given back when freed; glibc would raise the size from which on, and then keep them.  Few
 * arenas: each keeps what it once needed. */
static void set_allocator(void)
{
    mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
    mallopt(M_TRIM_THRESHOLD, 4 * MAPPED_FROM);
    mallopt(M_ARENA_MAX, 2);
}

bool limits_raise(uint64_t wanted, unsigned *connections, struct err *err)
{
    struct rlimit files;
    uint64_t left;

    set_allocator();
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return err_set(err, ERR_IO, "RLIMIT_NOFILE: %s", strerror(errno));
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        return err_set(err, ERR_IO, "RLIMIT_NOFILE to %llu: %s", (unsigned long long)files.rlim_max, strerror(errno));
    left = files.rlim_cur > RESERVE ? files.rlim_cur - RESERVE : 0;
    if (left < CONNECTIONS_MIN)
        return err_set(err, ERR_CONFIG, "the process may open %llu files, %u are needed: raise its limit (ulimit -Hn, LimitNOFILE=)",
                       (unsigned long long)files.rlim_cur, RESERVE + CONNECTIONS_MIN);
    if (left < wanted)
        log_event(LOG_WARN_LEVEL, "connections_limited", KV_U64("count", left), KV_U64("wanted", wanted), KV_U64("files", files.rlim_cur));
    *connections = (unsigned)(left < wanted ? left : wanted);
    log_event(LOG_NOTICE_LEVEL, "limits_set", KV_U64("connections", *connections), KV_U64("files", files.rlim_cur));
    return true;
}

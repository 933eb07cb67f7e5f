/* store/sqlite_vfs.h - what a commit adds to the log goes into its file in a few large writes.
 *
 * SQLite writes each page that a commit changed as two: 24 bytes of frame, then the page; a group of receipts changes a hundred pages.
 * A writer's session therefore opens its log through a file system of our own (https://www.sqlite.org/vfs.html), which keeps what COMMIT
 * adds in memory until the commit's last frame is there (https://www.sqlite.org/fileformat2.html, 4.1).  Nobody can look for it sooner:
 * whoever reads takes from the wal-index how much of the log there is, and COMMIT says it there after all frames were written, and
 * synced.  All else that is written to the log (pages that the cache has no room for while a transaction goes on, frames that are written
 * anew) is written at once, as is everything to other files. */
#ifndef QUITTANCE_STORE_SQLITE_VFS_H
#define QUITTANCE_STORE_SQLITE_VFS_H

#include <sqlite3.h>

#define LOG_GATHERED_MAX (31 * (24 + 4096))  /* then it is written; SQLite's own write takes less than 128 KiB at a time */

/* For sqlite3_open_v2; NULL: the system's, where ours cannot be. */
const char *vfs_of_writers(void);
/* As sqlite3_exec of COMMIT. */
int vfs_commit(sqlite3 *session);

#endif

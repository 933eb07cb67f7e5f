/* store/sqlite_checkpoint.h - copies the log into the database beside the writer, so that no commit waits for it.
 *
 *   log      ├────── copied by the thread ──────┤── the rest, by the writer ──┤ and the next commit begins the log anew
 *   frames   0                                  ~ CHECKPOINT_AT               (https://www.sqlite.org/wal.html, 2.2 and 2.3)
 *
 * Only a log that is copied whole can begin anew, and while somebody writes the thread alone never gets there: it goes on as long as more
 * came meanwhile than a few commits write, and the rest is the writer's.  The thread starts with the first log that is long enough.
 *
 * SQLite syncs the database only with a copy of the whole log, and that is the writer's; so the thread syncs what it copied itself, and the
 * writer waits for the disk no longer than his own part takes.
 *
 * What came after the state that a reader sees is not copied before that reader is done, and a backup reads for minutes.  Each look at
 * the log costs with its length, so where one gained nothing the next waits until the log has grown by a quarter, and it is never the
 * writer's. */
#ifndef QUITTANCE_STORE_SQLITE_CHECKPOINT_H
#define QUITTANCE_STORE_SQLITE_CHECKPOINT_H

#include <sqlite3.h>

#define CHECKPOINT_AT 32768                   /* frames of 4 KiB: then the thread begins */
#define CHECKPOINT_REST 128                   /* so few left are the writer's, or what its last two commits wrote */
#define CHECKPOINT_LATE 131072                /* from here on the writer's part grows with the log: */
#define CHECKPOINT_LATE_PART 32               /* so that a log ends to which more is added than the thread can copy */

struct checkpointer;
/* Of this writer's session, which outlives it; its commits are noticed from now on. */
struct checkpointer *checkpointer_new(sqlite3 *writer, const char *path);
void checkpointer_free(struct checkpointer *c);          /* NULL is fine; ends the thread */

#endif

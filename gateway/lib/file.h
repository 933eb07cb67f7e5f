/* gateway/lib/file.h - whole small files, and files that appear complete or not at all. */
#ifndef QUITTANCE_LIB_FILE_H
#define QUITTANCE_LIB_FILE_H

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

/* Appends to out.  ERR_NOT_FOUND when there is none; ERR_LIMIT over max bytes. */
MUST_USE bool file_read(const char *path, size_t max, struct buf *out, struct err *err);
/* Written beside, synced, renamed, the folder synced: after a crash the old or the new, never a part. */
MUST_USE bool file_write(const char *path, const void *bytes, size_t len, unsigned mode, struct err *err);
/* A secret from a file: trailing newline taken off; ERR_CONFIG when group or others may read or write it. */
MUST_USE bool file_read_secret(const char *path, struct buf *out, struct err *err);
MUST_USE bool file_make_dir(const char *path, unsigned mode, struct err *err);   /* and its parents; existing is fine */
bool file_exists(const char *path);
/* base's folder + relative, or relative itself when absolute; caller frees. */
char *file_beside(const char *base_file, const char *relative);
/* Sends bytes [from, to) of a file that is being written on their way to the disk, and waits for the FILE_STEP before.  Hundreds of MiB
 * that wait for one sync at the end, or for the kernel to notice them, would hold up every other file's sync meanwhile, and those of the
 * store are what receipts wait for.  What fails here, fsync says again. */
#define FILE_STEP (UINT64_C(2) << 20)
void file_send_step(int fd, uint64_t from, uint64_t to);
/* A file being written line by line that appears at `path` only on file_commit. */
struct file_out;
MUST_USE bool file_begin(const char *path, struct file_out **out, struct err *err);
MUST_USE bool file_begin_mode(const char *path, unsigned mode, struct file_out **out, struct err *err);
MUST_USE bool file_add(struct file_out *f, const void *bytes, size_t len, struct err *err);
MUST_USE bool file_commit_free(struct file_out *owned, struct err *err);
void file_abandon_free(struct file_out *owned);

#endif

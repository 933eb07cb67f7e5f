/* store/archive_file.h - a published archive, packed so that one receipt is found and proven by reading a little of it.
 *
 * {sequence}.archive.ndjson.zst is cut into zstd frames: ARCHIVE_FRAME receipt lines each, all that comes before and after them
 * in frames of their own; unpacked one after another they are the archive, to the byte.  {sequence}.archive.index says
 * where each frame of receipts is, and holds the receipts tree from the tops of the frames upwards.  So an answer unpacks one frame, and
 * hashes no more than that.  The index is nothing but derived: archive_repack makes it again.  It is never served, as
 * it names jobs.
 *
 * Index, numbers big-endian: "QTARIDX1", sequence 8, receipts 8, bytes of the packed file 8, SHA-256 of the plain one 32, the
 * last key 36; a frame each 36 bytes first key, 8 offset, 4 packed, 4 plain; then the tree's levels from
 * the frames' tops to the root, 32 bytes a node.  A key is jobId and provider.
 *
 * Errors: ERR_NOT_FOUND: a file is missing; ERR_STORE: it is damaged, or another settlement's. */
#ifndef QUITTANCE_STORE_ARCHIVE_FILE_H
#define QUITTANCE_STORE_ARCHIVE_FILE_H

#include <stdatomic.h>

#include "gateway/core/archive.h"
#include "gateway/core/tree.h"

#define ARCHIVE_FRAME 64u                     /* a power of two: a frame is a subtree; a sealed line takes 70 us to read */
#define ARCHIVE_PLAIN ".archive.ndjson"
#define ARCHIVE_PACKED ".archive.ndjson.zst"
#define ARCHIVE_INDEX ".archive.index"

#define ARCHIVE_KEY 36
struct archive_key { uint8_t b[ARCHIVE_KEY]; };
struct archive_key archive_key(struct job_id job, struct address provider);

/* -- writing, archive_pack.c -- */

struct archive_packing;
/* tops: of each frame's subtree, borrowed; NULL: they are computed from the leaves that are given. */
MUST_USE bool archive_packing_begin(const char *dir, uint64_t sequence, bool sealed, const struct hash *tops,
                                    struct archive_packing **packing, struct err *err);
/* Lines with their newlines, in the archive's order. */
MUST_USE bool archive_packing_add(struct archive_packing *p, const void *line, size_t len, struct err *err);
MUST_USE bool archive_packing_add_receipt(struct archive_packing *p, const void *line, size_t len, const struct archive_key *key,
                                          const struct hash *leaf, struct err *err);
/* digest: of the plain bytes.  Both files appear whole, the index last. */
MUST_USE bool archive_packing_commit_free(struct archive_packing *owned, struct hash digest, struct err *err);
void archive_packing_abandon_free(struct archive_packing *owned);             /* NULL is fine */
/* Both files made again from the plain one: of an older version, of a mirror, lost.  secret: opens sealed lines. */
MUST_USE bool archive_repack(const char *dir, uint64_t sequence, const uint8_t secret[32], struct hash digest, struct err *err);

/* -- reading, archive_file.c -- */

struct archive_file;
MUST_USE bool archive_file_open(const char *dir, uint64_t sequence, struct hash digest, struct archive_file **file, struct err *err);
void archive_file_close(struct archive_file *file);   /* NULL is fine */
uint64_t archive_file_receipts(const struct archive_file *file);
uint64_t archive_file_frames(const struct archive_file *file);
MUST_USE bool archive_file_range(const struct archive_file *file, struct archive_key *first, struct archive_key *last, struct err *err);
/* The frame that holds the key, if any does. */
MUST_USE bool archive_file_seek(const struct archive_file *file, const struct archive_key *key, uint64_t *frame, struct err *err);
struct archive_frame {
    uint64_t number;
    size_t count;
    struct archive_receipt receipt[ARCHIVE_FRAME];
    struct hash hash[ARCHIVE_FRAME];          /* struct hashes */
    struct hash leaf[ARCHIVE_FRAME];
};
/* settlement_key: opens sealed lines. */
MUST_USE bool archive_file_frame(const struct archive_file *file, uint64_t number, struct hash settlement_key,
                                 struct archive_frame *frame, struct err *err);
MUST_USE bool archive_file_prove(const struct archive_file *file, const struct archive_frame *frame, size_t place, struct proof *proof,
                                 struct err *err);
/* Reads all of it: whether what unpacks is the plain archive, and each frame where the index says.  ERR_AGAIN: quit became true. */
MUST_USE bool archive_file_check(const struct archive_file *file, const atomic_bool *quit, struct err *err);

#endif

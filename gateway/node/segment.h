/* gateway/node/segment.h - one part of a spool: receipts in the order they were taken, and which of them are done with.
 *
 * On disk, in the spool's folder, numbers as 16 hex digits:
 *   NUMBER.spool      8 bytes of magic, then records of SEGMENT_RECORD bytes: 1 of flags, the packed receipt, its signature
 *                     and its consumer's (zeros where there is none), the first 8 bytes of the SHA-256 of all that
 *   NUMBER.released   8 bytes for each record that is done with: its place from 0, and the complement of that
 * Both are only ever appended to.  All records have one length, so a torn last one shows by the file's length or by its
 * checksum.  Without a folder (dir NULL) the same lies in memory.  Not locked: spool.c does that. */
#ifndef QUITTANCE_NODE_SEGMENT_H
#define QUITTANCE_NODE_SEGMENT_H

#include "gateway/core/receipt.h"

#define SEGMENT_MAGIC "QTCSPL1\n"
#define SEGMENT_MAGIC_BYTES 8
#define SEGMENT_CHECK_BYTES 8
#define SEGMENT_RECORD (1 + RECEIPT_PACKED + 65 + 65 + SEGMENT_CHECK_BYTES)
#define SEGMENT_RELEASE_BYTES 8

enum record_state {
    RECORD_WAITING,           /* to be sent */
    RECORD_TAKEN,             /* somebody sends it */
    RECORD_KEPT,              /* answered, and kept until it has a proof */
    RECORD_RELEASED           /* done with */
};

struct segment {
    uint64_t number;
    size_t count, waiting, kept, released;
    size_t next;              /* no record before it waits */
    uint8_t *state;           /* owned; enum record_state of each */
    size_t capacity;
    bool sealed;              /* takes no more */
    int fd;                   /* while it takes more; else -1 */
    struct buf memory;        /* its records, where there is no folder */
    struct segment *following;
};

void segment_encode(const struct signed_receipt *r, uint8_t record[SEGMENT_RECORD]);
MUST_USE bool segment_decode(const uint8_t record[SEGMENT_RECORD], struct signed_receipt *r);    /* false: its checksum is wrong */

/* The file and its name are durable on return. */
MUST_USE bool segment_new(const char *dir, uint64_t number, struct segment **segment, struct err *err);
/* What was in files that is no record. */
struct segment_faults {
    uint64_t torn_bytes;      /* at the end of the last segment: a crash while it was written, so nobody was told they are safe */
    uint64_t damaged;         /* records anywhere else: lost; the file as it was is kept as NUMBER.damaged */
};
/* From its files; adds to faults.  Torn bytes are cut off, good records after a damaged one still count. */
MUST_USE bool segment_load(const char *dir, uint64_t number, bool last, struct segment **segment, struct segment_faults *faults,
                           struct err *err);
void segment_free(struct segment *segment);                /* closes; files stay */

/* Durable on return; not yet counted. */
MUST_USE bool segment_write(struct segment *s, const char *dir, const struct buf *records, struct err *err);
void segment_admit(struct segment *s, const char *dir, const struct buf *records);       /* counts them: they wait */
MUST_USE bool segment_read(const struct segment *s, const char *dir, size_t index, size_t count, uint8_t *records, struct err *err);
/* Durable on return; states are the caller's to change. */
MUST_USE bool segment_release(const struct segment *s, const char *dir, const uint32_t *indices, size_t count, struct err *err);
MUST_USE bool segment_remove_files(const struct segment *s, const char *dir, struct err *err);
uint64_t segment_bytes(const struct segment *s);

#endif

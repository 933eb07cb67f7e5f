#include "store/archive_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "gateway/core/receipt.h"
#include "gateway/core/seal.h"
#include "gateway/core/word.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/pack.h"

#define READ_STEP ((size_t)1024 * 1024)

struct archive_file {
    int packed, index;
    uint64_t sequence, receipts, frames, bytes;
    struct hash digest;
    struct archive_key last;
};

struct frame_place { struct archive_key first; uint64_t at; uint32_t packed, plain; };

static bool damaged(const struct archive_file *f, const char *what, struct err *err)
{
    return err_set(err, ERR_STORE, "archive %" PRIu64 ": %s", f->sequence, what);
}

static bool get(const struct archive_file *f, int fd, uint64_t at, void *bytes, size_t len, struct err *err)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = pread(fd, (uint8_t *)bytes + done, len - done, (off_t)(at + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return damaged(f, n < 0 ? strerror(errno) : "cut short", err);
        done += (size_t)n;
    }
    return true;
}

static int open_part(const char *dir, uint64_t sequence, const char *suffix, struct err *err)
{
    char path[ARCHIVE_PATH];
    int fd;

    archive_path(dir, sequence, suffix, path, sizeof path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)                               /* whoever asks for a receipt is not told our paths */
        err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%" PRIu64 "%s in [archive] dir: %s", sequence, suffix, strerror(errno));
    return fd;
}

static uint64_t nodes_above(uint64_t width)
{
    uint64_t nodes = width;

    for (; width > 1; nodes += width)
        width = (width + 1) / 2;
    return nodes;
}

static bool has_size(int fd, uint64_t bytes)
{
    struct stat st;

    return fstat(fd, &st) == 0 && (uint64_t)st.st_size == bytes;
}

static bool read_head(struct archive_file *f, struct hash digest, struct err *err)
{
    uint8_t head[INDEX_HEAD];

    if (!get(f, f->index, 0, head, sizeof head, err))
        return false;
    f->receipts = be64_get(head + 16);
    f->bytes = be64_get(head + 24);
    memcpy(f->digest.b, head + 32, sizeof f->digest.b);
    memcpy(f->last.b, head + 64, ARCHIVE_KEY);
    f->frames = f->receipts / ARCHIVE_FRAME + (f->receipts % ARCHIVE_FRAME > 0);
    if (memcmp(head, INDEX_MAGIC, INDEX_MAGIC_LEN) != 0 || be64_get(head + 8) != f->sequence || !hash_eq(f->digest, digest))
        return damaged(f, "the index is another archive's", err);
    return (has_size(f->packed, f->bytes) && f->receipts < UINT64_C(1) << TREE_DEPTH_MAX
            && has_size(f->index, INDEX_HEAD + f->frames * INDEX_FRAME + nodes_above(f->frames) * sizeof(struct hash)))
        || damaged(f, "the index is of another length than it should be", err);
}

bool archive_file_open(const char *dir, uint64_t sequence, struct hash digest, struct archive_file **file, struct err *err)
{
    struct archive_file *f = mem_new(sizeof *f);

    f->sequence = sequence;
    f->packed = open_part(dir, sequence, ARCHIVE_PACKED, err);
    f->index = f->packed < 0 ? -1 : open_part(dir, sequence, ARCHIVE_INDEX, err);
    if (f->index < 0 || !read_head(f, digest, err)) {
        archive_file_close(f);
        return false;
    }
    *file = f;
    return true;
}

void archive_file_close(struct archive_file *f)
{
    if (f == NULL)
        return;
    if (f->packed >= 0)
        close(f->packed);
    if (f->index >= 0)
        close(f->index);
    free(f);
}

uint64_t archive_file_receipts(const struct archive_file *f)
{
    return f->receipts;
}

uint64_t archive_file_frames(const struct archive_file *f)
{
    return f->frames;
}

static bool get_place(const struct archive_file *f, uint64_t frame, struct frame_place *place, struct err *err)
{
    uint8_t entry[INDEX_FRAME];

    if (frame >= f->frames || !get(f, f->index, INDEX_HEAD + frame * INDEX_FRAME, entry, sizeof entry, err))
        return frame < f->frames ? false : damaged(f, "there is no such frame", err);
    memcpy(place->first.b, entry, ARCHIVE_KEY);
    place->at = be64_get(entry + ARCHIVE_KEY);
    place->packed = be32_get(entry + ARCHIVE_KEY + 8);
    place->plain = be32_get(entry + ARCHIVE_KEY + 12);
    return (place->plain <= FRAME_PLAIN_MAX && place->packed <= f->bytes && place->at <= f->bytes - place->packed)
        || damaged(f, "a frame of the index leads out of the file", err);
}

bool archive_file_range(const struct archive_file *f, struct archive_key *first, struct archive_key *last, struct err *err)
{
    struct frame_place place;

    if (!get_place(f, 0, &place, err))
        return false;
    *first = place.first;
    *last = f->last;
    return true;
}

bool archive_file_seek(const struct archive_file *f, const struct archive_key *key, uint64_t *frame, struct err *err)
{
    uint64_t low = 0, high = f->frames;
    struct frame_place place;

    /* The last frame whose first key is not above the key. */
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;

        if (!get_place(f, middle, &place, err))
            return false;
        if (memcmp(place.first.b, key->b, ARCHIVE_KEY) <= 0)
            low = middle;
        else
            high = middle;
    }
    *frame = low;
    return true;
}

/* -- one frame -- */

static bool unpack(const struct archive_file *f, const struct frame_place *place, struct buf *text, struct err *err)
{
    uint8_t *packed = mem_array((size_t)place->packed + 1, 1);
    bool ok = get(f, f->packed, place->at, packed, place->packed, err)
           && (zstd_unpack(packed, place->packed, FRAME_PLAIN_MAX, text, err) || damaged(f, err->text, err))
           && (text->len == place->plain || damaged(f, "a frame is of another length than the index says", err));

    free(packed);
    return ok;
}

static bool take_line(const struct archive_file *f, const char *text, size_t len, struct hash settlement_key,
                      struct archive_frame *frame, bool *sealed, struct err *err)
{
    struct archive_line line = { 0 };
    bool opened = true, ok;

    if (frame->count == ARCHIVE_FRAME)
        return damaged(f, "a frame has too many lines", err);
    if (!archive_read_line(text, len, &line, err))
        return err_prefix(err, "archive %" PRIu64, f->sequence);
    *sealed = line.type == ARCHIVE_SEALED;
    if (*sealed)
        frame->leaf[frame->count] = line.of.sealed.leaf;
    ok = !*sealed || seal_open(&line, settlement_key, &opened, err);
    if (ok && (!opened || line.type != ARCHIVE_RECEIPT))
        ok = damaged(f, opened ? "no receipt where one should be" : "a line is sealed with another secret", err);
    if (ok)
        frame->receipt[frame->count++] = line.of.receipt;
    archive_line_clear(&line);
    return ok;
}

static void hash_all(struct archive_frame *frame, bool sealed)
{
    uint8_t *words = mem_array(ARCHIVE_FRAME, RECEIPT_WORDS);
    struct receipts_leaf *leaves;

    for (size_t i = 0; i < frame->count; i++)
        receipt_to_words(&frame->receipt[i].receipt.receipt, words + i * RECEIPT_WORDS);
    receipt_words_hashes(words, frame->count, frame->hash);
    free(words);
    if (sealed)
        return;
    leaves = mem_array(ARCHIVE_FRAME, sizeof *leaves);
    for (size_t i = 0; i < frame->count; i++) {
        const struct archive_receipt *r = &frame->receipt[i];

        leaves[i] = (struct receipts_leaf){ r->receipt.receipt.job_id, r->receipt.receipt.provider, r->salt, frame->hash[i] };
    }
    tree_receipts_leaves(leaves, frame->count, frame->number * ARCHIVE_FRAME, frame->leaf);
    free(leaves);
}

static bool take_lines(const struct archive_file *f, const struct buf *text, struct hash settlement_key, struct archive_frame *frame,
                       struct err *err)
{
    const char *at = (const char *)text->data, *end = at + text->len;
    bool sealed = false;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        if (newline == NULL)
            return damaged(f, "a frame ends within a line", err);
        if (!take_line(f, at, (size_t)(newline - at), settlement_key, frame, &sealed, err))
            return false;
        at = newline + 1;
    }
    hash_all(frame, sealed);
    return true;
}

bool archive_file_frame(const struct archive_file *f, uint64_t number, struct hash settlement_key, struct archive_frame *frame,
                        struct err *err)
{
    uint64_t left = f->receipts - number * ARCHIVE_FRAME;
    struct frame_place place;
    struct buf text;
    bool ok;

    buf_init(&text);
    frame->number = number;
    frame->count = 0;
    ok = get_place(f, number, &place, err) && unpack(f, &place, &text, err) && take_lines(f, &text, settlement_key, frame, err)
      && (frame->count == (left < ARCHIVE_FRAME ? left : ARCHIVE_FRAME) || damaged(f, "a frame has too few lines", err));
    buf_clear(&text);
    return ok;
}

bool archive_file_prove(const struct archive_file *f, const struct archive_frame *frame, size_t place, struct proof *proof,
                        struct err *err)
{
    uint64_t at = INDEX_HEAD + f->frames * INDEX_FRAME, index = frame->number;

    tree_proof(frame->leaf, frame->count, place, proof);
    for (uint64_t width = f->frames; width > 1; width = (width + 1) / 2, index /= 2) {
        uint64_t sibling = index ^ 1;

        /* else the odd last node: it has none */
        if (sibling < width && !get(f, f->index, at + sibling * sizeof(struct hash), &proof->path[proof->len++], sizeof(struct hash), err))
            return false;
        at += width * sizeof(struct hash);
    }
    return true;
}

/* -- all of it -- */

/* The frames of receipts lie behind one another, and what the index does not know of only before and after them. */
static bool check_places(const struct archive_file *f, struct err *err)
{
    struct frame_place place;
    uint64_t at = 0;

    for (uint64_t i = 0; i < f->frames; i++) {
        if (!get_place(f, i, &place, err))
            return false;
        if (i > 0 && place.at != at)
            return damaged(f, "the index leaves a part of it out", err);
        at = place.at + place.packed;
    }
    return true;
}

static void add_to_sum(void *self, const uint8_t *bytes, size_t len)
{
    sha256_add(self, bytes, len);
}

bool archive_file_check(const struct archive_file *f, const atomic_bool *quit, struct err *err)
{
    struct zstd_reader *reader = zstd_reader_new();
    struct sha256_stream *sum = sha256_new();
    uint8_t *bytes = mem_array(READ_STEP, 1);
    struct hash digest;
    bool ok = check_places(f, err);

    for (uint64_t at = 0; ok && at < f->bytes; at += READ_STEP) {
        size_t len = f->bytes - at < READ_STEP ? (size_t)(f->bytes - at) : READ_STEP;

        ok = (!atomic_load(quit) || err_set(err, ERR_AGAIN, "stopped")) && get(f, f->packed, at, bytes, len, err)
          && zstd_reader_add(reader, bytes, len, add_to_sum, sum, err);
    }
    digest = sha256_finish_free(sum);
    free(bytes);
    zstd_reader_free(reader);
    return ok && (hash_eq(digest, f->digest) || damaged(f, "it unpacks to other bytes than were published", err));
}

#include "store/archive_layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/core/receipt.h"
#include "gateway/core/seal.h"
#include "gateway/core/word.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/lib/pack.h"

#define OTHER_LINES ((size_t)256 * 1024)      /* a frame of what is no receipt */
#define INDEX_MODE 0600

struct archive_packing {
    char index_path[ARCHIVE_PATH];
    uint64_t sequence;
    struct file_out *file;
    struct zstd_packer *packer;
    struct buf frame, packed;                 /* lines not written yet; what they became */
    uint64_t at;                              /* bytes written */
    struct archive_key first, last;           /* of the frame; of all */
    const struct hash *known_tops;            /* borrowed; NULL: from the leaves */
    struct hash leaf[ARCHIVE_FRAME];
    size_t in_frame;                          /* receipts of it */
    uint64_t receipts;
    struct buf frames, tops;                  /* of the index */
};

struct archive_key archive_key(struct job_id job, struct address provider)
{
    struct archive_key key;

    memcpy(key.b, job.b, sizeof job.b);
    memcpy(key.b + sizeof job.b, provider.b, sizeof provider.b);
    return key;
}

bool archive_packing_begin(const char *dir, uint64_t sequence, bool sealed, const struct hash *tops, struct archive_packing **packing,
                           struct err *err)
{
    char path[ARCHIVE_PATH];
    struct archive_packing *p;
    struct file_out *file;

    archive_path(dir, sequence, ARCHIVE_PACKED, path, sizeof path);
    if (!file_begin(path, &file, err))
        return false;
    p = mem_new(sizeof *p);
    p->file = file;
    p->sequence = sequence;
    p->known_tops = tops;
    p->packer = zstd_packer_new(sealed);
    archive_path(dir, sequence, ARCHIVE_INDEX, p->index_path, sizeof p->index_path);
    buf_init(&p->frame);
    buf_init(&p->packed);
    buf_init(&p->frames);
    buf_init(&p->tops);
    *packing = p;
    return true;
}

static void free_packing(struct archive_packing *p)
{
    zstd_packer_free(p->packer);
    buf_clear(&p->frame);
    buf_clear(&p->packed);
    buf_clear(&p->frames);
    buf_clear(&p->tops);
    free(p);
}

void archive_packing_abandon_free(struct archive_packing *p)
{
    if (p == NULL)
        return;
    file_abandon_free(p->file);
    free_packing(p);
}

static bool note_frame(struct archive_packing *p, struct err *err)
{
    uint8_t entry[INDEX_FRAME];
    struct hash top = p->known_tops != NULL ? p->known_tops[p->frames.len / INDEX_FRAME] : tree_root(p->leaf, p->in_frame);

    memcpy(entry, p->first.b, ARCHIVE_KEY);
    be64_put(entry + ARCHIVE_KEY, p->at);
    be32_put(entry + ARCHIVE_KEY + 8, (uint32_t)p->packed.len);
    be32_put(entry + ARCHIVE_KEY + 12, (uint32_t)p->frame.len);
    return (buf_add(&p->frames, entry, sizeof entry) && buf_add(&p->tops, top.b, sizeof top.b))
        || err_set(err, ERR_LIMIT, "an archive of too many frames");
}

/* What is waiting becomes one frame. */
static bool end_frame(struct archive_packing *p, struct err *err)
{
    if (p->frame.len == 0)
        return true;
    buf_reset(&p->packed);
    if (!zstd_packer_frame(p->packer, p->frame.data, p->frame.len, &p->packed, err)
        || (p->in_frame > 0 && !note_frame(p, err)) || !file_add(p->file, p->packed.data, p->packed.len, err))
        return false;
    p->at += p->packed.len;
    p->in_frame = 0;
    buf_reset(&p->frame);
    return true;
}

static bool add_line(struct archive_packing *p, const void *line, size_t len, struct err *err)
{
    return buf_add(&p->frame, line, len) || err_set(err, ERR_LIMIT, "a line of the archive is too long");
}

bool archive_packing_add(struct archive_packing *p, const void *line, size_t len, struct err *err)
{
    return ((p->in_frame == 0 && p->frame.len < OTHER_LINES) || end_frame(p, err)) && add_line(p, line, len, err);
}

bool archive_packing_add_receipt(struct archive_packing *p, const void *line, size_t len, const struct archive_key *key,
                                 const struct hash *leaf, struct err *err)
{
    if (p->receipts > 0 && memcmp(p->last.b, key->b, ARCHIVE_KEY) >= 0)
        return err_set(err, ERR_BUG, "receipts of an archive out of order");
    if ((p->in_frame == 0 || p->in_frame == ARCHIVE_FRAME) && !end_frame(p, err))
        return false;
    if (p->in_frame == 0)
        p->first = *key;
    p->last = *key;
    if (p->known_tops == NULL)
        p->leaf[p->in_frame] = *leaf;
    p->in_frame++;
    p->receipts++;
    return add_line(p, line, len, err);
}

static bool add_levels(struct archive_packing *p, struct file_out *out, struct err *err)
{
    size_t count = p->tops.len / sizeof(struct hash), width;
    struct hash *tops = mem_array(count + 1, sizeof *tops);
    const struct hash *nodes;
    struct tree *tree;
    bool ok = true;

    if (count > 0)
        memcpy(tops, p->tops.data, p->tops.len);
    tree = tree_new(tops, count);
    for (size_t level = 0; ok && (nodes = tree_level(tree, level, &width)) != NULL; level++)
        ok = file_add(out, nodes, width * sizeof *nodes, err);
    tree_free(tree);
    free(tops);
    return ok;
}

static bool write_index(struct archive_packing *p, struct hash digest, struct err *err)
{
    uint8_t head[INDEX_HEAD];
    struct file_out *out;

    memcpy(head, INDEX_MAGIC, INDEX_MAGIC_LEN);
    be64_put(head + 8, p->sequence);
    be64_put(head + 16, p->receipts);
    be64_put(head + 24, p->at);
    memcpy(head + 32, digest.b, sizeof digest.b);
    memcpy(head + 64, p->last.b, ARCHIVE_KEY);
    if (!file_begin_mode(p->index_path, INDEX_MODE, &out, err))
        return false;
    if (!file_add(out, head, sizeof head, err) || !file_add(out, p->frames.data, p->frames.len, err) || !add_levels(p, out, err)) {
        file_abandon_free(out);
        return false;
    }
    return file_commit_free(out, err);
}

bool archive_packing_commit_free(struct archive_packing *p, struct hash digest, struct err *err)
{
    bool ok;

    if (!end_frame(p, err)) {
        archive_packing_abandon_free(p);
        return false;
    }
    ok = file_commit_free(p->file, err) && write_index(p, digest, err);
    free_packing(p);
    return ok;
}

/* -- again -- */

static bool add_again(struct archive_packing *p, const char *text, size_t len, struct hash settlement_key, struct err *err)
{
    struct archive_line line = { 0 };
    struct archive_key key;
    struct hash leaf = { { 0 } };
    bool sealed, opened = true, ok;

    if (!archive_read_line(text, len - 1, &line, err))
        return false;
    sealed = line.type == ARCHIVE_SEALED;
    if (sealed) {
        leaf = line.of.sealed.leaf;
        if (!seal_open(&line, settlement_key, &opened, err))
            opened = false;
        else if (!opened)
            err_set(err, ERR_CONFIG, "a line is sealed with another secret");
    }
    if (!opened || line.type != ARCHIVE_RECEIPT) {
        archive_line_clear(&line);
        return opened && archive_packing_add(p, text, len, err);
    }
    key = archive_key(line.of.receipt.receipt.receipt.job_id, line.of.receipt.receipt.receipt.provider);
    if (!sealed)
        leaf = tree_receipts_leaf(p->receipts, line.of.receipt.receipt.receipt.job_id, line.of.receipt.receipt.receipt.provider,
                                  line.of.receipt.salt, receipt_struct_hash(&line.of.receipt.receipt.receipt));
    ok = archive_packing_add_receipt(p, text, len, &key, &leaf, err);
    archive_line_clear(&line);
    return ok;
}

static bool add_all_again(struct archive_packing *p, FILE *plain, struct hash settlement_key, struct hash *digest, struct err *err)
{
    struct sha256_stream *sum = sha256_new();
    char *text = NULL;
    size_t size = 0;
    ssize_t len;
    bool ok = true;

    while (ok && (len = getline(&text, &size, plain)) > 0) {
        sha256_add(sum, text, (size_t)len);
        ok = text[len - 1] == '\n' ? add_again(p, text, (size_t)len, settlement_key, err)
                                   : err_set(err, ERR_STORE, "its last line is cut short");
    }
    *digest = sha256_finish_free(sum);
    free(text);
    return ok;
}

bool archive_repack(const char *dir, uint64_t sequence, const uint8_t secret[32], struct hash digest, struct err *err)
{
    struct hash key = seal_settlement_key(secret, sequence), found = { { 0 } };
    char path[ARCHIVE_PATH];
    struct archive_packing *p = NULL;
    FILE *plain;
    bool ok;

    archive_path(dir, sequence, ARCHIVE_PLAIN, path, sizeof path);
    plain = fopen(path, "re");
    if (plain == NULL)
        return err_set(err, ERR_NOT_FOUND, "%s is missing", path);
    ok = archive_packing_begin(dir, sequence, false, NULL, &p, err) && add_all_again(p, plain, key, &found, err)
      && (hash_eq(found, digest) || err_set(err, ERR_STORE, "it has another digest than the settlement"));
    fclose(plain);
    mem_wipe(&key, sizeof key);
    if (ok)
        return archive_packing_commit_free(p, digest, err);
    archive_packing_abandon_free(p);
    return err_prefix(err, "%s", path);
}

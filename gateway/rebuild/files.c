/* The published files of a settlement, in [archive] dir again: that is what the service serves. */
#include "gateway/rebuild/parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "gateway/audit/differs.h"
#include "gateway/audit/references.h"
#include "gateway/core/seal.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/settle/archive.h"
#include "store/archive_file.h"

#define PATH_SIZE 4096

static bool pass_by(void *self, const char *text, size_t len, struct err *err)
{
    (void)self;
    (void)text;
    (void)len;
    (void)err;
    return true;
}

static bool is_there(struct rebuilding *r, const struct chain_settlement *s)
{
    struct hash digest;
    struct err ignored = { 0 };

    return source_archive(r->own, s->event.sequence, pass_by, NULL, &digest, &ignored) && hash_eq(digest, s->event.archive);
}

struct copying { struct file_out *file; struct sha256_stream *sum; };

static bool copy_line(void *self, const char *text, size_t len, struct err *err)
{
    struct copying *c = self;

    sha256_add(c->sum, text, len);
    sha256_add(c->sum, "\n", 1);
    return file_add(c->file, text, len, err) && file_add(c->file, "\n", 1, err);
}

static bool copy(struct rebuilding *r, const struct chain_settlement *s, const char *path, struct err *err)
{
    struct copying c;
    struct hash written, read;
    bool ok;

    if (!file_begin(path, &c.file, err))
        return false;
    c.sum = sha256_new();
    ok = source_archive(r->published, s->event.sequence, copy_line, &c, &read, err);
    written = sha256_finish_free(c.sum);
    if (ok && !hash_eq(written, s->event.archive))
        ok = differs_hash(err, DIFFERS_ARCHIVE, (struct place){ s->event.sequence, "SHA-256 of the file" }, s->event.archive, written);
    if (!ok)
        file_abandon_free(c.file);
    return ok && file_commit_free(c.file, err);
}

bool rebuild_fetch(struct rebuilding *r, const struct chain_settlement *s, struct err *err)
{
    const struct committed_event *e = &s->event;
    struct archive_file *file;
    struct err ignored = { 0 };
    char path[PATH_SIZE];

    archive_path(r->config->archive_dir, e->sequence, ARCHIVE_PLAIN, path, sizeof path);
    /* The service serves the plain file, so a packed one alone is unpacked beside itself. */
    if (!(file_exists(path) && is_there(r, s)) && !copy(r, s, path, err))
        return false;
    if (!archive_file_open(r->config->archive_dir, e->sequence, e->archive, &file, &ignored))
        return archive_repack(r->config->archive_dir, e->sequence, r->config->secret, e->archive, err);
    archive_file_close(file);
    return true;
}

bool rebuild_read_line(const char *text, size_t len, const uint8_t *secret, uint64_t sequence, struct archive_line *line,
                       struct err *err)
{
    struct archive_line read = { 0 };
    bool opened = false;

    if (!archive_read_line(text, len, &read, err))
        return false;
    if (!seal_open(&read, seal_settlement_key(secret, sequence), &opened, err) || !opened) {
        archive_line_clear(&read);
        return err->code != ERR_NONE ? false
             : err_set(err, ERR_CONFIG, "the archive is sealed, and [signer] secret_file is not the one of the lost gateway");
    }
    *line = read;
    return true;
}

bool rebuild_rewards(const struct rebuilding *r, const struct chain_settlement *s, const struct reward_leaves *after, struct err *err)
{
    const struct committed_event *e = &s->event;
    struct published published = {
        .batch = {
            .chain_id = r->view.chain_id, .contract = r->view.contract, .token = r->view.token, .parent = s->parent,
            .content = { e->sequence, e->receipts_root, e->rewards_root, e->archive, e->total, e->receipts },
        },
        .before = &r->leaves, .after = after,
    };

    return rewards_write(r->config->archive_dir, &published, err);
}

static bool has_file(const struct rebuilding *r, uint64_t sequence, const char *suffix)
{
    char path[PATH_SIZE];

    archive_path(r->config->archive_dir, sequence, suffix, path, sizeof path);
    return file_exists(path);
}

static bool make_rewards(const struct rebuilding *r, const struct chain_settlement *s, struct db *db, struct err *err)
{
    struct reward_leaves leaves = { 0 };
    bool ok = store_leaves_load(db, s->event.sequence, &leaves, err) && rebuild_rewards(r, s, &leaves, err);

    reward_leaves_clear(&leaves);
    return ok;
}

static bool known_files(struct rebuilding *r, const struct chain_settlement *s, struct db *db, struct err *err)
{
    uint64_t sequence = s->event.sequence;
    struct settlement_row row;
    bool found;

    if (!store_settlement_find(db, sequence, &row, &found, err))
        return false;
    if (!found)
        return true;                           /* somebody else's, cancelled */
    if (!has_file(r, sequence, ".archive.ndjson") && !rebuild_fetch(r, s, err)
        && !(s->cancelled && err->code == ERR_NOT_FOUND))
        return false;
    return row.accounts == 0 || has_file(r, sequence, ".rewards.json") || make_rewards(r, s, db, err);
}

void rebuild_references(struct rebuilding *r)
{
    struct err err = { 0 };

    if (!references_copy(r->published, r->config->archive_dir, NULL, NULL, &err))
        fprintf(stderr, "rebuild: reference price lists, which savings statements name, were not all fetched: %s\n", err.text);
}

bool rebuild_known_files(struct rebuilding *r, struct db *db, struct err *err)
{
    for (size_t i = 0; i < r->known && i < r->view.count; i++)
        if (!known_files(r, &r->view.list[i], db, err))
            return err_prefix(err, "settlement %" PRIu64, r->view.list[i].event.sequence);
    rebuild_references(r);
    return true;
}

#include "gateway/audit/mirror.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/audit/references.h"
#include "gateway/audit/rewards.h"
#include "gateway/base/mem.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"

#define FILE_MAX ((size_t)8 * 1024 * MIB)
#define INFO_MAX (1 * MIB)

struct mirror {
    const char *dir;
    const struct chain_view *view;
    struct source *source;
    struct mirror_report *report;
    json *files, *missing;
};
typedef bool fits_fn(const struct mirror *m, const struct chain_settlement *s, const struct buf *bytes, struct hash digest, struct err *err);

static char *path_of(const struct mirror *m, const char *name)
{
    char *path;

    if (asprintf(&path, "%s/%s", m->dir, name) < 0)
        bug("no memory");
    return path;
}

static bool archive_fits(const struct mirror *m, const struct chain_settlement *s, const struct buf *bytes, struct hash digest, struct err *err)
{
    (void)m;
    (void)bytes;
    return hash_eq(digest, s->event.archive)
        || differs_hash(err, DIFFERS_ARCHIVE, (struct place){ s->event.sequence, "SHA-256 of the file" }, s->event.archive, digest);
}

/* Its leaves lead to the root on the chain; the audit looks at the rest of it. */
static bool rewards_fit(const struct mirror *m, const struct chain_settlement *s, const struct buf *bytes, struct hash digest, struct err *err)
{
    struct place at = { s->event.sequence, "leaves of the file" };
    struct totals leaves = { 0 };
    const json *tree;
    json *file;
    bool ok;

    (void)digest;
    if (!json_read(bytes->data, bytes->len, &file, err))
        return differs(err, DIFFERS_REWARDS_JSON, at, "JSON", err->text);
    tree = json_member(file, "tree");
    ok = tree != NULL && json_kind_of(tree) == JSON_KIND_ARRAY;
    for (size_t i = 0; ok && i < json_count(tree); i++) {
        struct address account;
        struct amount claimable;

        ok = json_get_address(json_member(json_at(tree, i), "account"), &account)
          && json_get_amount(json_member(json_at(tree, i), "claimable"), &claimable) && totals_add(&leaves, account, claimable, err);
    }
    ok = ok && totals_sort(&leaves, err);
    ok = ok ? hash_eq(rewards_root(&leaves, m->view->token), s->event.rewards_root)
              || differs_hash(err, DIFFERS_REWARDS_JSON, at, s->event.rewards_root, rewards_root(&leaves, m->view->token))
            : differs(err, DIFFERS_REWARDS_JSON, at, "{account, claimable} of each", "another form");
    totals_clear(&leaves);
    json_free(file);
    return ok;
}

static void list_file(struct mirror *m, const char *name, const struct buf *bytes, struct hash digest)
{
    json *row = json_new_object();

    json_put_text(row, "name", name);
    json_put_u64(row, "bytes", bytes->len);
    json_put_hash(row, "sha256", digest);
    json_add(m->files, row);
    m->report->files++;
    m->report->bytes += bytes->len;
}

/* What was mirrored before, when it still is what the chain says. */
static bool have(struct mirror *m, const struct chain_settlement *s, const char *name, const char *path, fits_fn *fits)
{
    struct err ignored = { 0 };
    struct buf bytes;
    bool ok = false;

    buf_init_max(&bytes, FILE_MAX);
    if (file_exists(path) && file_read(path, FILE_MAX, &bytes, &ignored)) {
        struct hash digest = sha256(bytes.data, bytes.len);

        ok = fits(m, s, &bytes, digest, &ignored);
        if (ok)
            list_file(m, name, &bytes, digest);
    }
    buf_clear(&bytes);
    return ok;
}

static bool fetch(struct mirror *m, const struct chain_settlement *s, const char *what, const char *name, const char *path, fits_fn *fits,
                  struct err *err)
{
    struct hash digest;
    struct buf bytes;
    bool ok = source_fetch(m->source, s->event.sequence, what, &bytes, err);

    if (!ok && err->code == ERR_NOT_FOUND && s->cancelled) {
        json_add(m->missing, json_new_text(name));
        m->report->missing++;
        buf_clear(&bytes);
        return true;                          /* nothing stands on a cancelled one */
    }
    if (ok) {
        digest = sha256(bytes.data, bytes.len);
        ok = fits(m, s, &bytes, digest, err) && file_write(path, bytes.data, bytes.len, 0644, err);
    }
    if (ok) {
        list_file(m, name, &bytes, digest);
        m->report->fetched++;
    }
    buf_clear(&bytes);
    return ok;
}

static bool mirror_file(struct mirror *m, const struct chain_settlement *s, const char *what, const char *ending, fits_fn *fits, struct err *err)
{
    char name[64], *path;
    bool ok;

    snprintf(name, sizeof name, "%" PRIu64 ".%s", s->event.sequence, ending);
    path = path_of(m, name);
    ok = have(m, s, name, path, fits) || fetch(m, s, what, name, path, fits, err);
    free(path);
    return ok;
}

/* Not bound to the chain: the contract it names is compared, the promise keys are the gateway's own word. */
static bool mirror_info(struct mirror *m, struct err *err)
{
    char *path = path_of(m, "info.json");
    struct address contract;
    struct buf bytes;
    json *info = NULL;
    bool ok = true;

    buf_init(&bytes);
    if (!source_is_folder(m->source)) {
        ok = source_document(m->source, "info", "info.json", INFO_MAX, &bytes, err) && json_read(bytes.data, bytes.len, &info, err)
          && ((json_get_address(json_member(info, "contract"), &contract) && address_eq(contract, m->view->contract))
              || err_set(err, ERR_DIFFERS, "the gateway serves another contract"))
          && file_write(path, bytes.data, bytes.len, 0644, err);
        if (ok)
            list_file(m, "info.json", &bytes, sha256(bytes.data, bytes.len));
    }
    json_free(info);
    buf_clear(&bytes);
    free(path);
    return ok;
}

static void list_reference(void *self, const char *name, const struct buf *bytes, bool fetched)
{
    struct mirror *m = self;

    list_file(m, name, bytes, sha256(bytes->data, bytes->len));
    m->report->fetched += fetched;
}

static bool write_manifest(const struct mirror *m, struct err *err)
{
    char *path = path_of(m, "manifest.json");
    json *out = json_new_object();
    struct buf text;
    bool ok;

    json_put_u64(out, "chainId", m->view->chain_id);
    json_put_address(out, "contract", m->view->contract);
    json_put_address(out, "token", m->view->token);
    json_put(out, "files", json_share(m->files));
    json_put(out, "missing", json_share(m->missing));
    buf_init(&text);
    json_write_pretty(out, &text);
    buf_add_byte(&text, '\n');
    ok = file_write(path, text.data, text.len, 0644, err);
    buf_clear(&text);
    json_free(out);
    free(path);
    return ok;
}

bool mirror_run(const char *dir, const struct chain_view *view, struct source *source, struct mirror_report *report, struct err *err)
{
    struct mirror m = { dir, view, source, report, json_new_array(), json_new_array() };
    struct err ignored = { 0 };
    bool ok;

    *report = (struct mirror_report){ 0 };
    ok = file_make_dir(dir, 0755, err) && mirror_info(&m, err);
    for (size_t i = 0; ok && i < view->count; i++)
        ok = mirror_file(&m, &view->list[i], "archive", "archive.ndjson", archive_fits, err)
          && mirror_file(&m, &view->list[i], "rewards.json", "rewards.json", rewards_fit, err);
    ok = ok && references_copy(source, dir, list_reference, &m, err);
    ok = write_manifest(&m, ok ? err : &ignored) && ok;
    json_free(m.files);
    json_free(m.missing);
    return ok;
}

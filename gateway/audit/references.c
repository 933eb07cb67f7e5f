#include "gateway/audit/references.h"

#include <inttypes.h>
#include <stdio.h>

#include "gateway/base/hex.h"
#include "gateway/lib/file.h"
#include "gateway/lib/keccak.h"

#define PINNED_MAX (1 * MIB)
#define NAME_MAX_BYTES 128
#define PATH_MAX_BYTES 4096

static void pinned_name(uint64_t version, char name[NAME_MAX_BYTES])
{
    snprintf(name, NAME_MAX_BYTES, "%" PRIu64 REFERENCE_SUFFIX, version);
}

static bool fetch_pinned(struct source *source, uint64_t version, struct buf *text, struct reference *r, struct err *err)
{
    char path[NAME_MAX_BYTES], name[NAME_MAX_BYTES];
    json *object = NULL;
    bool ok;

    snprintf(path, sizeof path, "reference-prices/%" PRIu64, version);
    pinned_name(version, name);
    if (!source_document(source, path, name, PINNED_MAX, text, err))
        return false;
    ok = json_read(text->data, text->len, &object, err) && reference_from_json(object, r, err);
    json_free(object);
    if (ok)
        return true;
    err->code = ERR_DIFFERS;
    return err_prefix(err, "reference list %" PRIu64, version);
}

bool reference_fetch(struct source *source, uint64_t version, struct reference *r, struct err *err)
{
    struct buf text;
    bool ok;

    buf_init_max(&text, PINNED_MAX);
    ok = fetch_pinned(source, version, &text, r, err);
    buf_clear(&text);
    return ok;
}

bool reference_fetch_list(struct source *source, struct hash digest, struct buf *csv, struct err *err)
{
    char text[HASH_TEXT], path[NAME_MAX_BYTES], name[NAME_MAX_BYTES];

    hash_to_text(digest, text);
    snprintf(path, sizeof path, "reference-prices/%s", text);
    snprintf(name, sizeof name, "%s.reference.csv", text);
    buf_init_max(csv, REFERENCE_CSV_MAX);
    if (!source_document(source, path, name, REFERENCE_CSV_MAX, csv, err))
        return false;
    return hash_eq(keccak256(csv->len > 0 ? csv->data : (const uint8_t *)"", csv->len), digest)
        || err_set(err, ERR_DIFFERS, "reference list %s: the Keccak-256 of its file is another", text);
}

/* -- copies -- */

struct copying { const char *dir; reference_file_fn *visit; void *self; };

static bool copy_file(const struct copying *c, const char *name, const struct buf *bytes, struct err *err)
{
    char path[PATH_MAX_BYTES];
    bool have;

    snprintf(path, sizeof path, "%s/%s", c->dir, name);
    have = file_exists(path);
    if (!have && !file_write(path, bytes->data, bytes->len, 0644, err))
        return false;
    if (c->visit != NULL)
        c->visit(c->self, name, bytes, !have);
    return true;
}

static bool copy_list(const struct copying *c, struct source *source, struct hash digest, struct err *err)
{
    char text[HASH_TEXT], name[NAME_MAX_BYTES];
    struct buf csv;
    bool ok;

    hash_to_text(digest, text);
    snprintf(name, sizeof name, "%s.reference.csv", text);
    ok = reference_fetch_list(source, digest, &csv, err) && copy_file(c, name, &csv, err);
    buf_clear(&csv);
    return ok;
}

/* *more false: there is no such version. */
static bool copy_version(const struct copying *c, struct source *source, uint64_t version, bool *more, struct err *err)
{
    char name[NAME_MAX_BYTES];
    struct reference r = { 0 };
    struct buf text;
    bool ok;

    pinned_name(version, name);
    buf_init_max(&text, PINNED_MAX);
    ok = fetch_pinned(source, version, &text, &r, err);
    *more = ok || err->code != ERR_NOT_FOUND;
    /* The list first: what is pinned never names one that is not there. */
    ok = ok ? copy_list(c, source, r.digest, err) && copy_file(c, name, &text, err) : !*more;
    reference_clear(&r);
    buf_clear(&text);
    return ok;
}

bool references_copy(struct source *source, const char *dir, reference_file_fn *visit, void *self, struct err *err)
{
    struct copying c = { dir, visit, self };
    bool more = true;

    for (uint64_t version = 1; more && version <= REFERENCE_VERSIONS_MAX; version++)
        if (!copy_version(&c, source, version, &more, err))
            return false;
    return true;
}

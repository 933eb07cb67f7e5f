#include "store/references.h"

#include <inttypes.h>

#include "gateway/core/archive.h"
#include "gateway/lib/file.h"

#define PINNED_MAX (1 * MIB)

static bool is_there(const char *dir, uint64_t version)
{
    char path[ARCHIVE_PATH];

    archive_path(dir, version, REFERENCE_SUFFIX, path, sizeof path);
    return file_exists(path);
}

uint64_t store_reference_last(const char *dir)
{
    uint64_t last = 0;

    while (last < REFERENCE_VERSIONS_MAX && is_there(dir, last + 1))
        last++;
    return last;
}

bool store_reference_read(const char *dir, uint64_t version, struct reference *r, struct err *err)
{
    char path[ARCHIVE_PATH];
    json *object;
    bool ok;

    archive_path(dir, version, REFERENCE_SUFFIX, path, sizeof path);
    if (!json_read_file(path, PINNED_MAX, &object, err))
        return false;
    ok = reference_from_json(object, r, err);
    json_free(object);
    if (!ok) {
        err->code = ERR_IO;                    /* nobody asked for anything wrong: the file is damaged */
        return err_prefix(err, "%s", path);
    }
    return true;
}

static bool write_list(const char *dir, const struct reference *r, const struct buf *csv, struct err *err)
{
    char path[ARCHIVE_PATH];

    reference_file_path(dir, r->digest, path, sizeof path);
    return file_exists(path) || file_write(path, csv->data, csv->len, 0644, err);
}

static bool write_pinned(const char *dir, const struct reference *r, struct err *err)
{
    json *object = reference_to_json(r);
    char path[ARCHIVE_PATH];
    struct buf text;
    bool ok;

    buf_init_max(&text, PINNED_MAX);
    json_write(object, &text);
    json_free(object);
    archive_path(dir, r->version, REFERENCE_SUFFIX, path, sizeof path);
    ok = text.failed ? err_set(err, ERR_LIMIT, "models: too many") : file_write(path, text.data, text.len, 0644, err);
    buf_clear(&text);
    return ok;
}

bool store_reference_keep(const char *dir, struct reference *r, const struct buf *csv, bool *same, struct err *err)
{
    struct reference before = { 0 };
    uint64_t last = store_reference_last(dir);

    if (last > 0 && !store_reference_read(dir, last, &before, err))
        return false;
    *same = last > 0 && reference_same(&before, r);
    if (*same) {
        reference_clear(r);
        *r = before;
        return true;
    }
    reference_clear(&before);
    if (last == REFERENCE_VERSIONS_MAX)
        return err_set(err, ERR_LIMIT, "%u reference lists were imported: there is no room for another", REFERENCE_VERSIONS_MAX);
    r->version = last + 1;
    /* The list first: what is pinned never names one that is not there. */
    return write_list(dir, r, csv, err) && write_pinned(dir, r, err);
}

#include "gateway/audit/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/core/members.h"
#include "gateway/core/seal.h"

struct settlement_key { uint64_t sequence; struct hash key; };
struct line_key { struct job_id job_id; struct address provider; struct hash key; bool used; };

struct audit_keys {
    const uint8_t *secret;                    /* NULL: from a file */
    struct settlement_key *settlements;       /* owned */
    struct line_key *lines;                   /* owned; by (jobId, provider), as the lines of an archive are */
    size_t settlement_count, settlement_capacity, line_count, line_capacity;
    uint64_t sequence;                        /* of the archive that is being read */
    size_t cursor;                            /* in lines: those before it stood before */
};

static bool add_settlement(struct audit_keys *k, const json *row, struct hash key, struct err *err)
{
    static const char *const names[] = { "sequence", "key" };
    uint64_t sequence;

    if (!members_known(row, names, ARRAY_LEN(names), err))
        return false;
    if (!json_get_u64(json_member(row, "sequence"), &sequence))
        return err_set(err, ERR_INVALID, "sequence: no number");
    if (k->settlement_count == k->settlement_capacity) {
        k->settlement_capacity = k->settlement_capacity == 0 ? 16 : k->settlement_capacity * 2;
        k->settlements = mem_grow(k->settlements, k->settlement_capacity, sizeof *k->settlements);
    }
    k->settlements[k->settlement_count++] = (struct settlement_key){ sequence, key };
    return true;
}

static bool add_line(struct audit_keys *k, const json *row, struct hash key, struct err *err)
{
    struct line_key line = { .key = key };

    if (!json_get_job_id(json_member(row, "jobId"), &line.job_id)
        || !json_get_address(json_member(row, "provider"), &line.provider))
        return err_set(err, ERR_INVALID, "neither {sequence, key} nor {jobId, provider, key}");
    if (k->line_count == k->line_capacity) {
        k->line_capacity = k->line_capacity == 0 ? 256 : k->line_capacity * 2;
        k->lines = mem_grow(k->lines, k->line_capacity, sizeof *k->lines);
    }
    k->lines[k->line_count++] = line;
    return true;
}

static bool add_row(struct audit_keys *k, const char *text, size_t len, struct err *err)
{
    struct hash key;
    json *row;
    bool ok;

    if (!json_read(text, len, &row, err))
        return false;
    if (!json_get_hash(json_member(row, "key"), &key))
        ok = err_set(err, ERR_INVALID, "key: missing or not 0x and 64 hex digits");
    else
        ok = json_member(row, "sequence") != NULL ? add_settlement(k, row, key, err) : add_line(k, row, key, err);
    json_free(row);
    return ok;
}

static int by_receipt(const void *a, const void *b)
{
    const struct line_key *x = a, *y = b;
    int jobs = memcmp(x->job_id.b, y->job_id.b, sizeof x->job_id.b);

    return jobs != 0 ? jobs : address_cmp(&x->provider, &y->provider);
}

bool audit_keys_read(const char *path, struct audit_keys **keys, struct err *err)
{
    struct audit_keys *k;
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0, number = 0;
    ssize_t len;
    bool ok = true;

    if (file == NULL)
        return err_set(err, ERR_CONFIG, "--keys %s: %s", path, strerror(errno));
    k = mem_new(sizeof *k);
    while (ok && (len = getline(&text, &size, file)) > 0) {
        number++;
        if (len > 1)                          /* a line of nothing stands between two answers */
            ok = add_row(k, text, (size_t)len, err) || err_prefix(err, "%s:%zu", path, number);
    }
    free(text);
    fclose(file);
    if (!ok) {
        audit_keys_free(k);
        err->code = ERR_CONFIG;
        return false;
    }
    if (k->line_count > 1)
        qsort(k->lines, k->line_count, sizeof *k->lines, by_receipt);
    *keys = k;
    return true;
}

struct audit_keys *audit_keys_of_secret(const uint8_t secret[32])
{
    struct audit_keys *k = mem_new(sizeof *k);

    k->secret = secret;
    return k;
}

void audit_keys_free(struct audit_keys *keys)
{
    if (keys == NULL)
        return;
    if (keys->settlement_count > 0)
        mem_wipe(keys->settlements, keys->settlement_count * sizeof *keys->settlements);
    if (keys->line_count > 0)
        mem_wipe(keys->lines, keys->line_count * sizeof *keys->lines);
    free(keys->settlements);
    free(keys->lines);
    free(keys);
}

static bool settlement_key(const struct audit_keys *k, uint64_t sequence, struct hash *key)
{
    if (k->secret != NULL) {
        *key = seal_settlement_key(k->secret, sequence);
        return true;
    }
    for (size_t i = 0; i < k->settlement_count; i++)
        if (k->settlements[i].sequence == sequence) {
            *key = k->settlements[i].key;
            return true;
        }
    return false;
}

/* A sealed line does not tell whose it is.  Lines and keys have the same order, so the next key mostly fits; keys between
 * are of other settlements.  Where most lines have no key, each is tried with each: fine for a party's own few. */
static bool try_keys(struct audit_keys *k, struct archive_line *line, struct err *err)
{
    for (size_t i = k->cursor; i < k->line_count; i++) {
        bool opened = false;

        if (k->lines[i].used)
            continue;
        if (!seal_open_line(line, k->lines[i].key, &opened, err))
            return false;
        if (opened) {
            k->lines[i].used = true;
            k->cursor = i + 1;
            return true;
        }
    }
    return true;
}

bool audit_keys_open(struct audit_keys *keys, uint64_t sequence, struct archive_line *line, struct err *err)
{
    struct hash key;
    bool opened;

    if (keys == NULL || line->type < ARCHIVE_SEALED_CONSUMER)
        return true;
    if (keys->sequence != sequence) {
        keys->sequence = sequence;
        keys->cursor = 0;
    }
    if (settlement_key(keys, sequence, &key)) {
        if (!seal_open(line, key, &opened, err) || opened)
            return err->code == ERR_NONE;
    }
    return line->type != ARCHIVE_SEALED || try_keys(keys, line, err);
}

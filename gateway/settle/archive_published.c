/* What earlier archives tell already, so that a line of the catalog stands in one file only. */
#include "gateway/settle/archive_used.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/core/seal.h"
#include "gateway/settle/archive.h"
#include "store/batches.h"

static const struct provider *provider_like(const struct used *u, const struct provider *p)
{
    for (size_t i = 0; i < u->providers.count; i++) {
        const struct provider *mine = u->providers.list[i];

        if (mine->since_ms == p->since_ms && address_eq(mine->address, p->address))
            return mine;
    }
    return NULL;
}

static const struct model *model_like(const struct used *u, const struct model *m)
{
    for (size_t i = 0; i < u->models.count; i++) {
        const struct model *mine = u->models.list[i];

        if (hash_eq(mine->model, m->model) && address_eq(mine->creator, m->creator))
            return mine;
    }
    return NULL;
}

static const struct consumer *consumer_like(const struct used *u, const struct consumer *c)
{
    const struct consumer *mine = catalog_consumer_revision(u->catalog, c->address, c->since_ms);

    return mine != NULL && mine->since_ms == c->since_ms ? mine : NULL;
}

/* False: the lines that name catalog rows are over. */
static bool leave_out_line(struct used *u, const struct archive_line *line)
{
    switch (line->type) {
    case ARCHIVE_BATCH:
    case ARCHIVE_EPOCH:    return true;
    case ARCHIVE_PRICE:    used_drop(&u->prices, catalog_price_version(u->catalog, line->of.price.version)); return true;
    case ARCHIVE_PROVIDER: used_drop(&u->providers, provider_like(u, &line->of.provider)); return true;
    case ARCHIVE_MODEL:    used_drop(&u->models, model_like(u, &line->of.model)); return true;
    case ARCHIVE_DELEGATION: used_drop(&u->delegations, keyring_delegation(catalog_keys(u->catalog), &line->of.delegation)); return true;
    case ARCHIVE_REVOCATION: used_drop(&u->revocations, keyring_revocation(catalog_keys(u->catalog), &line->of.revocation)); return true;
    case ARCHIVE_CONSUMER: used_drop(&u->consumers, consumer_like(u, &line->of.consumer)); return true;
    case ARCHIVE_CAPACITY: offers_drop(&u->offers, &line->of.capacity); return true;
    case ARCHIVE_QUOTE:
    case ARCHIVE_BUNDLE:
    case ARCHIVE_RECEIPT:
    case ARCHIVE_ADJUSTMENT:
    case ARCHIVE_REWARD:
    case ARCHIVE_DEBT:
    case ARCHIVE_SEALED_CONSUMER:
    case ARCHIVE_SEALED_QUOTE:
    case ARCHIVE_SEALED_BUNDLE:
    case ARCHIVE_SEALED:
    case ARCHIVE_POPULARITY: return false;
    }
    bug("archive line type %d", (int)line->type);
}

static bool leave_out_file(struct used *u, const char *path, struct hash key, struct err *err)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    ssize_t len;
    bool ok = true, more = true;

    /* An archive that was moved away only makes a line stand in two files. */
    if (file == NULL)
        return true;
    while (ok && more && (len = getline(&text, &size, file)) > 0) {
        struct archive_line line = { 0 };
        bool opened;

        ok = archive_read_line(text, (size_t)len - (text[len - 1] == '\n'), &line, err)
          && (line.type != ARCHIVE_SEALED_CONSUMER || seal_open(&line, key, &opened, err));
        if (ok)
            more = leave_out_line(u, &line);
        archive_line_clear(&line);
    }
    free(text);
    fclose(file);
    return ok || err_prefix(err, "%s", path);
}

struct earlier { uint64_t *list; size_t count; };

static bool keep_earlier(void *self, const struct settlement_row *s, struct err *err)
{
    struct earlier *e = self;

    (void)err;
    if (s->state == BATCH_CANCELLED)
        return true;                          /* what it published counts for nothing */
    e->list = mem_grow(e->list, e->count + 1, sizeof *e->list);
    e->list[e->count++] = s->sequence;
    return true;
}

bool used_leave_out_published(struct used *used, const char *dir, struct db *db, const uint8_t secret[32], uint64_t sequence,
                              struct err *err)
{
    struct earlier earlier = { 0 };
    bool ok = store_settlements(db, sequence, UINT_MAX, keep_earlier, &earlier, err);

    for (size_t i = 0; ok && i < earlier.count; i++) {
        struct hash key = seal_settlement_key(secret, earlier.list[i]);
        char path[4096];

        if (used->prices.count + used->providers.count + used->models.count + used->consumers.count + used->delegations.count
            + used->revocations.count + used->offers.announced_count == 0)
            break;
        archive_path(dir, earlier.list[i], ".archive.ndjson", path, sizeof path);
        ok = leave_out_file(used, path, key, err);
        mem_wipe(&key, sizeof key);
    }
    free(earlier.list);
    return ok;
}

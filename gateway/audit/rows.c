#include "gateway/audit/rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/base/mem.h"
#include "gateway/core/word.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/secp.h"

#define KEY 33                     /* type, then what is unique among its kind */

struct row {
    uint8_t key[KEY];
    bool tentative, fresh;         /* fresh: its lineage was not judged yet */
    struct hash content;           /* SHA-256 of the line as archive_write_line writes it */
    struct archive_line *line;     /* owned */
};
struct rows {
    const struct domain *domain;
    struct row *list;              /* owned; sorted by key */
    size_t count, capacity;
    struct catalog *catalog;       /* owned; NULL: to be built */
};

struct rows *rows_new(const struct domain *domain)
{
    struct rows *rows = mem_new(sizeof *rows);

    rows->domain = domain;
    return rows;
}

void rows_free(struct rows *rows)
{
    if (rows == NULL)
        return;
    for (size_t i = 0; i < rows->count; i++)
        free(rows->list[i].line);
    free(rows->list);
    catalog_free(rows->catalog);
    free(rows);
}

/* A price by its version, a provider's or consumer's revision by its beginning, a model by its digest: it has one verified creator. */
static void key_of(const struct archive_line *line, uint8_t key[KEY])
{
    memset(key, 0, KEY);
    key[0] = (uint8_t)line->type;
    if (line->type == ARCHIVE_PRICE) {
        be64_put(key + 1, line->of.price.version);
    } else if (line->type == ARCHIVE_PROVIDER) {
        memcpy(key + 1, line->of.provider.address.b, 20);
        be64_put(key + 21, line->of.provider.since_ms);
    } else if (line->type == ARCHIVE_CONSUMER) {
        memcpy(key + 1, line->of.consumer.address.b, 20);
        be64_put(key + 21, line->of.consumer.since_ms);
    } else {
        memcpy(key + 1, line->of.model.model.b, 32);
    }
}

static void name_row(const struct archive_line *line, char *text, size_t size)
{
    char id[HASH_TEXT];

    if (line->type == ARCHIVE_PRICE) {
        snprintf(text, size, "price version %" PRIu64, line->of.price.version);
    } else if (line->type == ARCHIVE_PROVIDER) {
        address_to_text(line->of.provider.address, id);
        snprintf(text, size, "provider %s", id);
    } else if (line->type == ARCHIVE_CONSUMER) {
        address_to_text(line->of.consumer.address, id);
        snprintf(text, size, "consumer %s", id);
    } else {
        hash_to_text(line->of.model.model, id);
        snprintf(text, size, "model %s", id);
    }
}

static struct hash content_of(const struct archive_line *line)
{
    struct buf text;
    struct hash content;

    buf_init(&text);
    archive_write_line(line, &text);
    content = sha256(text.data, text.len);
    buf_clear(&text);
    return content;
}

static bool check_model(const struct rows *rows, const struct model *m, struct place at, struct err *err)
{
    struct domain domain = *rows->domain;
    struct address signer;

    /* Which contracts may stand here the chain says: predecessors.h. */
    if (!address_is_zero(m->contract))
        domain_init(&domain, rows->domain->chain_id, m->contract);
    if (m->verified_at_ms == 0)
        return differs(err, DIFFERS_CATALOG, at, "a verified creator", "verifiedAt 0");
    if (!secp_recover(&m->signature, typed_digest(&domain, model_struct_hash(m)), &signer, err))
        return differs(err, DIFFERS_SIGNATURE, at, "the creator's signature", "one that recovers to nobody");
    if (!address_eq(signer, m->creator))
        return differs_address(err, DIFFERS_SIGNATURE, at, m->creator, signer);
    return true;
}

/* Where the key is, or belongs. */
static size_t position(const struct rows *rows, const uint8_t key[KEY])
{
    size_t low = 0, high = rows->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (memcmp(rows->list[middle].key, key, KEY) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct row *make_room(struct rows *rows, size_t at)
{
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity == 0 ? 64 : rows->capacity * 2;
        rows->list = mem_grow(rows->list, rows->capacity, sizeof *rows->list);
    }
    memmove(&rows->list[at + 1], &rows->list[at], (rows->count - at) * sizeof *rows->list);
    rows->count++;
    rows->list[at] = (struct row){ .line = mem_new(sizeof (struct archive_line)) };
    return &rows->list[at];
}

bool rows_take(struct rows *rows, const struct archive_line *line, bool tentative, uint64_t sequence, struct err *err)
{
    struct hash content = content_of(line);
    uint8_t key[KEY];
    char name[96];
    size_t at;
    struct row *row;

    key_of(line, key);
    name_row(line, name, sizeof name);
    at = position(rows, key);
    row = at < rows->count && memcmp(rows->list[at].key, key, KEY) == 0 ? &rows->list[at] : NULL;
    if (row != NULL && (tentative || hash_eq(row->content, content))) {
        row->tentative = row->tentative && tentative;
        return true;
    }
    if (row != NULL && !row->tentative)
        return differs(err, DIFFERS_CATALOG, (struct place){ sequence, name }, "what an earlier archive says", "other content");
    if (line->type == ARCHIVE_MODEL && !check_model(rows, &line->of.model, (struct place){ sequence, name }, err))
        return false;
    if (row == NULL)
        row = make_room(rows, at);
    memcpy(row->key, key, KEY);
    row->content = content;
    row->tentative = tentative;
    row->fresh = true;
    *row->line = *line;            /* rows own nothing */
    catalog_free(rows->catalog);
    rows->catalog = NULL;
    return true;
}

const struct model *rows_next_foreign(const struct rows *rows, size_t *cursor)
{
    while (*cursor < rows->count) {
        const struct row *row = &rows->list[(*cursor)++];
        const struct model *m = &row->line->of.model;

        if (row->line->type == ARCHIVE_MODEL && !row->tentative && !address_is_zero(m->contract)
            && !address_eq(m->contract, rows->domain->contract))
            return m;
    }
    return NULL;
}

static void build(struct rows *rows)
{
    rows->catalog = catalog_new();
    for (size_t i = 0; i < rows->count; i++) {
        const struct archive_line *line = rows->list[i].line;

        if (line->type == ARCHIVE_PRICE)
            catalog_add_price(rows->catalog, &line->of.price);
        else if (line->type == ARCHIVE_PROVIDER)
            catalog_add_provider(rows->catalog, &line->of.provider);
        else if (line->type == ARCHIVE_CONSUMER)
            catalog_add_consumer(rows->catalog, &line->of.consumer);
        else
            catalog_add_model(rows->catalog, &line->of.model);
    }
    catalog_seal(rows->catalog);
}

bool rows_catalog(struct rows *rows, uint64_t sequence, const struct catalog **catalog, struct err *err)
{
    if (rows->catalog == NULL)
        build(rows);
    for (size_t i = 0; i < rows->count; i++) {
        struct row *row = &rows->list[i];
        struct err why = { 0 };
        char name[96];

        if (row->fresh && !row->tentative && row->line->type == ARCHIVE_MODEL
            && !catalog_check_lineage(rows->catalog, &row->line->of.model, &why)) {
            name_row(row->line, name, sizeof name);
            return differs(err, DIFFERS_CATALOG, (struct place){ sequence, name }, "a lineage within its bounds", why.text);
        }
        row->fresh = row->fresh && row->tentative;
    }
    *catalog = rows->catalog;
    return true;
}

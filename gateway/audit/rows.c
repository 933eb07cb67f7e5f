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

/* What tells one of a pair's delegations, or revocations, from the others. */
static struct hash pair_key(struct address provider, struct address key, uint64_t from_ms, uint64_t until_ms)
{
    uint8_t bytes[56];

    memcpy(bytes, provider.b, 20);
    memcpy(bytes + 20, key.b, 20);
    be64_put(bytes + 40, from_ms);
    be64_put(bytes + 48, until_ms);
    return sha256(bytes, sizeof bytes);
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
    } else if (line->type == ARCHIVE_DELEGATION) {
        const struct delegation *d = &line->of.delegation;
        struct hash id = pair_key(d->provider, d->key, d->valid_from_ms, d->valid_until_ms);

        memcpy(key + 1, id.b, sizeof id.b);
    } else if (line->type == ARCHIVE_REVOCATION) {
        struct hash id = pair_key(line->of.revocation.provider, line->of.revocation.key, line->of.revocation.since_ms, 0);

        memcpy(key + 1, id.b, sizeof id.b);
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
    } else if (line->type == ARCHIVE_DELEGATION || line->type == ARCHIVE_REVOCATION) {
        address_to_text(line->type == ARCHIVE_DELEGATION ? line->of.delegation.key : line->of.revocation.key, id);
        snprintf(text, size, "%s of %s", line->type == ARCHIVE_DELEGATION ? "delegation" : "revocation", id);
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

/* Nobody but the wallet says where its pay goes. */
static bool check_payout(const struct rows *rows, const struct provider *p, struct place at, struct err *err)
{
    const struct payout message = { p->address, p->payout, p->payout_word.at_ms };
    struct domain domain = *rows->domain;
    struct err why = { 0 };

    if (!p->payout_word.given)
        return address_eq(p->payout, p->address)
            || differs(err, DIFFERS_SIGNATURE, at, "the wallet's signature of another payout account", "none");
    if (!address_is_zero(p->payout_word.contract))
        domain_init(&domain, rows->domain->chain_id, p->payout_word.contract);
    return payout_signed(&message, &p->payout_word.signature, &domain, &why)
        || differs(err, DIFFERS_SIGNATURE, at, "the wallet's signature of its payout account", why.text);
}

static bool check_signed(const struct rows *rows, const struct archive_line *line, struct place at, struct err *err)
{
    struct err why = { 0 };

    if (line->type == ARCHIVE_MODEL)
        return check_model(rows, &line->of.model, at, err);
    if (line->type == ARCHIVE_PROVIDER)
        return check_payout(rows, &line->of.provider, at, err);
    if (line->type == ARCHIVE_DELEGATION && !delegation_signed(&line->of.delegation, rows->domain, &why))
        return differs(err, DIFFERS_SIGNATURE, at, "the wallet's signature", why.text);
    if (line->type == ARCHIVE_REVOCATION && line->of.revocation.has_signature && !revocation_signed(&line->of.revocation, rows->domain, &why))
        return differs(err, DIFFERS_SIGNATURE, at, "the wallet's signature", why.text);
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
    if (!check_signed(rows, line, (struct place){ sequence, name }, err))
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

bool rows_next_foreign(const struct rows *rows, size_t *cursor, struct foreign_row *foreign)
{
    while (*cursor < rows->count) {
        const struct row *row = &rows->list[(*cursor)++];
        const struct archive_line *line = row->line;
        struct address contract = { { 0 } };

        if (line->type == ARCHIVE_MODEL)
            contract = line->of.model.contract;
        else if (line->type == ARCHIVE_PROVIDER)
            contract = line->of.provider.payout_word.contract;
        if (row->tentative || address_is_zero(contract) || address_eq(contract, rows->domain->contract))
            continue;
        foreign->contract = contract;
        name_row(line, foreign->name, sizeof foreign->name);
        return true;
    }
    return false;
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
        else if (line->type == ARCHIVE_DELEGATION)
            catalog_add_delegation(rows->catalog, &line->of.delegation);
        else if (line->type == ARCHIVE_REVOCATION)
            catalog_add_revocation(rows->catalog, &line->of.revocation);
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

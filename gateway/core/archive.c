/* Writing archive lines (archive.h); archive_read.c is the other half. */
#include "gateway/core/archive_members.h"

#include "gateway/core/archive_fast.h"
#include "gateway/lib/box.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const char *const archive_type_names[ARCHIVE_TYPES] = {
    [ARCHIVE_BATCH]    = "batch",
    [ARCHIVE_PRICE]    = "price",
    [ARCHIVE_PROVIDER] = "provider",
    [ARCHIVE_MODEL]    = "model",
    [ARCHIVE_CONSUMER] = "consumer",
    [ARCHIVE_CAPACITY] = "capacity",
    [ARCHIVE_QUOTE]    = "quote",
    [ARCHIVE_BUNDLE]   = "bundle",
    [ARCHIVE_RECEIPT]  = "receipt",
    [ARCHIVE_ADJUSTMENT] = "adjustment",
    [ARCHIVE_REWARD]   = "reward",
    [ARCHIVE_DEBT]     = "debt",
    [ARCHIVE_SEALED_CONSUMER] = "sealed-consumer",
    [ARCHIVE_SEALED_QUOTE] = "sealed-quote",
    [ARCHIVE_SEALED_BUNDLE] = "sealed-bundle",
    [ARCHIVE_SEALED]   = "sealed",
    [ARCHIVE_DELEGATION] = "delegation",
    [ARCHIVE_REVOCATION] = "revocation",
    [ARCHIVE_EPOCH]    = "epoch",
    [ARCHIVE_POPULARITY] = "popularity",
};

bool archive_is_row(enum archive_type type)
{
    return type == ARCHIVE_PRICE || type == ARCHIVE_PROVIDER || type == ARCHIVE_MODEL || type == ARCHIVE_CONSUMER
        || type == ARCHIVE_DELEGATION || type == ARCHIVE_REVOCATION;
}

bool archive_is_sealed(enum archive_type type)
{
    return type >= ARCHIVE_SEALED_CONSUMER && type <= ARCHIVE_SEALED;
}

static void put_batch(json *line, const struct archive_batch *b)
{
    json_put_u64(line, "chainId", b->chain_id);
    json_put_address(line, "contract", b->contract);
    json_put_address(line, "token", b->token);
    json_put_address(line, "protocolAccount", b->protocol_account);
    json_put_u64(line, "sequence", b->content.sequence);
    json_put_hash(line, "parent", b->parent);
    json_put_hash(line, "receiptsRoot", b->content.receipts_root);
    json_put_hash(line, "rewardsRoot", b->content.rewards_root);
    json_put_amount(line, "total", b->content.total);
    json_put_u64(line, "receipts", b->content.receipts);
}

/* Moves the members that another module wrote into the line, behind its type. */
static void put_members(json *line, json *owned)
{
    void *cursor = NULL;
    const json *value;
    const char *name;

    while ((name = json_next_member(owned, &cursor, &value)) != NULL)
        json_put(line, name, json_share(value));
    json_free(owned);
}

static void put_provider(json *line, const struct provider *p)
{
    json_put_address(line, "address", p->address);
    json_put_address(line, "payout", p->payout);
    json_put_u64(line, "since", p->since_ms);
    if (!p->payout_word.given)
        return;
    json_put_u64(line, "payoutAt", p->payout_word.at_ms);
    json_put_signature(line, "payoutSignature", &p->payout_word.signature);
    if (!address_is_zero(p->payout_word.contract))
        json_put_address(line, "payoutContract", p->payout_word.contract);
}

static void put_model(json *line, const struct model *m)
{
    put_members(line, model_to_json(m));
    json_put_u64(line, "verifiedAt", m->verified_at_ms);
    if (!address_is_zero(m->contract))
        json_put_address(line, "contract", m->contract);
}

static void put_consumer(json *line, const struct consumer *c)
{
    json_put_address(line, "address", c->address);
    json_put_u64(line, "since", c->since_ms);
    json_put_bool(line, "enrolled", c->enrolled);
}

static void put_capacity(json *line, const struct announcement *a)
{
    json_put_address(line, "provider", a->capacity.provider);
    json_put_hash(line, "model", a->capacity.model);
    json_put_u64(line, "unitsPerSecond", a->capacity.units_per_second);
    json_put_u64(line, "validFrom", a->capacity.valid_from_ms);
    json_put_u64(line, "validUntil", a->capacity.valid_until_ms);
    if (!a->withdrawn)
        json_put_signature(line, "signature", &a->signature);
    json_put_u64(line, "recordedAt", a->recorded_at_ms);
}

static void put_bundle(json *line, const struct archive_bundle *b)
{
    json *others = json_new_array();

    for (size_t i = 0; i < b->other_count; i++) {
        json *other = json_new_object();

        json_put_u64(other, "index", b->others[i].index);
        json_put_hash(other, "leaf", b->others[i].leaf);
        json_add(others, other);
    }
    json_put_address(line, "provider", b->bundle.provider);
    json_put_hash(line, "root", b->bundle.root);
    json_put_u64(line, "count", b->bundle.count);
    json_put_signature(line, "signature", &b->signature);
    if (!address_is_zero(b->key))
        json_put_address(line, "key", b->key);
    json_put(line, "others", others);
}

static void put_change(json *line, struct address account, struct amount before, struct amount after)
{
    json_put_address(line, "account", account);
    json_put_amount(line, "before", before);
    json_put_amount(line, "after", after);
}

static void put_base64(json *line, const char *name, const void *bytes, size_t len)
{
    struct buf text;

    buf_init(&text);
    base64_add(bytes, len, &text);
    json_put_text(line, name, buf_text(&text));
    buf_clear(&text);
}

static void put_sealed(json *line, const struct archive_sealed *s, bool of_receipt)
{
    if (of_receipt)
        json_put(line, "leaf", json_new_hash(s->leaf));
    put_base64(line, "box", s->box.data, s->box.len);
    if (s->has_wrap)
        put_base64(line, "wrap", s->wrap, sizeof s->wrap);
}

static void put_line(json *object, const struct archive_line *line)
{
    switch (line->type) {
    case ARCHIVE_BATCH:    put_batch(object, &line->of.batch); return;
    case ARCHIVE_PRICE:    put_members(object, price_to_json(&line->of.price)); return;
    case ARCHIVE_PROVIDER: put_provider(object, &line->of.provider); return;
    case ARCHIVE_MODEL:    put_model(object, &line->of.model); return;
    case ARCHIVE_DELEGATION: put_members(object, delegation_to_json(&line->of.delegation)); return;
    case ARCHIVE_REVOCATION: put_members(object, revocation_to_json(&line->of.revocation)); return;
    case ARCHIVE_CONSUMER: put_consumer(object, &line->of.consumer); return;
    case ARCHIVE_CAPACITY: put_capacity(object, &line->of.capacity); return;
    case ARCHIVE_QUOTE:    put_members(object, quote_to_json(&line->of.quote)); return;
    case ARCHIVE_BUNDLE:   put_bundle(object, &line->of.bundle); return;
    case ARCHIVE_RECEIPT:  break;             /* archive_fast.c */
    case ARCHIVE_ADJUSTMENT: put_members(object, adjustment_to_json(&line->of.adjustment)); return;
    case ARCHIVE_REWARD:   put_change(object, line->of.reward.account, line->of.reward.before, line->of.reward.after); return;
    case ARCHIVE_DEBT:     put_change(object, line->of.debt.account, line->of.debt.before, line->of.debt.after); return;
    case ARCHIVE_SEALED_CONSUMER:
    case ARCHIVE_SEALED_QUOTE:
    case ARCHIVE_SEALED_BUNDLE:
    case ARCHIVE_SEALED:   put_sealed(object, &line->of.sealed, line->type == ARCHIVE_SEALED); return;
    case ARCHIVE_EPOCH:    archive_put_epoch(object, &line->of.epoch); return;
    case ARCHIVE_POPULARITY: archive_put_popularity(object, &line->of.popularity); return;
    }
    bug("archive line type %d", (int)line->type);
}

void archive_write_line(const struct archive_line *line, struct buf *out)
{
    json *object;

    if (line->type == ARCHIVE_RECEIPT) {
        archive_fast_write(&line->of.receipt, out);
        return;
    }
    object = json_new_object();
    json_put_text(object, "type", archive_type_names[line->type]);
    put_line(object, line);
    json_write(object, out);
    buf_add_byte(out, '\n');
    json_free(object);
}

void archive_line_clear(struct archive_line *line)
{
    if (line->type == ARCHIVE_BUNDLE)
        free(line->of.bundle.others);
    if (archive_is_sealed(line->type))
        buf_clear(&line->of.sealed.box);
    if (line->type == ARCHIVE_POPULARITY)
        popularity_clear(&line->of.popularity);
    memset(line, 0, sizeof *line);
}

void archive_path(const char *dir, uint64_t sequence, const char *suffix, char *path, size_t size)
{
    snprintf(path, size, "%s/%" PRIu64 "%s", dir, sequence, suffix);
}

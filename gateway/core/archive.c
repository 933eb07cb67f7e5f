/* Writing archive lines (archive.h); archive_read.c is the other half. */
#include "gateway/core/archive_members.h"

#include "gateway/core/receipt_json.h"
#include "gateway/lib/box.h"

#include <stdlib.h>

const char *const archive_type_names[ARCHIVE_TYPES] = {
    [ARCHIVE_BATCH]    = "batch",
    [ARCHIVE_PRICE]    = "price",
    [ARCHIVE_PROVIDER] = "provider",
    [ARCHIVE_MODEL]    = "model",
    [ARCHIVE_CONSUMER] = "consumer",
    [ARCHIVE_BUNDLE]   = "bundle",
    [ARCHIVE_RECEIPT]  = "receipt",
    [ARCHIVE_ADJUSTMENT] = "adjustment",
    [ARCHIVE_REWARD]   = "reward",
    [ARCHIVE_DEBT]     = "debt",
    [ARCHIVE_SEALED_CONSUMER] = "sealed-consumer",
    [ARCHIVE_SEALED_BUNDLE] = "sealed-bundle",
    [ARCHIVE_SEALED]   = "sealed",
};

bool archive_is_row(enum archive_type type)
{
    return type == ARCHIVE_PRICE || type == ARCHIVE_PROVIDER || type == ARCHIVE_MODEL || type == ARCHIVE_CONSUMER;
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
    json_put(line, "others", others);
}

static void put_receipt(json *line, const struct archive_receipt *r)
{
    put_members(line, receipt_to_json(&r->receipt));
    if (r->has_bundle) {
        json_put_hash(line, "bundle", r->bundle_root);
        json_put_u64(line, "index", r->bundle_index);
    }
    json_put_hash(line, "salt", r->salt);
    json_put_u64(line, "acceptedAt", r->accepted_at_ms);
    json_put_u64(line, "priceVersion", r->price_version);
    json_put_amount(line, "amount", r->amount);
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
    case ARCHIVE_CONSUMER: put_consumer(object, &line->of.consumer); return;
    case ARCHIVE_BUNDLE:   put_bundle(object, &line->of.bundle); return;
    case ARCHIVE_RECEIPT:  put_receipt(object, &line->of.receipt); return;
    case ARCHIVE_ADJUSTMENT: put_members(object, adjustment_to_json(&line->of.adjustment)); return;
    case ARCHIVE_REWARD:   put_change(object, line->of.reward.account, line->of.reward.before, line->of.reward.after); return;
    case ARCHIVE_DEBT:     put_change(object, line->of.debt.account, line->of.debt.before, line->of.debt.after); return;
    case ARCHIVE_SEALED_CONSUMER:
    case ARCHIVE_SEALED_BUNDLE:
    case ARCHIVE_SEALED:   put_sealed(object, &line->of.sealed, line->type == ARCHIVE_SEALED); return;
    }
    bug("archive line type %d", (int)line->type);
}

void archive_write_line(const struct archive_line *line, struct buf *out)
{
    json *object = json_new_object();

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
    if (line->type == ARCHIVE_SEALED_CONSUMER || line->type == ARCHIVE_SEALED_BUNDLE || line->type == ARCHIVE_SEALED)
        buf_clear(&line->of.sealed.box);
    memset(line, 0, sizeof *line);
}

/* Reading archive lines (archive.h).  They come from somebody else: nothing is taken that archive.c would not write. */
#include "gateway/core/archive_members.h"

#include "gateway/core/archive_fast.h"
#include "gateway/core/members.h"
#include "gateway/core/receipt_json.h"
#include "gateway/base/mem.h"
#include "gateway/lib/box.h"

/* The named members that are there, as an object of its own, so that the module they belong to reads them. */
static json *pick(const json *line, const char *const *names, size_t count)
{
    json *picked = json_new_object();

    for (size_t i = 0; i < count; i++) {
        const json *value = json_member(line, names[i]);

        if (value != NULL)
            json_put(picked, names[i], json_share(value));
    }
    return picked;
}

static bool read_batch(const json *line, struct archive_line *out, struct err *err)
{
    struct archive_batch *b = &out->of.batch;

    return READ(json_get_u64, line, "chainId", &b->chain_id, err)
        && READ(json_get_address, line, "contract", &b->contract, err)
        && READ(json_get_address, line, "token", &b->token, err)
        && READ(json_get_address, line, "protocolAccount", &b->protocol_account, err)
        && READ(json_get_u64, line, "sequence", &b->content.sequence, err)
        && READ(json_get_hash, line, "parent", &b->parent, err)
        && READ(json_get_hash, line, "receiptsRoot", &b->content.receipts_root, err)
        && READ(json_get_hash, line, "rewardsRoot", &b->content.rewards_root, err)
        && READ(json_get_amount, line, "total", &b->content.total, err)
        && READ(json_get_u64, line, "receipts", &b->content.receipts, err);
}

static bool read_price(const json *line, struct archive_line *out, struct err *err)
{
    static const char *const posted[] = { "model", "effectiveFrom", "unit", "perMillion", "split", "market" };
    struct price_version *p = &out->of.price;
    const json *step = json_member(line, "step");
    json *content = pick(line, posted, ARRAY_LEN(posted));
    bool ok = price_from_json(content, p, err)
           && READ(json_get_u64, line, "version", &p->version, err)
           && READ(json_get_u64, line, "recordedAt", &p->recorded_at_ms, err)
           && (step == NULL || market_step_from_json(step, &p->step, err) || err_prefix(err, "step"));

    json_free(content);
    return ok && (step == NULL || p->market.window_s == 0 || err_set(err, ERR_INVALID, "step: a version that has a market is none"));
}

/* A member that may be missing, and then is zero; never zero where it stands. */
static bool read_optional_address(const json *line, const char *name, struct address *a, struct err *err)
{
    if (json_member(line, name) == NULL)
        return true;
    return READ(json_get_address, line, name, a, err) && (!address_is_zero(*a) || err_set(err, ERR_INVALID, "%s: not zero", name));
}

static bool read_payout_word(const json *line, struct payout_word *w, struct err *err)
{
    w->given = json_member(line, "payoutSignature") != NULL;
    if (!w->given)
        return (json_member(line, "payoutAt") == NULL && json_member(line, "payoutContract") == NULL)
            || err_set(err, ERR_INVALID, "payoutAt, payoutContract: only with payoutSignature");
    return READ(json_get_u64, line, "payoutAt", &w->at_ms, err)
        && READ(json_get_signature, line, "payoutSignature", &w->signature, err)
        && read_optional_address(line, "payoutContract", &w->contract, err);
}

static bool read_provider(const json *line, struct archive_line *out, struct err *err)
{
    struct provider *p = &out->of.provider;

    p->admitted = true;     /* an expelled one earns nothing, so no line stands for it */
    return READ(json_get_address, line, "address", &p->address, err)
        && READ(json_get_address, line, "payout", &p->payout, err)
        && READ(json_get_u64, line, "since", &p->since_ms, err)
        && read_payout_word(line, &p->payout_word, err);
}

static bool read_model(const json *line, struct archive_line *out, struct err *err)
{
    static const char *const posted[] = { "model", "creator", "name", "parents", "registeredAt", "signature" };
    struct model *m = &out->of.model;
    json *content = pick(line, posted, ARRAY_LEN(posted));
    bool ok = model_from_json(content, m, err) && READ(json_get_u64, line, "verifiedAt", &m->verified_at_ms, err);

    json_free(content);
    return ok && read_optional_address(line, "contract", &m->contract, err);
}

static bool read_delegation(const json *line, struct archive_line *out, struct err *err)
{
    static const char *const posted[] = { "provider", "key", "validFrom", "validUntil", "signature" };
    struct delegation *d = &out->of.delegation;
    json *content = pick(line, posted, ARRAY_LEN(posted));
    bool ok = delegation_from_json(content, d, err) && READ(json_get_u64, line, "since", &d->since_ms, err);

    json_free(content);
    return ok;
}

static bool read_revocation(const json *line, struct archive_line *out, struct err *err)
{
    struct revocation *r = &out->of.revocation;

    r->has_signature = json_member(line, "signature") != NULL;
    return READ(json_get_address, line, "provider", &r->provider, err)
        && READ(json_get_address, line, "key", &r->key, err)
        && READ(json_get_u64, line, "at", &r->at_ms, err)
        && (!r->has_signature || READ(json_get_signature, line, "signature", &r->signature, err))
        && READ(json_get_u64, line, "since", &r->since_ms, err);
}

static bool read_consumer(const json *line, struct archive_line *out, struct err *err)
{
    struct consumer *c = &out->of.consumer;

    return READ(json_get_address, line, "address", &c->address, err)
        && READ(json_get_u64, line, "since", &c->since_ms, err)
        && READ(json_get_bool, line, "enrolled", &c->enrolled, err);
}

static bool read_capacity(const json *line, struct archive_line *out, struct err *err)
{
    struct announcement *a = &out->of.capacity;
    struct capacity *c = &a->capacity;

    a->withdrawn = json_member(line, "signature") == NULL;
    return READ(json_get_address, line, "provider", &c->provider, err)
        && READ(json_get_hash, line, "model", &c->model, err)
        && READ(json_get_u64, line, "unitsPerSecond", &c->units_per_second, err)
        && READ(json_get_u64, line, "validFrom", &c->valid_from_ms, err)
        && READ(json_get_u64, line, "validUntil", &c->valid_until_ms, err)
        && (a->withdrawn || READ(json_get_signature, line, "signature", &a->signature, err))
        && READ(json_get_u64, line, "recordedAt", &a->recorded_at_ms, err);
}

static bool read_quote(const json *line, struct archive_line *out, struct err *err)
{
    return quote_from_json(line, &out->of.quote, err);
}

static bool read_others(const json *line, struct archive_bundle *b, struct err *err)
{
    static const char *const names[] = { "index", "leaf" };
    const json *others = json_member(line, "others");

    if (others == NULL || json_kind_of(others) != JSON_KIND_ARRAY)
        return err_set(err, ERR_INVALID, "others: an array of {index, leaf}");
    b->other_count = json_count(others);
    b->others = b->other_count == 0 ? NULL : mem_array(b->other_count, sizeof *b->others);
    for (size_t i = 0; i < b->other_count; i++) {
        const json *other = json_at(others, i);

        if (!members_known(other, names, ARRAY_LEN(names), err)
            || !READ(json_get_u64, other, "index", &b->others[i].index, err)
            || !READ(json_get_hash, other, "leaf", &b->others[i].leaf, err))
            return err_prefix(err, "others/%zu", i);
    }
    return true;
}

static bool read_bundle(const json *line, struct archive_line *out, struct err *err)
{
    struct archive_bundle *b = &out->of.bundle;

    return READ(json_get_address, line, "provider", &b->bundle.provider, err)
        && READ(json_get_hash, line, "root", &b->bundle.root, err)
        && READ(json_get_u64, line, "count", &b->bundle.count, err)
        && READ(json_get_signature, line, "signature", &b->signature, err)
        && read_optional_address(line, "key", &b->key, err)
        && read_others(line, b, err);
}

static bool read_signed_receipt(const json *line, struct signed_receipt *r, struct err *err)
{
    const char *names[RECEIPT_FIELDS + 2] = { [RECEIPT_FIELDS] = "signature", "consumerSignature" };
    struct faults faults = { 0 };
    bool has_job_id, ok = true;
    json *content;

    for (size_t i = 0; i < RECEIPT_FIELDS; i++)
        names[i] = receipt_fields[i].name;
    content = pick(line, names, ARRAY_LEN(names));
    receipt_from_json(content, RECEIPT_UNSIGNED, r, &has_job_id, &faults);
    if (faults.count > 0)
        ok = err_set(err, ERR_INVALID, "%s: %s", faults.list[0].pointer + 1, faults.list[0].detail);
    faults_clear(&faults);
    json_free(content);
    return ok;
}

static bool read_receipt(const json *line, struct archive_line *out, struct err *err)
{
    struct archive_receipt *r = &out->of.receipt;

    if (!read_signed_receipt(line, &r->receipt, err))
        return false;
    r->has_bundle = json_member(line, "bundle") != NULL;
    if (r->has_bundle == r->receipt.has_signature)
        return err_set(err, ERR_INVALID, "signature: either it or bundle, not both");
    if (!r->has_bundle && json_member(line, "index") != NULL)
        return err_set(err, ERR_INVALID, "index: only with bundle");
    if (!read_optional_address(line, "key", &r->key, err))
        return false;
    if (r->has_bundle && !address_is_zero(r->key))
        return err_set(err, ERR_INVALID, "key: it stands in the line of the bundle");
    if (r->has_bundle && (!READ(json_get_hash, line, "bundle", &r->bundle_root, err)
                          || !READ(json_get_u64, line, "index", &r->bundle_index, err)))
        return false;
    return READ(json_get_hash, line, "salt", &r->salt, err)
        && READ(json_get_u64, line, "acceptedAt", &r->accepted_at_ms, err)
        && READ(json_get_u64, line, "priceVersion", &r->price_version, err)
        && READ(json_get_amount, line, "amount", &r->amount, err);
}

static bool read_reward(const json *line, struct archive_line *out, struct err *err)
{
    struct archive_reward *r = &out->of.reward;

    return READ(json_get_address, line, "account", &r->account, err)
        && READ(json_get_amount, line, "before", &r->before, err)
        && READ(json_get_amount, line, "after", &r->after, err);
}

static bool read_debt(const json *line, struct archive_line *out, struct err *err)
{
    struct archive_debt *d = &out->of.debt;

    return READ(json_get_address, line, "account", &d->account, err)
        && READ(json_get_amount, line, "before", &d->before, err)
        && READ(json_get_amount, line, "after", &d->after, err);
}

static bool read_adjustment(const json *line, struct archive_line *out, struct err *err)
{
    struct adjustment *a = &out->of.adjustment;

    return adjustment_from_json(line, a, err)
        && READ(json_get_u64, line, "id", &a->id, err)
        && READ(json_get_address, line, "counterAccount", &a->counter_account, err)
        && READ(json_get_u64, line, "recordedAt", &a->recorded_at_ms, err)
        && (!address_eq(a->account, a->counter_account) || err_set(err, ERR_INVALID, "counterAccount: the account itself"));
}

static bool read_base64(const json *line, const char *name, struct buf *bytes, struct err *err)
{
    const char *text;
    size_t len;

    return (json_get_text(json_member(line, name), &text, &len) && base64_read(text, len, bytes))
        || err_set(err, ERR_INVALID, "%s: missing or no base64", name);
}

static bool read_wrap(const json *line, struct archive_sealed *s, struct err *err)
{
    struct buf wrap;
    bool ok;

    s->has_wrap = json_member(line, "wrap") != NULL;
    if (!s->has_wrap)
        return true;
    buf_init(&wrap);
    ok = read_base64(line, "wrap", &wrap, err)
      && (wrap.len == sizeof s->wrap || err_set(err, ERR_INVALID, "wrap: another length than %zu bytes", sizeof s->wrap));
    if (ok)
        memcpy(s->wrap, wrap.data, sizeof s->wrap);
    buf_clear(&wrap);
    return ok;
}

static bool read_box(const json *line, struct archive_line *out, struct err *err)
{
    buf_init(&out->of.sealed.box);
    return read_base64(line, "box", &out->of.sealed.box, err);
}

static bool read_sealed(const json *line, struct archive_line *out, struct err *err)
{
    return read_box(line, out, err) && READ(json_get_hash, line, "leaf", &out->of.sealed.leaf, err)
        && read_wrap(line, &out->of.sealed, err);
}

static bool read_epoch(const json *line, struct archive_line *out, struct err *err)
{
    return archive_read_epoch(line, &out->of.epoch, err);
}

static bool read_popularity(const json *line, struct archive_line *out, struct err *err)
{
    return archive_read_popularity(line, &out->of.popularity, err);
}

#define MEMBERS_MAX 24

static const struct line_reader {
    bool (*read)(const json *line, struct archive_line *out, struct err *err);
    const char *members[MEMBERS_MAX];     /* all there may be, after "type"; NULL ends them */
} readers[ARCHIVE_TYPES] = {
    [ARCHIVE_BATCH]    = { read_batch, { "chainId", "contract", "token", "protocolAccount", "sequence", "parent", "receiptsRoot",
                                         "rewardsRoot", "total", "receipts" } },
    [ARCHIVE_PRICE]    = { read_price, { "version", "model", "effectiveFrom", "recordedAt", "unit", "perMillion", "split",
                                         "market", "step" } },
    [ARCHIVE_PROVIDER] = { read_provider, { "address", "payout", "since", "payoutAt", "payoutSignature", "payoutContract" } },
    [ARCHIVE_MODEL]    = { read_model, { "model", "creator", "name", "parents", "registeredAt", "signature", "verifiedAt",
                                         "contract" } },
    [ARCHIVE_CONSUMER] = { read_consumer, { "address", "since", "enrolled" } },
    [ARCHIVE_CAPACITY] = { read_capacity, { "provider", "model", "unitsPerSecond", "validFrom", "validUntil", "signature",
                                            "recordedAt" } },
    [ARCHIVE_QUOTE]    = { read_quote, { "model", "provider", "consumer", "priceVersion", "validUntil", "issuedAt", "signature",
                                         "signer" } },
    [ARCHIVE_BUNDLE]   = { read_bundle, { "provider", "root", "count", "signature", "key", "others" } },
    [ARCHIVE_RECEIPT]  = { read_receipt, { "jobId", "provider", "model", "consumer", "inputTokens", "cachedTokens",
                                           "outputTokens", "units", "computeMs", "startedAt", "finishedAt", "quote", "evidence",
                                           "signature", "consumerSignature", "bundle", "index", "key", "salt", "acceptedAt",
                                           "priceVersion", "amount" } },
    [ARCHIVE_ADJUSTMENT] = { read_adjustment, { "id", "account", "counterAccount", "amount", "sign", "reason", "receipt",
                                                "recordedAt" } },
    [ARCHIVE_DEBT]     = { read_debt, { "account", "before", "after" } },
    [ARCHIVE_REWARD]   = { read_reward, { "account", "before", "after" } },
    [ARCHIVE_SEALED_CONSUMER] = { read_box, { "box" } },
    [ARCHIVE_SEALED_QUOTE] = { read_box, { "box" } },
    [ARCHIVE_SEALED_BUNDLE] = { read_box, { "box" } },
    [ARCHIVE_SEALED]   = { read_sealed, { "leaf", "box", "wrap" } },
    [ARCHIVE_DELEGATION] = { read_delegation, { "provider", "key", "validFrom", "validUntil", "signature", "since" } },
    [ARCHIVE_REVOCATION] = { read_revocation, { "provider", "key", "at", "signature", "since" } },
    [ARCHIVE_EPOCH]    = { read_epoch, { "epoch", "begins", "ends", "budget", "capBps" } },
    [ARCHIVE_POPULARITY] = { read_popularity, { "epoch", "begins", "ends", "budget", "capBps", "carriedIn", "carriedOut", "models" } },
};

static bool read_type(const json *object, enum archive_type *type, struct err *err)
{
    const char *text;
    size_t len;

    if (!json_get_text(json_member(object, "type"), &text, &len))
        return err_set(err, ERR_INVALID, "type: missing or not a string");
    for (int i = 0; i < ARCHIVE_TYPES; i++)
        if (strcmp(text, archive_type_names[i]) == 0) {
            *type = (enum archive_type)i;
            return true;
        }
    return err_set(err, ERR_INVALID, "type: none that is known");
}

static bool read_object(const json *object, struct archive_line *out, struct err *err)
{
    const char *names[MEMBERS_MAX + 1] = { "type" };
    const struct line_reader *reader;
    size_t count = 1;

    if (!read_type(object, &out->type, err))
        return false;
    reader = &readers[out->type];
    for (size_t i = 0; i < MEMBERS_MAX && reader->members[i] != NULL; i++)
        names[count++] = reader->members[i];
    if (!members_known(object, names, count, err) || !reader->read(object, out, err))
        return err_prefix(err, "%s", archive_type_names[out->type]);
    return true;
}

bool archive_read_line(const char *text, size_t len, struct archive_line *line, struct err *err)
{
    struct archive_line read = { 0 };
    json *object;
    bool ok;

    if (archive_fast_receipt(text, len, &read.of.receipt)) {
        read.type = ARCHIVE_RECEIPT;
        *line = read;
        return true;
    }
    if (!json_read(text, len, &object, err))
        return false;
    ok = read_object(object, &read, err);
    json_free(object);
    if (ok)
        *line = read;
    else
        archive_line_clear(&read);
    return ok;
}

#include "api/statement_pool.h"

#include <inttypes.h>
#include <stdlib.h>

#include "api/statement_reason.h"
#include "gateway/base/mem.h"
#include "gateway/pool/pool.h"

/* Read whole before the shares of the first are asked for. */
struct epochs { struct epoch_row *list; size_t count; };

static bool keep_epoch(void *self, const struct epoch_row *row, struct err *err)
{
    struct epochs *epochs = self;

    (void)err;
    epochs->list = mem_grow(epochs->list, epochs->count + 1, sizeof *epochs->list);
    epochs->list[epochs->count++] = *row;
    return true;
}

void pool_parts_clear(struct pool_parts *parts)
{
    free(parts->list);
    *parts = (struct pool_parts){ 0 };
}

/* What one used model's share gives the account. */
static bool add_model(const struct catalog *c, struct pool_part part, struct address account, struct pool_parts *parts, struct err *err)
{
    struct shares credits = { 0 };
    bool ok = amount_is_zero(part.used.share)
        || ledger_pay_model(c, part.used.model, part.used.share, ROLE_POPULARITY, ROLE_POPULARITY, part.terms.ends_ms, &credits, err);

    for (size_t i = 0; ok && i < credits.count; i++)
        if (address_eq(credits.list[i].account, account)) {
            part.share = credits.list[i];
            parts->list = mem_grow(parts->list, parts->count + 1, sizeof *parts->list);
            parts->list[parts->count++] = part;
        }
    shares_clear(&credits);
    return ok;
}

static bool add_epoch(const struct catalog *c, const struct popularity *p, struct address account, struct pool_parts *parts, struct err *err)
{
    struct pool_part part = { .terms = p->terms };

    if (!amount_add(p->terms.budget, p->carried_in, &part.available))
        return err_set(err, ERR_OVERFLOW, "budget and carry are over 256 bits");
    for (size_t i = 0; i < p->count; i++)
        if (!u256_add(part.scores, p->rows[i].score, &part.scores))
            return err_set(err, ERR_OVERFLOW, "the sum of all scores is over 256 bits");
    for (size_t i = 0; i < p->count; i++) {
        part.used = p->rows[i];
        if (!add_model(c, part, account, parts, err))
            return false;
    }
    return true;
}

bool pool_parts_load(struct db *db, const struct catalog *c, uint64_t batch, struct address account, struct pool_parts *parts,
                     struct err *err)
{
    struct epochs epochs = { 0 };
    bool ok = store_epochs_of_batch(db, batch, keep_epoch, &epochs, err);

    for (size_t i = 0; ok && i < epochs.count; i++) {
        struct popularity p;

        ok = pool_load(db, &epochs.list[i], &p, err);
        if (ok) {
            ok = add_epoch(c, &p, account, parts, err);
            popularity_clear(&p);
        }
    }
    free(epochs.list);
    return ok;
}

static void put_reason(const struct catalog *c, const struct pool_part *part, json *line)
{
    char available[U256_DECIMAL_MAX], score[U256_DECIMAL_MAX], scores[U256_DECIMAL_MAX], fees[U256_DECIMAL_MAX];
    struct buf reason;

    u256_to_decimal(part->available.base_units, available);
    u256_to_decimal(part->used.score, score);
    u256_to_decimal(part->scores, scores);
    u256_to_decimal(part->used.fees.base_units, fees);
    buf_init(&reason);
    buf_printf(&reason, "epoch %" PRIu64 " gave the model the less of %s x %s / %s scores and %u bps of %s fees", part->terms.epoch, available,
               score, scores, part->terms.cap_bps, fees);
    statement_lineage(c, part->used.model, part->share.model, part->terms.ends_ms, &reason);
    json_put_text(line, "reason", buf_text(&reason));
    buf_clear(&reason);
}

json *statement_pool_part(const struct statement_batch *batch, const struct catalog *c, const struct pool_part *part)
{
    json *line = json_new_object();

    json_put_u64(line, "at", part->terms.ends_ms);
    json_put_text(line, "kind", "popularity");
    json_put_u64(line, "epoch", part->terms.epoch);
    json_put_hash(line, "model", part->used.model);
    json_put_text(line, "role", role_name(ROLE_POPULARITY));
    json_put_hash(line, "paidModel", part->share.model);
    json_put_amount(line, "gross", part->used.share);
    json_put_text(line, "sign", "+");
    json_put_amount(line, "share", part->share.amount);
    put_reason(c, part, line);
    statement_put_batch(batch, line);
    return line;
}

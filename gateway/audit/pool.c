#include "gateway/audit/pool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/audit/recompute.h"
#include "gateway/base/mem.h"

#define NAME 128

void pool_audit_clear(struct pool_audit *p)
{
    for (size_t i = 0; i < p->count; i++)
        popularity_fees_clear(&p->epochs[i].fees);
    free(p->epochs);
    *p = (struct pool_audit){ 0 };
}

static struct place place_of(uint64_t sequence, uint64_t epoch, const char *what, char name[NAME])
{
    snprintf(name, NAME, "epoch %" PRIu64 "%s%s", epoch, *what != '\0' ? ", " : "", what);
    return (struct place){ sequence, name };
}

/* -- announcing -- */

static bool known_before(const struct pool_audit *p, const struct popularity_terms *terms, uint64_t sequence, struct err *err)
{
    char name[NAME];

    for (size_t i = 0; i < p->count; i++)
        if (p->epochs[i].terms.epoch == terms->epoch)
            return popularity_terms_same(&p->epochs[i].terms, terms)
                || differs(err, DIFFERS_POPULARITY, place_of(sequence, terms->epoch, "terms", name), "what an earlier archive says",
                           "other terms");
    return true;                              /* booked: a batch that was carried may name it again */
}

bool pool_audit_announce(struct pool_audit *p, const struct popularity_terms *terms, uint64_t sequence, struct err *err)
{
    char name[NAME];

    if (terms->epoch <= p->last)
        return known_before(p, terms, sequence, err);
    if (terms->epoch != p->last + 1)
        return differs_u64(err, DIFFERS_POPULARITY, place_of(sequence, terms->epoch, "number", name), p->last + 1, terms->epoch);
    if (terms->begins_ms < p->last_ends_ms)
        return differs_u64(err, DIFFERS_POPULARITY, place_of(sequence, terms->epoch, "begin", name), p->last_ends_ms, terms->begins_ms);
    /* Else terms could be made up once it is known who used what. */
    if (terms->begins_ms <= p->newest_accepted_ms)
        return differs(err, DIFFERS_POPULARITY, place_of(sequence, terms->epoch, "", name), "to be announced with its first jobs",
                       "jobs of it in an earlier archive");
    p->epochs = mem_grow(p->epochs, p->count + 1, sizeof *p->epochs);
    p->epochs[p->count++] = (struct pool_epoch){ .terms = *terms };
    p->last = terms->epoch;
    p->last_ends_ms = terms->ends_ms;
    return true;
}

/* -- jobs -- */

static struct pool_epoch *epoch_of(const struct pool_audit *p, uint64_t at_ms)
{
    for (size_t i = p->count; i-- > 0;)
        if (p->epochs[i].terms.begins_ms <= at_ms && at_ms < p->epochs[i].terms.ends_ms)
            return &p->epochs[i];
    return NULL;
}

bool pool_audit_job(struct pool_audit *p, const struct catalog *c, const struct archive_receipt *r, const struct price_version *price,
                    uint64_t sequence, struct err *err)
{
    struct share charge = ledger_charge(c, &r->receipt, r->amount, r->accepted_at_ms);
    struct popularity_fee fee = { charge.model, charge.account, popularity_fee_of(price, r->amount) };
    struct pool_epoch *epoch;
    char name[RECEIPT_NAME];

    if (p->newest_accepted_ms < r->accepted_at_ms)
        p->newest_accepted_ms = r->accepted_at_ms;
    if (charge.role != ROLE_CONSUMER || amount_is_zero(fee.fees))
        return true;
    epoch = epoch_of(p, r->accepted_at_ms);
    if (epoch != NULL)
        return popularity_fees_add(&epoch->fees, &fee, err);
    if (r->accepted_at_ms >= p->booked_ends_ms)
        return true;                          /* the pool was off */
    receipt_name(&r->receipt.receipt, name);
    return differs(err, DIFFERS_POPULARITY, (struct place){ sequence, name }, "a job of an epoch that is not booked yet",
                   "one that came after the booking");
}

/* -- booking -- */

static bool check_row(const struct popularity_row *want, const struct popularity_row *got, uint64_t epoch, uint64_t sequence, struct err *err)
{
    char digest[HASH_TEXT], what[HASH_TEXT + 24], name[NAME];

    hash_to_text(want->model, digest);
    if (!hash_eq(want->model, got->model))
        return differs_hash(err, DIFFERS_POPULARITY, place_of(sequence, epoch, "next model", name), want->model, got->model);
    snprintf(what, sizeof what, "score of %s", digest);
    if (u256_cmp(want->score, got->score) != 0)
        return differs_amount(err, DIFFERS_POPULARITY, place_of(sequence, epoch, what, name), (struct amount){ want->score },
                              (struct amount){ got->score });
    snprintf(what, sizeof what, "fees of %s", digest);
    if (amount_cmp(want->fees, got->fees) != 0)
        return differs_amount(err, DIFFERS_POPULARITY, place_of(sequence, epoch, what, name), want->fees, got->fees);
    snprintf(what, sizeof what, "share of %s", digest);
    return amount_cmp(want->share, got->share) == 0
        || differs_amount(err, DIFFERS_POPULARITY, place_of(sequence, epoch, what, name), want->share, got->share);
}

static bool check_line(const struct pool_audit *p, const struct popularity *want, const struct popularity *line, uint64_t sequence,
                       struct err *err)
{
    uint64_t epoch = line->terms.epoch;
    char name[NAME];

    if (amount_cmp(p->carried, line->carried_in) != 0)
        return differs_amount(err, DIFFERS_POPULARITY, place_of(sequence, epoch, "carriedIn", name), p->carried, line->carried_in);
    if (want->count != line->count)
        return differs_u64(err, DIFFERS_POPULARITY, place_of(sequence, epoch, "models", name), want->count, line->count);
    for (size_t i = 0; i < want->count; i++)
        if (!check_row(&want->rows[i], &line->rows[i], epoch, sequence, err))
            return false;
    return amount_cmp(want->carried_out, line->carried_out) == 0
        || differs_amount(err, DIFFERS_POPULARITY, place_of(sequence, epoch, "carriedOut", name), want->carried_out, line->carried_out);
}

/* What it should have come to: from fees, or where those are not known from the line's own scores and fees. */
static bool recompute(const struct pool_audit *p, struct pool_epoch *epoch, const struct popularity *line, struct popularity *want,
                      struct err *err)
{
    want->terms = epoch->terms;
    want->carried_in = p->carried;
    if (!p->blind)
        return popularity_fees_sort(&epoch->fees, err) && popularity_score(&epoch->fees, want, err) && popularity_share(want, err);
    want->rows = mem_array(line->count + 1, sizeof *want->rows);
    want->count = line->count;
    memcpy(want->rows, line->rows, line->count * sizeof *want->rows);
    return popularity_share(want, err);
}

static bool pay(const struct catalog *c, const struct popularity *line, uint64_t sequence, struct totals *credits, struct err *err)
{
    struct shares shares = { 0 };
    char name[NAME];
    bool ok = popularity_credits(c, line, &shares, err)
           || differs(err, DIFFERS_SPLIT, place_of(sequence, line->terms.epoch, "", name), "shares through the lineages", err->text);

    for (size_t i = 0; ok && i < shares.count; i++)
        ok = totals_add(credits, shares.list[i].account, shares.list[i].amount, err);
    shares_clear(&shares);
    return ok;
}

static void drop_first(struct pool_audit *p, const struct popularity *line)
{
    p->booked_ends_ms = line->terms.ends_ms;
    p->carried = line->carried_out;
    popularity_fees_clear(&p->epochs[0].fees);
    memmove(p->epochs, p->epochs + 1, --p->count * sizeof *p->epochs);
}

bool pool_audit_book(struct pool_audit *p, const struct catalog *c, const struct popularity *line, uint64_t sequence,
                     struct totals *credits, struct err *err)
{
    struct popularity want = { 0 };
    char name[NAME];
    bool ok;

    if (p->count == 0 || p->epochs[0].terms.epoch != line->terms.epoch)
        return differs(err, DIFFERS_POPULARITY, place_of(sequence, line->terms.epoch, "", name), "the first epoch that is announced and not booked",
                       "another one");
    if (!popularity_terms_same(&p->epochs[0].terms, &line->terms))
        return differs(err, DIFFERS_POPULARITY, place_of(sequence, line->terms.epoch, "terms", name), "what was announced", "other terms");
    if (credits != NULL) {
        ok = recompute(p, &p->epochs[0], line, &want, err) && check_line(p, &want, line, sequence, err)
          && pay(c, line, sequence, credits, err);
        popularity_clear(&want);
        if (!ok)
            return false;
    }
    drop_first(p, line);
    return true;
}

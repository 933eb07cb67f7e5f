/* The popularity pool of a settlement that is made again: its epochs, their fees from the receipts, and those booked in it. */
#include "gateway/rebuild/parts.h"

#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/base/mem.h"
#include "gateway/pool/pool.h"

static bool contradicts(struct filling *f, struct err *err)
{
    return differs(err, DIFFERS_POPULARITY, (struct place){ f->s->event.sequence, "an epoch" }, "what the store holds of it", "another");
}

bool pool_announce(struct filling *f, struct err *err)
{
    for (size_t i = 0; i < f->g->epoch_count; i++) {
        const struct popularity_terms *terms = &f->g->epochs[i];
        struct epoch_row row;
        bool found;

        if (!store_epoch_find(f->db, terms->epoch, &row, &found, err))
            return false;
        if (found && !popularity_terms_same(&row.terms, terms))
            return contradicts(f, err);
        if (!found && !store_epoch_add(f->db, terms, err))
            return false;
    }
    return true;
}

bool pool_count(struct filling *f, uint64_t batch, const struct receipt_row *row, const struct price_version *price, struct err *err)
{
    struct popularity_fee fee = { row->signed_.receipt.model, row->charged, popularity_fee_of(price, row->amount) };
    struct epoch_row epoch;
    bool found;

    if (!row->has_charged || amount_is_zero(fee.fees))
        return true;
    if (!store_epoch_of_time(f->db, row->accepted_at_ms, &epoch, &found, err))
        return false;
    /* Of one that is booked nothing more is summed. */
    return !found || epoch.batch != 0 || store_pool_fee_add(f->db, epoch.terms.epoch, batch, &fee, err);
}

static bool is_booked_here(const struct filling *f, uint64_t epoch)
{
    for (size_t i = 0; i < f->g->booked_count; i++)
        if (f->g->booked[i].terms.epoch == epoch)
            return true;
    return false;
}

static bool same_shares(const struct popularity *a, const struct popularity *b)
{
    if (a->count != b->count || amount_cmp(a->carried_in, b->carried_in) != 0 || amount_cmp(a->carried_out, b->carried_out) != 0)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!hash_eq(a->rows[i].model, b->rows[i].model) || u256_cmp(a->rows[i].score, b->rows[i].score) != 0
            || amount_cmp(a->rows[i].fees, b->rows[i].fees) != 0 || amount_cmp(a->rows[i].share, b->rows[i].share) != 0)
            return false;
    return true;
}

/* The backup has booked it too, perhaps into another batch. */
static bool take_over(struct filling *f, const struct epoch_row *row, const struct popularity *p, struct err *err)
{
    struct popularity kept;
    bool same;

    if (!pool_load(f->db, row, &kept, err))
        return false;
    same = same_shares(&kept, p);
    popularity_clear(&kept);
    if (!same)
        return contradicts(f, err);
    if (row->batch != f->batch)
        receipts_moved(f, row->batch);
    return store_epoch_move(f->db, row->terms.epoch, f->batch, err);
}

/* What nobody audited is computed again from the receipts that the store holds by now. */
static bool judge(struct filling *f, const struct popularity *p, struct err *err)
{
    struct popularity want = { 0 };
    bool ok;

    if (!f->g->judged)
        return true;
    ok = pool_compute(f->db, &p->terms, &want, err) && (same_shares(&want, p) || contradicts(f, err));
    popularity_clear(&want);
    return ok;
}

static bool book(struct filling *f, const struct popularity *p, struct err *err)
{
    struct epoch_row row;
    bool found;

    if (!store_epoch_find(f->db, p->terms.epoch, &row, &found, err))
        return false;
    if (!found || !popularity_terms_same(&row.terms, &p->terms))
        return contradicts(f, err);
    if (!(row.batch != 0 ? take_over(f, &row, p, err)
                         : judge(f, p, err) && store_epoch_booked(f->db, p, f->batch, err) && store_pool_fees_drop(f->db, p->terms.epoch, err)))
        return false;
    return pool_post(f->db, f->catalog, p, f->batch, &f->amount, err);
}

/* Epochs that the backup booked into this batch, and the chain's history did not. */
struct strays { const struct filling *f; uint64_t *list; size_t count; };

static bool note_stray(void *self, const struct epoch_row *row, struct err *err)
{
    struct strays *s = self;

    (void)err;
    if (is_booked_here(s->f, row->terms.epoch))
        return true;
    s->list = mem_grow(s->list, s->count + 1, sizeof *s->list);
    s->list[s->count++] = row->terms.epoch;
    return true;
}

static bool move_strays_on(struct filling *f, struct err *err)
{
    struct strays s = { .f = f };
    struct batch_row open;
    bool ok = store_epochs_of_batch(f->db, f->batch, note_stray, &s, err) && store_batch_open(f->db, &open, err);

    for (size_t i = 0; ok && i < s.count; i++)
        ok = store_epoch_move(f->db, s.list[i], open.number, err);
    if (ok && s.count > 0)
        receipts_moved(f, open.number);
    free(s.list);
    return ok;
}

bool pool_fill(struct filling *f, struct err *err)
{
    for (size_t i = 0; i < f->g->booked_count; i++)
        if (!book(f, &f->g->booked[i], err))
            return false;
    return move_strays_on(f, err);
}

struct rebooking { struct filling *f; uint64_t batch; struct amount *amount; };

static bool post_again(void *self, const struct epoch_row *row, struct err *err)
{
    const struct rebooking *b = self;
    struct popularity p;
    bool ok;

    if (!pool_load(b->f->db, row, &p, err))
        return false;
    ok = pool_post(b->f->db, b->f->catalog, &p, b->batch, b->amount, err);
    popularity_clear(&p);
    return ok;
}

bool pool_rebook(struct filling *f, uint64_t batch, struct amount *amount, struct err *err)
{
    return store_epochs_of_batch(f->db, batch, post_again, &(struct rebooking){ f, batch, amount }, err);
}

/* The corrections of one settlement: as its archive says, wherever the store had them, with their postings. */
#include "gateway/rebuild/parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/base/mem.h"
#include "store/adjustments.h"

static bool same_content(const struct adjustment *a, const struct adjustment *b)
{
    return address_eq(a->account, b->account) && address_eq(a->counter_account, b->counter_account) && a->up == b->up
        && amount_cmp(a->amount, b->amount) == 0 && strcmp(a->reason, b->reason) == 0 && a->has_receipt == b->has_receipt
        && (!a->has_receipt || hash_eq(a->receipt, b->receipt)) && a->recorded_at_ms == b->recorded_at_ms;
}

/* One that the store has already comes out of the batch it was in, while nobody is paid by that. */
static bool move_here(struct filling *f, const struct adjustment *old, struct err *err)
{
    return old->batch == f->batch
        || (rebuild_take_from(f, old->batch, DIFFERS_ADJUSTMENT, "one made before", err)
            && store_adjustment_rebatch(f->db, old->id, f->batch, err));
}

static bool put(struct filling *f, const struct adjustment *line, struct err *err)
{
    struct adjustment a = *line, old;
    bool found;

    a.batch = f->batch;
    if (!store_adjustment_find(f->db, a.id, &old, &found, err))
        return false;
    if (!found)
        return store_adjustment_add(f->db, &a, err);
    if (!same_content(&a, &old))
        return err_set(err, ERR_DIFFERS, "settlement %" PRIu64 ": adjustment %" PRIu64 " is another in the store: rebuild a new one",
                       f->s->event.sequence, a.id);
    return move_here(f, &old, err) && store_adjustment_post(f->db, &a, err);
}

struct strays { const struct gathered *g; uint64_t *ids; size_t count; };

static bool note_stray(void *self, const struct adjustment *a, struct err *err)
{
    struct strays *s = self;

    (void)err;
    for (size_t i = 0; s->g != NULL && i < s->g->adjustment_count; i++)
        if (s->g->adjustments[i].id == a->id)
            return true;
    s->ids = mem_grow(s->ids, s->count + 1, sizeof *s->ids);
    s->ids[s->count++] = a->id;
    return true;
}

/* What this batch has and the archive does not list goes on into the open one. */
bool corrections_move_on(struct filling *f, uint64_t from, uint64_t to, struct err *err)
{
    struct strays s = { .g = from == f->batch ? f->g : NULL };
    bool ok = store_adjustments_of_batch(f->db, from, note_stray, &s, err);

    for (size_t i = 0; ok && i < s.count; i++)
        ok = store_adjustment_rebatch(f->db, s.ids[i], to, err);
    if (s.count > 0)
        receipts_moved(f, to);
    free(s.ids);
    return ok;
}

bool corrections_fill(struct filling *f, struct err *err)
{
    struct batch_row open;

    for (size_t i = 0; i < f->g->adjustment_count; i++)
        if (!put(f, &f->g->adjustments[i], err))
            return false;
    return store_batch_open(f->db, &open, err) && corrections_move_on(f, f->batch, open.number, err);
}

struct adjustment_list { struct adjustment *list; size_t count; };

static bool keep(void *self, const struct adjustment *a, struct err *err)
{
    struct adjustment_list *kept = self;

    (void)err;
    kept->list = mem_grow(kept->list, kept->count + 1, sizeof *kept->list);
    kept->list[kept->count++] = *a;
    return true;
}

bool corrections_rebook(struct filling *f, uint64_t batch, struct err *err)
{
    struct adjustment_list kept = { 0 };
    bool ok = store_adjustments_of_batch(f->db, batch, keep, &kept, err);

    for (size_t i = 0; ok && i < kept.count; i++)
        ok = store_adjustment_post(f->db, &kept.list[i], err);
    free(kept.list);
    return ok;
}

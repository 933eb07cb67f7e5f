/* Receipts of the settlement's batch that its archive does not list: taken in while the chain was away, or left behind by a
 * history with other batches.  They go on into the open batch as they are, with their promises.  There are none as a rule. */
#include "gateway/rebuild/parts.h"

#include <stdlib.h>

#include "gateway/base/mem.h"

struct key { struct job_id job; struct address provider; };
struct keys { struct key *list; size_t count, capacity; };
struct search { const struct filling *f; struct keys listed, strays; };

static int key_order(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int jobs = memcmp(x->job.b, y->job.b, sizeof x->job.b);

    return jobs != 0 ? jobs : address_cmp(&x->provider, &y->provider);
}

static void add_key(struct keys *keys, const struct receipt *r)
{
    if (keys->count == keys->capacity) {
        keys->capacity = keys->capacity == 0 ? 256 : keys->capacity * 2;
        keys->list = mem_grow(keys->list, keys->capacity, sizeof *keys->list);
    }
    keys->list[keys->count++] = (struct key){ r->job_id, r->provider };
}

/* Archives list receipts in the order of the keys. */
static bool list_line(void *self, const char *text, size_t len, struct err *err)
{
    struct search *s = self;
    struct archive_line line = { 0 };

    if (!rebuild_read_line(text, len, s->f->r->config->secret, s->f->s->event.sequence, &line, err))
        return false;
    if (line.type == ARCHIVE_RECEIPT)
        add_key(&s->listed, &line.of.receipt.receipt.receipt);
    archive_line_clear(&line);
    return true;
}

static bool note_stray(void *self, const struct receipt_row *row, struct err *err)
{
    struct search *s = self;
    struct key key = { row->signed_.receipt.job_id, row->signed_.receipt.provider };

    (void)err;
    if (s->listed.count == 0 || bsearch(&key, s->listed.list, s->listed.count, sizeof key, key_order) == NULL)
        add_key(&s->strays, &row->signed_.receipt);
    return true;
}

static bool move_one(struct filling *f, const struct key *key, uint64_t to, struct err *err)
{
    struct receipt_row row;
    bool found;

    if (!store_receipt_find(f->db, key->job, key->provider, &row, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_BUG, "a receipt that was just read is missing");
    if (!store_receipt_delete(f->db, &row, err))
        return false;
    row.batch = to;
    return store_receipt_insert(f->db, &row, err);
}

static bool move_all(struct filling *f, const struct keys *strays, struct err *err)
{
    struct batch_row open;

    if (!store_batch_open(f->db, &open, err))
        return false;
    for (size_t i = 0; i < strays->count; i++)
        if (!move_one(f, &strays->list[i], open.number, err))
            return false;
    receipts_moved(f, open.number);
    return true;
}

bool strays_move_on(struct filling *f, struct err *err)
{
    struct search s = { .f = f };
    struct hash digest;
    bool ok;

    if (f->here == f->held)
        return true;
    ok = source_archive(f->r->own, f->s->event.sequence, list_line, &s, &digest, err)
      && store_receipts_of_batch(f->db, f->batch, note_stray, &s, err)
      && move_all(f, &s.strays, err);
    free(s.listed.list);
    free(s.strays.list);
    return ok;
}

/* Accepted receipts become pages (store/pages.h): those of a bundle or an array at the end of its task, packed by the pool's threads
 * before; those of all smaller submissions of a group together, at its end.
 *
 * Receipts of a page share their batch and their price, so as many pages are made as there are of these.  What waits for the end of the
 * group has no row yet: who asks the store for one of its jobs has it written first.  Nor can it be taken back by itself, so nothing
 * waits in a group with savepoints: there, and where they would make no page, they are rows. */
#include "gateway/intake/inside.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

#define OPEN_PAGES 8u                         /* at once; then all are written */

/* Borrowed: both live until their submission is done. */
struct slot { struct intake_item *item; const struct hash *leaf; };

/* What one page will hold, in order. */
struct open_page {
    uint64_t batch, price_version;
    struct slot *slots;                       /* owned, as are the next two */
    struct amount *amounts;
    struct signature *signatures;             /* NULL: a bundle's */
    size_t count, capacity;
};

struct paging {
    struct job_set jobs;                      /* of all that waits for the end of the group */
    struct open_page open[OPEN_PAGES];
    size_t open_count;
};

bool paging_is_small(const struct submission *s)
{
    return !s->is_bundle && s->count < JOBS_LEAST;
}

/* A page's number is a question.  Where the database is far away, the rows of all arrays of a group go without one. */
static bool is_worth_it(const struct run *run)
{
    return run->s->is_bundle ? run->bundle_good : run->s->count >= PAGE_FRAME || !db_is_shared(run->group->db);
}

static struct paging *of_group(struct intake *intake)
{
    if (intake->gathered.paging == NULL)
        intake->gathered.paging = mem_new(sizeof *intake->gathered.paging);
    return intake->gathered.paging;
}

void paging_begin(struct run *run)
{
    const struct work *work = run->s->work;

    if (work->content.frames > 0 && work->jobs != NULL && run->intake->other == NULL && is_worth_it(run))
        run->paging = mem_new(sizeof *run->paging);
    else if (paging_is_small(run->s) && foresee_paging(run->intake, run->group))
        run->paging = of_group(run->intake);
}

/* -- writing -- */

static bool in_bundle(const struct run *run)
{
    return run->s != NULL && run->s->is_bundle;
}

static size_t index_of(const struct run *run, const struct slot *slot)
{
    return (size_t)(slot->item - run->s->items);
}

static void pack_again(const struct open_page *o, struct page_content *content)
{
    uint8_t fields[PAGE_FRAME * RECEIPT_PACKED];

    page_content_init(content, o->count);
    for (size_t frame = 0; frame < content->frames; frame++) {
        size_t from = frame * PAGE_FRAME, count = o->count - from < PAGE_FRAME ? o->count - from : PAGE_FRAME;

        for (size_t i = 0; i < count; i++)
            receipt_pack(&o->slots[from + i].item->signed_.receipt, fields + i * RECEIPT_PACKED);
        page_pack_frame(content, frame, fields, count);
    }
}

static bool write_rows(struct run *run, const struct open_page *o, struct err *err)
{
    for (size_t i = 0; i < o->count; i++) {
        struct intake_item *item = o->slots[i].item;
        struct receipt_row row = {
            .signed_ = item->signed_, .hash = item->hash, .state = RECEIPT_ACCEPTED, .code = CODE_ACCEPTED,
            .received_at_ms = run->group->clock_ms, .accepted_at_ms = run->group->now_ms, .batch = o->batch,
            .price_version = o->price_version, .amount = o->amounts[i],
        };

        if (in_bundle(run) && !bundle_refer(run, index_of(run, &o->slots[i]), &row, err))
            return false;
        book_promise(run->intake, &row, *o->slots[i].leaf);
        accept_show(item, &row);
        if (!store_receipt_insert(run->group->db, &row, err))
            return false;
    }
    return true;
}

/* All of a submission, in its order: the pool's threads have packed that. */
static const struct page_content *packed_before(const struct run *run, const struct open_page *o)
{
    const struct work *work = run->s != NULL ? run->s->work : NULL;

    return work != NULL && o->count == run->s->count && work->content.frame[0].len > 0 ? &work->content : NULL;
}

static bool insert_page(struct run *run, const struct open_page *o, struct page *page, struct err *err)
{
    const struct page_content *whole = packed_before(run, o);
    struct page_content content = { 0 };
    bool ok;

    for (size_t i = 0; whole == NULL && in_bundle(run) && i < o->count; i++)
        page_index_add(page, index_of(run, &o->slots[i]));
    if (whole == NULL)
        pack_again(o, &content);
    ok = (!page->indexes.failed || err_set(err, ERR_LIMIT, "a page of %zu receipts", o->count))
      && store_page_insert(run->group->db, page, whole != NULL ? whole : &content, o->amounts, o->signatures, err);
    page_content_clear(&content);
    return ok;
}

/* What accept_show says of a row, of one that is not made. */
static void show_paged(const struct gathered *g, struct intake_item *item, struct amount amount)
{
    item->has_amount = true;
    item->amount = amount;
    item->has_promise = true;
    item->promise = g->number;
    item->promise_index = g->leaf_count;
}

static bool insert_keys(struct run *run, const struct open_page *o, uint64_t page, struct err *err)
{
    struct paged_key keys[PAGE_FRAME];

    for (size_t from = 0, count; from < o->count; from += count) {
        count = o->count - from < PAGE_FRAME ? o->count - from : PAGE_FRAME;
        for (size_t i = 0; i < count; i++) {
            const struct slot *slot = &o->slots[from + i];
            const struct receipt *r = &slot->item->signed_.receipt;

            keys[i] = (struct paged_key){ r->job_id, r->provider };
            show_paged(&run->intake->gathered, slot->item, o->amounts[from + i]);
            gather_leaf(run->intake, slot->item->hash, *slot->leaf);
        }
        if (!store_receipts_insert_paged(run->group->db, page, from, keys, count, in_bundle(run), err))
            return false;
    }
    return true;
}

static bool write_page(struct run *run, const struct open_page *o, struct err *err)
{
    struct page page = {
        .batch = o->batch, .bundle = run->bundle, .count = o->count, .received_at_ms = run->group->clock_ms,
        .accepted_at_ms = run->group->now_ms, .price_version = o->price_version,
        .promise = run->intake->gathered.number, .promise_first = run->intake->gathered.leaf_count,
    };
    bool ok;

    buf_init(&page.indexes);
    buf_init(&page.gone);
    ok = insert_page(run, o, &page, err) && insert_keys(run, o, page.id, err);
    page_clear(&page);
    return ok;
}

static void close_pages(struct paging *p)
{
    for (size_t i = 0; i < p->open_count; i++) {
        free(p->open[i].slots);
        free(p->open[i].amounts);
        free(p->open[i].signatures);
        p->open[i] = (struct open_page){ 0 };
    }
    p->open_count = 0;
    job_set_clear(&p->jobs);
}

static bool write_all(struct run *run, struct paging *p, struct err *err)
{
    bool ok = true;

    for (size_t i = 0; ok && i < p->open_count; i++)
        ok = p->open[i].count < PAGE_LEAST ? write_rows(run, &p->open[i], err) : write_page(run, &p->open[i], err);
    close_pages(p);
    return ok;
}

static bool is_own(const struct run *run)
{
    return run->paging != NULL && run->paging != run->intake->gathered.paging;
}

bool paging_end(struct run *run, struct err *err)
{
    return !is_own(run) || write_all(run, run->paging, err);
}

bool paging_write(struct intake *intake, struct group *group, struct err *err)
{
    struct run run = { .intake = intake, .group = group };      /* of no submission */

    return intake->gathered.paging == NULL || write_all(&run, intake->gathered.paging, err);
}

/* -- collecting -- */

static struct open_page *page_for(struct run *run, const struct receipt_row *row, struct err *err)
{
    struct paging *p = run->paging;
    struct open_page *o;

    for (size_t i = 0; i < p->open_count; i++)
        if (p->open[i].batch == row->batch && p->open[i].price_version == row->price_version)
            return &p->open[i];
    if (p->open_count == OPEN_PAGES && !(is_own(run) ? paging_end(run, err) : paging_write(run->intake, run->group, err)))
        return NULL;
    o = &p->open[p->open_count++];
    *o = (struct open_page){ .batch = row->batch, .price_version = row->price_version };
    return o;
}

static void make_room(const struct run *run, struct open_page *o)
{
    if (o->count < o->capacity)
        return;
    o->capacity = o->capacity > 0 ? 2 * o->capacity : is_own(run) ? run->s->count : PAGE_FRAME;
    o->slots = mem_grow(o->slots, o->capacity, sizeof *o->slots);
    o->amounts = mem_grow(o->amounts, o->capacity, sizeof *o->amounts);
    if (!in_bundle(run))
        o->signatures = mem_grow(o->signatures, o->capacity, sizeof *o->signatures);
}

bool paging_add(struct run *run, size_t index, const struct receipt_row *row, struct err *err)
{
    const struct work *work = run->s->work;
    struct open_page *o = page_for(run, row, err);

    if (o == NULL)
        return false;
    make_room(run, o);
    o->slots[o->count] = (struct slot){ &run->s->items[index], &work->leaves[index] };
    if (o->signatures != NULL)
        o->signatures[o->count] = row->signed_.signature;
    o->amounts[o->count++] = row->amount;
    if (!is_own(run))
        job_set_add(&run->paging->jobs, row->signed_.receipt.job_id);
    return true;
}

bool paging_holds(const struct intake *intake, const struct job_id *jobs, size_t count)
{
    const struct paging *p = intake->gathered.paging;
    bool any = false;

    for (size_t i = 0; p != NULL && p->open_count > 0 && !any && i < count; i++)
        any = job_set_has(&p->jobs, jobs[i]);
    return any;
}

static void paging_clear(struct paging **p)
{
    if (*p != NULL)
        close_pages(*p);
    free(*p);
    *p = NULL;
}

void paging_free(struct run *run)
{
    if (is_own(run))
        paging_clear(&run->paging);
}

void paging_forget(struct intake *intake)
{
    paging_clear(&intake->gathered.paging);
}

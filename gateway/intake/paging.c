/* Accepted receipts of one submission become pages (store/pages.h), written together at the end.
 *
 * Receipts of a page share their batch and their price, so a submission makes as many pages as it meets of these. */
#include "gateway/intake/inside.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

#define OPEN_PAGES 8u                         /* at once; then all are written */

/* What one page will hold: items by index, in order. */
struct open_page {
    uint64_t batch, price_version;
    size_t *index;                            /* owned */
    struct amount *amounts;                   /* owned */
    struct signature *signatures;             /* owned; NULL: a bundle's */
    size_t count;
};

struct paging {
    struct open_page open[OPEN_PAGES];
    size_t open_count;
};

/* A page's number is a question.  Where the database is far away, the rows of all arrays of a group go without one. */
static bool is_worth_it(const struct run *run)
{
    return run->s->is_bundle ? run->bundle_good : run->s->count >= PAGE_FRAME || !db_is_shared(run->group->db);
}

void paging_begin(struct run *run)
{
    const struct work *work = run->s->work;

    if (work->content.frames > 0 && work->jobs != NULL && run->intake->other == NULL && is_worth_it(run))
        run->paging = mem_new(sizeof *run->paging);
}

/* -- writing -- */

static void pack_again(const struct submission *s, const struct open_page *o, struct page_content *content)
{
    uint8_t fields[PAGE_FRAME * RECEIPT_PACKED];

    page_content_init(content, o->count);
    for (size_t frame = 0; frame < content->frames; frame++) {
        size_t from = frame * PAGE_FRAME, count = o->count - from < PAGE_FRAME ? o->count - from : PAGE_FRAME;

        for (size_t i = 0; i < count; i++)
            receipt_pack(&s->items[o->index[from + i]].signed_.receipt, fields + i * RECEIPT_PACKED);
        page_pack_frame(content, frame, fields, count);
    }
}

static bool write_rows(struct run *run, const struct open_page *o, struct err *err)
{
    const struct work *work = run->s->work;

    for (size_t slot = 0; slot < o->count; slot++) {
        struct intake_item *item = &run->s->items[o->index[slot]];
        struct receipt_row row = {
            .signed_ = item->signed_, .hash = item->hash, .state = RECEIPT_ACCEPTED, .code = CODE_ACCEPTED,
            .received_at_ms = run->group->clock_ms, .accepted_at_ms = run->group->now_ms, .batch = o->batch,
            .price_version = o->price_version, .amount = o->amounts[slot],
        };

        if (!bundle_refer(run, o->index[slot], &row, err))
            return false;
        book_promise(run->intake, &row, work->leaves[o->index[slot]]);
        accept_show(item, &row);
        if (!store_receipt_insert(run->group->db, &row, err))
            return false;
    }
    return true;
}

static bool insert_page(struct run *run, const struct open_page *o, struct page *page, struct err *err)
{
    const struct work *work = run->s->work;
    struct page_content content = { 0 };
    bool whole = o->count == run->s->count && work->content.frame[0].len > 0, ok;

    for (size_t i = 0; !whole && run->s->is_bundle && i < o->count; i++)
        page_index_add(page, o->index[i]);
    if (!whole)
        pack_again(run->s, o, &content);
    ok = (!page->indexes.failed || err_set(err, ERR_LIMIT, "a page of %zu receipts", o->count))
      && store_page_insert(run->group->db, page, whole ? &work->content : &content, o->amounts, o->signatures, err);
    page_content_clear(&content);
    return ok;
}

/* What accept_show says of a row, of one that is not made. */
static void show_paged(struct run *run, const struct open_page *o, size_t slot)
{
    const struct gathered *g = &run->intake->gathered;
    struct intake_item *item = &run->s->items[o->index[slot]];

    item->has_amount = true;
    item->amount = o->amounts[slot];
    item->has_promise = true;
    item->promise = g->number;
    item->promise_index = g->leaf_count;
}

static bool insert_keys(struct run *run, const struct open_page *o, uint64_t page, struct err *err)
{
    const struct work *work = run->s->work;
    struct paged_key keys[PAGE_FRAME];

    for (size_t from = 0, count; from < o->count; from += count) {
        count = o->count - from < PAGE_FRAME ? o->count - from : PAGE_FRAME;
        for (size_t i = 0; i < count; i++) {
            size_t index = o->index[from + i];
            const struct intake_item *item = &run->s->items[index];

            keys[i] = (struct paged_key){ item->signed_.receipt.job_id, item->signed_.receipt.provider };
            show_paged(run, o, from + i);
            gather_leaf(run->intake, item->hash, work->leaves[index]);
        }
        if (!store_receipts_insert_paged(run->group->db, page, from, keys, count, err))
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
        free(p->open[i].index);
        free(p->open[i].amounts);
        free(p->open[i].signatures);
        p->open[i] = (struct open_page){ 0 };
    }
    p->open_count = 0;
}

bool paging_end(struct run *run, struct err *err)
{
    struct paging *p = run->paging;
    bool ok = true;

    for (size_t i = 0; p != NULL && ok && i < p->open_count; i++)
        ok = p->open[i].count < PAGE_LEAST ? write_rows(run, &p->open[i], err) : write_page(run, &p->open[i], err);
    if (p != NULL)
        close_pages(p);
    return ok;
}

static struct open_page *page_for(struct run *run, const struct receipt_row *row, struct err *err)
{
    struct paging *p = run->paging;
    struct open_page *o;

    for (size_t i = 0; i < p->open_count; i++)
        if (p->open[i].batch == row->batch && p->open[i].price_version == row->price_version)
            return &p->open[i];
    if (p->open_count == OPEN_PAGES && !paging_end(run, err))
        return NULL;
    o = &p->open[p->open_count++];
    *o = (struct open_page){
        .batch = row->batch, .price_version = row->price_version,
        .index = mem_array(run->s->count, sizeof *o->index), .amounts = mem_array(run->s->count, sizeof *o->amounts),
        .signatures = run->s->is_bundle ? NULL : mem_array(run->s->count, sizeof *o->signatures),
    };
    return o;
}

bool paging_add(struct run *run, size_t index, const struct receipt_row *row, struct err *err)
{
    struct open_page *o = page_for(run, row, err);

    if (o == NULL)
        return false;
    if (o->signatures != NULL)
        o->signatures[o->count] = row->signed_.signature;
    o->index[o->count] = index;
    o->amounts[o->count++] = row->amount;
    return true;
}

void paging_free(struct run *run)
{
    if (run->paging == NULL)
        return;
    close_pages(run->paging);
    free(run->paging);
    run->paging = NULL;
}

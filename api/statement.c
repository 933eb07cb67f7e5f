#include "api/statement.h"

#include <inttypes.h>
#include <stdlib.h>

#include "api/settlement_shapes.h"
#include "api/statement_line.h"
#include "api/statement_pool.h"
#include "api/statement_reason.h"
#include "gateway/base/mem.h"
#include "gateway/core/word.h"
#include "store/adjustments.h"
#include "store/ledger.h"
#include "store/pages.h"

#define AT_ONCE 256u                          /* rows read by one statement */

enum section { SECTION_ADJUSTMENTS, SECTION_POOL, SECTION_ROWS, SECTION_PAGES };
#define SECTION_AT 8u                         /* in a cursor: batch, section, then what the section is ordered by */
#define PLACE_AT 9u
#define PLACE_SIZE (STATEMENT_CURSOR - PLACE_AT)

void statement_start(uint8_t cursor[STATEMENT_CURSOR])
{
    memset(cursor, 0xff, STATEMENT_CURSOR);
    cursor[0] = 0x7f;                         /* the highest batch that a database holds */
    cursor[SECTION_AT] = SECTION_ADJUSTMENTS;
}

bool statement_cursor_fits(const uint8_t cursor[STATEMENT_CURSOR])
{
    uint64_t page = be64_get(cursor + PLACE_AT);

    return be64_get(cursor) <= INT64_MAX && cursor[SECTION_AT] <= SECTION_PAGES
        && (cursor[SECTION_AT] != SECTION_PAGES || (page > 0 && page <= INT64_MAX));
}

/* What all lines of the batch under way share. */
struct reading {
    struct statement *s;
    struct statement_batch batch;
    struct address protocol_account;
    bool as_provider_only, charged, adjusted, popular;        /* what postings the account has there */
    unsigned taken, scanned;
    bool full;
};

static uint8_t *place(struct reading *r)
{
    return r->s->cursor + PLACE_AT;
}

/* Whether another receipt may be looked at. */
static bool go_on(struct reading *r)
{
    r->full = r->taken >= r->s->limit || r->scanned >= STATEMENT_SCAN_MAX;
    return !r->full;
}

/* -- corrections -- */

static void add_adjustment(struct reading *r, const struct adjustment *a)
{
    bool up = address_eq(a->account, r->s->account) ? a->up : !a->up;

    json_add(r->s->items, statement_adjustment(&r->batch, a, up));
    r->taken++;
}

struct own { struct reading *r; struct adjustment *list; size_t count; uint64_t below; };

static bool keep_own(void *self, const struct adjustment *a, struct err *err)
{
    struct own *own = self;
    struct address account = own->r->s->account;

    (void)err;
    if (a->id >= own->below || (!address_eq(a->account, account) && !address_eq(a->counter_account, account)))
        return true;
    own->list = mem_grow(own->list, own->count + 1, sizeof *own->list);
    own->list[own->count++] = *a;
    return true;
}

static bool read_adjustments(struct reading *r, struct err *err)
{
    struct own own = { .r = r, .below = be64_get(place(r)) };
    bool ok = !r->adjusted || store_adjustments_of_batch(r->s->db, r->batch.number, keep_own, &own, err);

    while (ok && own.count > 0 && go_on(r)) {
        const struct adjustment *a = &own.list[--own.count];

        add_adjustment(r, a);
        be64_put(place(r), a->id);
    }
    free(own.list);
    return ok;
}

/* -- the popularity pool -- */

static bool read_pool(struct reading *r, struct err *err)
{
    struct pool_parts parts = { 0 };
    bool ok = !r->popular || pool_parts_load(r->s->db, r->s->catalog, r->batch.number, r->s->account, &parts, err);
    uint64_t below = be64_get(place(r)), i = below < parts.count ? below : parts.count;

    for (; ok && i > 0 && go_on(r); be64_put(place(r), i)) {
        json_add(r->s->items, statement_pool_part(&r->batch, r->s->catalog, &parts.list[--i]));
        r->taken++;
    }
    pool_parts_clear(&parts);
    return ok;
}

/* -- receipts -- */

static void add_share(struct reading *r, struct receipt_row *row, const struct price_version *price, const struct share *share)
{
    struct buf reason;
    json *line;

    if (row->page != 0)
        row->hash = receipt_struct_hash(&row->signed_.receipt);      /* of those that are shown only */
    line = statement_receipt(&r->batch, row, share);
    buf_init(&reason);
    statement_reason(r->s->catalog, &row->signed_.receipt, price, share, row->accepted_at_ms, &reason);
    json_put_text(line, "reason", buf_text(&reason));
    buf_clear(&reason);
    json_add(r->s->items, line);
}

static bool add_earned(struct reading *r, struct receipt_row *row, const struct price_version *price, bool *any, struct err *err)
{
    struct shares shares = { 0 };
    bool ok = ledger_split(r->s->catalog, &row->signed_.receipt, price, row->amount, r->protocol_account, row->accepted_at_ms, &shares, err);

    for (size_t i = 0; ok && i < shares.count; i++)
        if (address_eq(shares.list[i].account, r->s->account)) {
            add_share(r, row, price, &shares.list[i]);
            *any = true;
        }
    shares_clear(&shares);
    return ok;
}

static bool is_within(const struct statement *s, uint64_t at_ms)
{
    return s->until_ms == 0 || (at_ms >= s->from_ms && at_ms < s->until_ms);
}

static bool add_receipt(struct reading *r, struct receipt_row *row, struct err *err)
{
    const struct price_version *price = catalog_price_version(r->s->catalog, row->price_version);
    struct share charge = { row->charged, ROLE_CONSUMER, row->signed_.receipt.model, row->amount };
    bool any = false;

    r->scanned++;
    if (price == NULL)
        return err_set(err, ERR_BUG, "a receipt with price version %" PRIu64, row->price_version);
    if (r->s->kind == STATEMENT_EARNED) {
        if (!add_earned(r, row, price, &any, err))
            return false;
    } else if (row->has_charged && address_eq(row->charged, r->s->account) && is_within(r->s, row->accepted_at_ms)) {
        add_share(r, row, price, &charge);
        any = true;
    }
    r->taken += any;
    return true;
}

struct rows { struct reading *r; unsigned count; bool failed; };

static bool take_row(void *self, const struct receipt_row *row, struct err *err)
{
    struct rows *rows = self;
    struct receipt_row copy = *row;

    rows->count++;
    memcpy(place(rows->r), row->signed_.receipt.job_id.b, 16);
    memcpy(place(rows->r) + 16, row->signed_.receipt.provider.b, 20);
    return add_receipt(rows->r, &copy, err) && go_on(rows->r);
}

static bool read_rows(struct reading *r, struct err *err)
{
    struct rows rows = { .r = r, .count = AT_ONCE };

    while (rows.count == AT_ONCE && go_on(r)) {
        struct job_id job;
        struct address provider;

        rows.count = 0;
        memcpy(job.b, place(r), sizeof job.b);
        memcpy(provider.b, place(r) + sizeof job.b, sizeof provider.b);
        if (!store_receipt_rows_before(r->s->db, r->batch.number, job, provider, AT_ONCE, take_row, &rows, err))
            return false;
    }
    return true;
}

/* A bundle's receipts are of one provider: where the account is none but that of others, its page is passed. */
static bool is_of_others(const struct reading *r, const struct page *page, const struct page_frame *frame)
{
    const struct provider *p;
    struct receipt first;

    if (!r->as_provider_only || page->bundle == 0 || frame->count == 0)
        return false;
    receipt_unpack(frame->fields.data, &first);
    p = catalog_provider(r->s->catalog, first.provider, page->accepted_at_ms);
    return p != NULL && !address_eq(p->payout, r->s->account);
}

/* Slots below `from`, downwards; place is that of the last one looked at. */
static bool read_page(struct reading *r, const struct page *page, uint64_t from, struct err *err)
{
    bool *gone = page_gone(page), ok = true, others = false;
    struct page_frame frame;
    bool any = false;

    page_frame_init(&frame);
    for (uint64_t slot = from; ok && !others && slot-- > 0 && go_on(r); be64_put(place(r) + 8, slot)) {
        struct receipt_row row;

        if (!any || frame.number != slot / PAGE_FRAME) {
            any = ok = store_page_frame(r->s->db, page, slot / PAGE_FRAME, &frame, err);
            others = ok && is_of_others(r, page, &frame);
            r->scanned += others;
        }
        if (!ok || others || gone[slot])
            continue;
        page_frame_row(page, &frame, slot % PAGE_FRAME, &row);
        ok = add_receipt(r, &row, err);
    }
    page_frame_clear(&frame);
    free(gone);
    if (others)
        be64_put(place(r) + 8, 0);
    return ok;
}

static bool read_pages(struct reading *r, struct err *err)
{
    bool found = true;

    while (found && go_on(r)) {
        uint64_t id = be64_get(place(r)), slot = be64_get(place(r) + 8);
        struct page page = { 0 };
        bool ok;

        if (!store_page_up_to(r->s->db, r->batch.number, slot == 0 ? id - 1 : id, &page, &found, err))
            return false;
        if (!found)
            break;
        if (page.id != id || slot > page.count)
            slot = page.count;
        be64_put(place(r), page.id);
        be64_put(place(r) + 8, slot);
        ok = read_page(r, &page, slot, err);
        page_clear(&page);
        if (!ok)
            return false;
    }
    return true;
}

/* -- batches -- */

static bool see_posting(void *self, const struct posting *p, struct err *err)
{
    struct reading *r = self;

    (void)err;
    if (role_is_adjustment(p->share.role))
        r->adjusted = true;
    else if (p->share.role == ROLE_CONSUMER)
        r->charged = true;
    else if (p->share.role == ROLE_POPULARITY)
        r->popular = true;
    else if (p->share.role != ROLE_PROVIDER)
        r->as_provider_only = false;
    return true;
}

static bool begin_batch(struct reading *r, uint64_t number, struct err *err)
{
    struct batch_row batch;
    bool found;

    r->batch = (struct statement_batch){ .number = number };
    r->as_provider_only = true;
    r->charged = r->adjusted = r->popular = false;
    if (!store_batch_find(r->s->db, number, &batch, &found, err)
        || !store_postings_of_account_in(r->s->db, r->s->account, number, see_posting, r, err))
        return false;
    if (!found)
        return err_set(err, ERR_BUG, "batch %" PRIu64 " is missing", number);
    /* Batches follow each other in the time of acceptance. */
    r->charged = r->charged && (r->s->until_ms == 0 || (batch.opened_at_ms < r->s->until_ms
                                && (batch.closed_at_ms == 0 || batch.closed_at_ms >= r->s->from_ms)));
    r->batch.sequence = batch.sequence;
    r->protocol_account = batch.protocol_account;
    return batch.sequence == 0 || settlement_commit(r->s->db, batch.sequence, &r->batch.commit, err);
}

static void enter(struct reading *r, enum section section)
{
    if (r->s->cursor[SECTION_AT] >= section)
        return;                               /* the cursor is in it already, or behind */
    r->s->cursor[SECTION_AT] = (uint8_t)section;
    memset(place(r), 0xff, PLACE_SIZE);
    if (section == SECTION_PAGES)
        *place(r) = 0x7f;
}

static bool read_batch(struct reading *r, struct err *err)
{
    bool earned = r->s->kind == STATEMENT_EARNED;

    if (r->s->cursor[SECTION_AT] == SECTION_ADJUSTMENTS && earned && !read_adjustments(r, err))
        return false;
    if (!go_on(r))
        return true;
    enter(r, SECTION_POOL);
    if (r->s->cursor[SECTION_AT] == SECTION_POOL && earned && !read_pool(r, err))
        return false;
    if (!go_on(r))
        return true;
    enter(r, SECTION_ROWS);
    if (r->s->cursor[SECTION_AT] == SECTION_ROWS && (earned || r->charged) && !read_rows(r, err))
        return false;
    if (!go_on(r))
        return true;
    enter(r, SECTION_PAGES);
    /* Who countersigned stands in a row of its own. */
    return !earned || read_pages(r, err);
}

bool statement_read(struct statement *s, struct err *err)
{
    struct reading r = { .s = s };
    uint64_t batch;

    while (go_on(&r)) {
        uint64_t bound = be64_get(s->cursor);

        if (!store_account_batch_up_to(s->db, s->account, bound, &batch, err))
            return false;
        if (batch == 0)
            break;
        if (batch != bound) {
            statement_start(s->cursor);
            be64_put(s->cursor, batch);
        }
        if (!begin_batch(&r, batch, err) || !read_batch(&r, err))
            return false;
        if (!r.full) {
            statement_start(s->cursor);
            be64_put(s->cursor, batch - 1);
        }
    }
    s->more = r.full;
    return true;
}

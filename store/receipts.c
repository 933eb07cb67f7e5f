/* Receipts: the row, how it comes in, and how it is found.  What happens to a row later is in receipt_moves.c. */
#include "store/receipts.h"

#include "store/archived.h"
#include "store/pages.h"

#define COLUMNS "state, page, slot, code, hash, packed, signature, consumer_signature, bundle, bundle_index, received_at, accepted_at," \
                " batch, price_version, amount, charged, promise, promise_index, reason, faults"

static void bind_u64_or_null(struct stmt *st, bool has, uint64_t v)
{
    if (has)
        stmt_bind_u64(st, v);
    else
        stmt_bind_null(st);
}

static void bind_signature_or_null(struct stmt *st, bool has, const struct signature *v)
{
    if (has)
        stmt_bind_signature(st, v);
    else
        stmt_bind_null(st);
}

/* A whole row; one of a page is store_receipts_insert_paged's.  The numbers that are zero until acceptance are kept as NULL. */
bool store_receipt_insert(struct db *db, const struct receipt_row *row, struct err *err)
{
    const struct signed_receipt *r = &row->signed_;
    uint8_t packed[RECEIPT_PACKED];
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO receipts (job_id, provider, " COLUMNS ", beside)"
                        " VALUES (?, ?, ?, NULL, NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", &st, err))
        return false;
    receipt_pack(&r->receipt, packed);
    stmt_bind_job_id(&st, &r->receipt.job_id);
    stmt_bind_address(&st, &r->receipt.provider);
    stmt_bind_int(&st, row->state);
    stmt_bind_int(&st, row->code);
    stmt_bind_hash(&st, &row->hash);
    stmt_bind_blob(&st, packed, sizeof packed);
    bind_signature_or_null(&st, r->has_signature, &r->signature);
    bind_signature_or_null(&st, r->has_consumer_signature, &r->consumer_signature);
    bind_u64_or_null(&st, row->has_bundle, row->bundle);
    bind_u64_or_null(&st, row->has_bundle, row->bundle_index);
    stmt_bind_u64(&st, row->received_at_ms);
    bind_u64_or_null(&st, row->accepted_at_ms != 0, row->accepted_at_ms);
    bind_u64_or_null(&st, row->batch != 0, row->batch);
    bind_u64_or_null(&st, row->price_version != 0, row->price_version);
    if (row->price_version != 0)
        stmt_bind_amount(&st, row->amount);
    else
        stmt_bind_null(&st);
    if (row->has_charged)
        stmt_bind_address(&st, &row->charged);
    else
        stmt_bind_null(&st);
    bind_u64_or_null(&st, row->promise != 0, row->promise);
    bind_u64_or_null(&st, row->promise != 0, row->promise_index);
    stmt_bind_text(&st, row->reason[0] != '\0' ? row->reason : NULL);
    stmt_bind_text(&st, row->faults[0] != '\0' ? row->faults : NULL);
    bind_u64_or_null(&st, db_is_beside(db), 1);
    /* A text may have what a database refuses. */
    return row->reason[0] == '\0' && row->faults[0] == '\0' ? stmt_exec_rows(&st, 1, err) : stmt_exec_later(&st, 1, err);
}

/* Of one that lies in a page only where: see whole. */
static void read_row(struct stmt *st, struct receipt_row *row)
{
    struct signed_receipt *r = &row->signed_;
    uint8_t packed[RECEIPT_PACKED];

    *row = (struct receipt_row){ .state = (enum receipt_state)stmt_enum(st, RECEIPT_ACCEPTED, RECEIPT_STATES - 1) };
    row->page = stmt_u64(st);
    row->slot = stmt_u64(st);
    if (row->page != 0)
        return;
    row->code = (enum receipt_code)stmt_enum(st, CODE_ACCEPTED, RECEIPT_CODES - 1);
    row->hash = stmt_hash(st);
    stmt_bytes(st, packed, sizeof packed);
    receipt_unpack(packed, &r->receipt);
    r->has_signature = !stmt_null(st);
    r->signature = stmt_signature(st);
    r->has_consumer_signature = !stmt_null(st);
    r->consumer_signature = stmt_signature(st);
    row->has_bundle = !stmt_null(st);
    row->bundle = stmt_u64(st);
    row->bundle_index = stmt_u64(st);
    row->received_at_ms = stmt_u64(st);
    row->accepted_at_ms = stmt_u64(st);
    row->batch = stmt_u64(st);
    row->price_version = stmt_u64(st);
    row->amount = stmt_amount(st);
    row->has_charged = !stmt_null(st);
    row->charged = stmt_address(st);
    row->promise = stmt_u64(st);
    row->promise_index = stmt_u64(st);
    stmt_text(st, row->reason, sizeof row->reason);
    stmt_text(st, row->faults, sizeof row->faults);
}

static bool whole(struct db *db, struct receipt_row *row, struct err *err)
{
    return row->page == 0 || store_page_receipt(db, row->page, row->slot, row, err);
}

bool store_receipt_find_kept(struct db *db, struct job_id job, struct address provider, struct receipt_row *row, bool *found,
                             struct err *err)
{
    struct receipt_row got;
    struct stmt st;
    bool any;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM receipts WHERE job_id = ? AND provider = ?", &st, err))
        return false;
    stmt_bind_job_id(&st, &job);
    stmt_bind_address(&st, &provider);
    if (!stmt_step(&st, &any, err))
        return false;
    if (any)
        read_row(&st, &got);
    stmt_end(&st);
    if (!stmt_ok(&st, err) || (any && !whole(db, &got, err)))
        return false;
    if (any)
        *row = got;
    *found = any;
    return true;
}

bool store_receipt_find(struct db *db, struct job_id job, struct address provider, struct receipt_row *row, bool *found,
                        struct err *err)
{
    return store_receipt_find_kept(db, job, provider, row, found, err) && (*found || archived_find(db, job, provider, row, found, err));
}

/* Ends st.  A visitor that returns false stops; with err set that is a failure. */
static bool visit_rows(struct stmt *st, receipt_fn *visit, void *self, struct err *err)
{
    struct receipt_row row;
    bool any;

    err->code = ERR_NONE;
    while (stmt_step(st, &any, err)) {
        if (!any)
            return true;
        read_row(st, &row);
        if (!stmt_ok(st, err) || !whole(st->db, &row, err) || !visit(self, &row, err)) {
            stmt_end(st);
            return err->code == ERR_NONE;
        }
    }
    return false;
}

bool store_receipts_of_job(struct db *db, struct job_id job, receipt_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM receipts WHERE job_id = ? ORDER BY provider", &st, err))
        return false;
    stmt_bind_job_id(&st, &job);
    return visit_rows(&st, visit, self, err) && archived_of_job(db, job, visit, self, err);
}

bool store_receipts_before(struct db *db, struct job_id job, struct address provider, unsigned limit, receipt_fn *visit, void *self,
                           struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM receipts WHERE (job_id, provider) < (?, ?)"
                        " ORDER BY job_id DESC, provider DESC LIMIT ?", &st, err))
        return false;
    stmt_bind_job_id(&st, &job);
    stmt_bind_address(&st, &provider);
    stmt_bind_u64(&st, limit);
    return visit_rows(&st, visit, self, err);
}

bool store_receipt_keys(struct db *db, const struct job_id *after, struct address after_provider, unsigned limit,
                        receipt_key_fn *visit, void *self, struct err *err)
{
    const struct job_id last = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
    struct stmt st;
    bool any, ok;

    if (!db_prepare(db, "SELECT job_id, provider, state FROM receipts WHERE (job_id, provider) < (?, ?)"
                        " ORDER BY job_id DESC, provider DESC LIMIT ?", &st, err))
        return false;
    stmt_bind_job_id(&st, after != NULL ? after : &last);     /* no UUIDv7 is all ones */
    stmt_bind_address(&st, &after_provider);
    stmt_bind_u64(&st, limit);
    err->code = ERR_NONE;
    while ((ok = stmt_step(&st, &any, err)) && any) {
        struct job_id job = stmt_job_id(&st);
        struct address provider = stmt_address(&st);

        if (!visit(self, job, provider, (enum receipt_state)stmt_enum(&st, RECEIPT_ACCEPTED, RECEIPT_STATES - 1), err))
            break;
    }
    stmt_end(&st);
    return ok && err->code == ERR_NONE && stmt_ok(&st, err);
}

bool store_receipt_rows_of_batch(struct db *db, uint64_t batch, receipt_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM receipts WHERE batch = ? ORDER BY job_id, provider", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    return visit_rows(&st, visit, self, err);
}

bool store_receipt_rows_after(struct db *db, uint64_t batch, const struct paged_key *after, unsigned limit, receipt_fn *visit, void *self,
                              struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM receipts WHERE batch = ? AND (job_id, provider) > (?, ?)"
                        " ORDER BY job_id, provider LIMIT ?", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    if (after != NULL) {
        stmt_bind_job_id(&st, &after->job);
        stmt_bind_address(&st, &after->provider);
    } else {
        /* No bytes sort before every key. */
        stmt_bind_blob(&st, NULL, 0);
        stmt_bind_blob(&st, NULL, 0);
    }
    stmt_bind_u64(&st, limit);
    return visit_rows(&st, visit, self, err);
}

bool store_receipt_rows_before(struct db *db, uint64_t batch, struct job_id job, struct address provider, unsigned limit,
                               receipt_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM receipts WHERE batch = ? AND (job_id, provider) < (?, ?)"
                        " ORDER BY job_id DESC, provider DESC LIMIT ?", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    stmt_bind_job_id(&st, &job);
    stmt_bind_address(&st, &provider);
    stmt_bind_u64(&st, limit);
    return visit_rows(&st, visit, self, err);
}

/* Written out as a number, so that SQLite sees that the partial index receipts_held fits. */
_Static_assert(RECEIPT_QUARANTINED == 2, "receipts_held is an index over state 2");

bool store_receipts_held(struct db *db, const struct held_cursor *after, unsigned limit, receipt_fn *visit,
                         void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM receipts WHERE state = 2 AND (received_at, job_id, provider) > (?,"
                        " ?, ?)"
                        " ORDER BY received_at, job_id, provider LIMIT ?", &st, err))
        return false;
    if (after != NULL) {
        stmt_bind_u64(&st, after->received_at_ms);
        stmt_bind_job_id(&st, &after->job);
        stmt_bind_address(&st, &after->provider);
    } else {
        /* No bytes sort before every key. */
        stmt_bind_u64(&st, 0);
        stmt_bind_blob(&st, NULL, 0);
        stmt_bind_blob(&st, NULL, 0);
    }
    stmt_bind_u64(&st, limit);
    return visit_rows(&st, visit, self, err);
}

#include "api/statement.h"

#include "api/access.h"
#include "api/charge_statement.h"
#include "api/context.h"
#include "api/handlers.h"
#include "api/page.h"
#include "api/problem.h"
#include "api/statement_csv.h"

static void reply_csv(struct page *page, struct reply *reply)
{
    char next[2 * PAGE_KEY_MAX + 1];

    statement_csv(statement_columns, page->items, &reply->body);
    if (reply->body.failed) {
        page_drop(page);
        problem_busy(reply);
        return;
    }
    reply->status = 200;
    reply->content_type = "text/csv; charset=utf-8; header=present";
    if (page->more) {
        page_cursor(page, next);
        reply_header(reply, "Quittance-Next", "%s", next);
    }
    page_drop(page);
}

static void read_page(struct request *req, struct page *page, struct statement *s, struct reply *reply)
{
    const struct snapshot *snapshot;
    struct err err = { 0 };
    bool ok;

    if (!api_catalog(req->api, s->db, &snapshot, reply)) {
        page_drop(page);
        return;
    }
    s->catalog = snapshot->catalog;
    ok = statement_read(s, &err);
    snapshot_release(snapshot);
    page->more = s->more;
    memcpy(page->last, s->cursor, STATEMENT_CURSOR);
    if (ok && statement_wants_csv(req))
        reply_csv(page, reply);
    else
        page_end(page, ok, &err, reply);
}

static void answer(struct request *req, enum statement_kind kind, struct reply *reply)
{
    struct statement s = { .kind = kind };
    struct page page;

    if (!request_address(req, 0, &s.account, reply) || !access_account(req, s.account, reply)
        || !page_begin(req, STATEMENT_CURSOR, &page, reply))
        return;
    if (page.has_after && !statement_cursor_fits(page.after)) {
        page_drop(&page);
        problem(reply, 400, "malformed", "cursor is not one that this list gave out.");
        return;
    }
    s.limit = page.limit;
    s.items = page.items;
    if (page.has_after)
        memcpy(s.cursor, page.after, STATEMENT_CURSOR);
    else
        statement_start(s.cursor);
    if (!api_begin(req->api, &s.db, reply)) {
        page_drop(&page);
        return;
    }
    read_page(req, &page, &s, reply);
    api_end(req->api, s.db);
}

void statements_get(struct request *req, struct reply *reply)
{
    answer(req, STATEMENT_EARNED, reply);
}

void charges_get(struct request *req, struct reply *reply)
{
    if (request_query(req, "from") != NULL || request_query(req, "until") != NULL || request_query(req, "period") != NULL) {
        charge_statement_get(req, reply);
        return;
    }
    answer(req, STATEMENT_CHARGED, reply);
}

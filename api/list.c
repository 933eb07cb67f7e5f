#include "api/list.h"

#include "api/context.h"

void list_reply(struct request *req, size_t key_len, list_fn *walk, struct reply *reply)
{
    struct page page;
    struct err err = { 0 };
    struct db *db;

    if (!page_begin(req, key_len, &page, reply))
        return;
    if (!api_begin(req->api, &db, reply)) {
        page_drop(&page);
        return;
    }
    page_end(&page, walk(db, &page, &err), &err, reply);
    api_end(req->api, db);
}

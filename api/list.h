/* api/list.h - one page of a list that is walked in the store, as the whole answer. */
#ifndef QUITTANCE_API_LIST_H
#define QUITTANCE_API_LIST_H

#include "api/page.h"
#include "store/db.h"

/* Walks from page->after on and adds rows to the page; asks the store for page->limit + 1. */
typedef bool list_fn(struct db *db, struct page *page, struct err *err);
/* key_len: bytes of this list's keys. */
void list_reply(struct request *req, size_t key_len, list_fn *walk, struct reply *reply);

#endif

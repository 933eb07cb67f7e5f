/* api/page.h - lists: ?limit=1..1000&cursor=...  answered as {items, next}.
 *
 * A cursor is the key of the last item in hex, made and read only here; what it means is known to its list alone. */
#ifndef QUITTANCE_API_PAGE_H
#define QUITTANCE_API_PAGE_H

#include "api/request.h"

#define PAGE_LIMIT_MAX 1000
#define PAGE_LIMIT_DEFAULT 100
#define PAGE_KEY_MAX 64

struct page {
    unsigned limit;
    bool has_after;
    uint8_t after[PAGE_KEY_MAX];              /* key of the last item before this page */
    json *items;                              /* owned until page_reply */
    bool more;
    uint8_t last[PAGE_KEY_MAX];
    size_t key_len;
};
/* key_len: bytes of this list's keys.  false: the reply says what is wrong with limit or cursor. */
bool page_begin(const struct request *req, size_t key_len, struct page *page, struct reply *reply);
/* Takes the item; false: the page is full and this one was not taken, so stop (ask the store for limit + 1). */
bool page_add(struct page *page, const void *key, json *owned_item);
bool page_is_full(const struct page *page);
void page_cursor(const struct page *page, char next[2 * PAGE_KEY_MAX + 1]);      /* of the page behind */
void page_reply(struct page *page, struct reply *reply);
/* After the store has walked the list: the page, or err's problem.  A walk that was stopped because the page is full is
 * no failure. */
void page_end(struct page *page, bool ok, const struct err *err, struct reply *reply);
void page_drop(struct page *page);            /* when the list failed */
/* Keys that are one number. */
uint64_t page_after_number(const struct page *page);            /* 0 at the start */
bool page_add_numbered(struct page *page, uint64_t key, json *owned_item);

#endif

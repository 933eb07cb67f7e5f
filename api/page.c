#include "api/page.h"

#include "api/problem.h"
#include "gateway/base/hex.h"
#include "gateway/core/word.h"

static bool read_limit(const struct request *req, unsigned *limit)
{
    const char *text = request_query(req, "limit");
    struct u256 v;
    uint64_t number;

    *limit = PAGE_LIMIT_DEFAULT;
    if (text == NULL)
        return true;
    if (!u256_from_decimal(text, strlen(text), &v) || !u256_to_u64(v, &number) || number < 1 || number > PAGE_LIMIT_MAX)
        return false;
    *limit = (unsigned)number;
    return true;
}

bool page_begin(const struct request *req, size_t key_len, struct page *page, struct reply *reply)
{
    const char *cursor = request_query(req, "cursor");

    *page = (struct page){ .key_len = key_len };
    if (!read_limit(req, &page->limit)) {
        problem(reply, 400, "malformed", "limit must be a number from 1 to %d.", PAGE_LIMIT_MAX);
        return false;
    }
    page->has_after = cursor != NULL && *cursor != '\0';
    if (page->has_after && !hex_decode_bare(cursor, strlen(cursor), page->after, key_len)) {
        problem(reply, 400, "malformed", "cursor is not one that this list gave out.");
        return false;
    }
    page->items = json_new_array();
    return true;
}

bool page_is_full(const struct page *page)
{
    return json_count(page->items) == page->limit;
}

bool page_add(struct page *page, const void *key, json *owned_item)
{
    if (page_is_full(page)) {
        page->more = true;
        json_free(owned_item);
        return false;
    }
    json_add(page->items, owned_item);
    memcpy(page->last, key, page->key_len);
    return true;
}

void page_cursor(const struct page *page, char next[2 * PAGE_KEY_MAX + 1])
{
    hex_encode_bare(page->last, page->key_len, next);
}

void page_reply(struct page *page, struct reply *reply)
{
    char next[2 * PAGE_KEY_MAX + 1];
    json *object = json_new_object();

    json_put(object, "items", page->items);
    page->items = NULL;
    page_cursor(page, next);
    json_put(object, "next", page->more ? json_new_text(next) : json_new_null());
    reply_json(reply, 200, object);
}

void page_drop(struct page *page)
{
    json_free(page->items);
    page->items = NULL;
}

void page_end(struct page *page, bool ok, const struct err *err, struct reply *reply)
{
    if (ok || err->code == ERR_NONE) {
        page_reply(page, reply);
        return;
    }
    page_drop(page);
    problem_from_err(reply, err);
}

uint64_t page_after_number(const struct page *page)
{
    return page->has_after ? be64_get(page->after) : 0;
}

bool page_add_numbered(struct page *page, uint64_t key, json *owned_item)
{
    uint8_t bytes[8];

    be64_put(bytes, key);
    return page_add(page, bytes, owned_item);
}

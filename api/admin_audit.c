#include "api/context.h"
#include "api/handlers.h"
#include "api/list.h"
#include "store/keys.h"

static json *entry_to_json(const struct audit_entry *entry)
{
    struct err ignored = { 0 };
    json *object = json_new_object(), *detail;

    json_put_u64(object, "id", entry->id);
    json_put_u64(object, "at", entry->at_ms);
    json_put_text(object, "who", entry->who);
    json_put_text(object, "action", entry->action);
    /* JSON, unless it was cut off: then the text as it is. */
    if (!json_read(entry->detail, strlen(entry->detail), &detail, &ignored))
        detail = json_new_text(entry->detail);
    json_put(object, "detail", detail);
    return object;
}

static bool add_row(void *self, const struct audit_entry *entry, struct err *err)
{
    (void)err;
    return page_add_numbered(self, entry->id, entry_to_json(entry));
}

static bool walk(struct db *db, struct page *page, struct err *err)
{
    return store_audit_list(db, page_after_number(page), page->limit + 1, add_row, page, err);
}

void audit_get(struct request *req, struct reply *reply)
{
    list_reply(req, sizeof(uint64_t), walk, reply);
}

#include "api/promises.h"

#include <stdlib.h>

#include "api/shapes.h"
#include "gateway/base/mem.h"
#include "gateway/lib/emit.h"

/* The promise of the item's own commit group; NULL: it has an older one. */
static const struct group_promise *own(const struct submission *s, const struct intake_item *item)
{
    const struct group_promise *promise = s->promises[item->in_predecessor];

    return promise != NULL && promise->row.id == item->promise ? promise : NULL;
}

bool promises_need_store(const struct submission *s, bool predecessor)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].has_promise && s->items[i].in_predecessor == predecessor && own(s, &s->items[i]) == NULL)
            return true;
    return false;
}

/* Items of one answer mostly share the last promise or two, so the search goes backwards. */
static const struct promise_ref *find(const struct promises *p, const struct intake_item *item)
{
    for (size_t i = p->count; i > 0; i--)
        if (p->list[i - 1].id == item->promise && p->list[i - 1].in_predecessor == item->in_predecessor)
            return &p->list[i - 1];
    return NULL;
}

static struct promise_ref *add(struct promises *p, const struct intake_item *item)
{
    if (p->count == p->capacity) {
        p->capacity = p->capacity > 0 ? 2 * p->capacity : 1;
        p->list = mem_grow(p->list, p->capacity, sizeof *p->list);
    }
    p->list[p->count] = (struct promise_ref){ .id = item->promise, .in_predecessor = item->in_predecessor };
    return &p->list[p->count++];
}

bool promises_load(struct promises *p, const struct submission *s, bool with_paths, struct db *const db[2], struct err *err)
{
    *p = (struct promises){ .with_paths = with_paths };
    for (size_t i = 0; i < s->count; i++) {
        const struct intake_item *item = &s->items[i];
        const struct group_promise *promise = own(s, item);
        struct promise_ref *ref;

        if (!item->has_promise || find(p, item) != NULL)
            continue;
        ref = add(p, item);
        if (promise != NULL) {
            ref->row = promise->row;
            ref->tree = promise->tree;
            ref->row.leaves = (struct buf){ 0 };           /* borrowed: the submission frees them */
        } else if (!store_promise_find(db[item->in_predecessor], item->promise, &ref->row, err)) {
            p->count--;
            return false;
        } else if (!with_paths) {
            buf_clear(&ref->row.leaves);
        }
    }
    return true;
}

void promises_clear(struct promises *p)
{
    for (size_t i = 0; i < p->count; i++)
        buf_clear(&p->list[i].row.leaves);
    free(p->list);
    *p = (struct promises){ 0 };
}

static void emit_path(const struct promise_ref *ref, uint64_t index, struct buf *out)
{
    struct proof proof;

    if (ref->tree != NULL)
        tree_prove(ref->tree, (size_t)index, &proof);
    else if (!leaves_path(&ref->row.leaves, index, &proof))
        return;
    emit_hashes(out, "path", proof.path, proof.len);
}

void promises_emit_ref(const struct promises *p, const struct intake_item *item, struct buf *out)
{
    const struct promise_ref *ref = item->has_promise ? find(p, item) : NULL;

    if (ref == NULL)
        return;
    emit_name(out, "promise");
    buf_add_byte(out, '{');
    emit_u64(out, "ref", (uint64_t)(ref - p->list));
    emit_u64(out, "index", item->promise_index);
    if (p->with_paths)
        emit_path(ref, item->promise_index, out);
    buf_add_byte(out, '}');
}

void promises_emit_whole(const struct promises *p, const struct intake_item *item, struct buf *out)
{
    const struct promise_ref *ref = item->has_promise ? find(p, item) : NULL;

    if (ref == NULL)
        return;
    emit_name(out, "promise");
    buf_add_byte(out, '{');
    promise_emit(&ref->row, out);
    emit_u64(out, "index", item->promise_index);
    emit_path(ref, item->promise_index, out);
    buf_add_byte(out, '}');
}

void promises_emit_list(const struct promises *p, struct buf *out)
{
    emit_name(out, "promises");
    buf_add_byte(out, '[');
    for (size_t i = 0; i < p->count; i++) {
        emit_comma(out);
        buf_add_byte(out, '{');
        promise_emit(&p->list[i].row, out);
        buf_add_byte(out, '}');
    }
    buf_add_byte(out, ']');
}

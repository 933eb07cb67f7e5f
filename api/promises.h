/* api/promises.h - the promises that the items of one answer refer to, each once. */
#ifndef QUITTANCE_API_PROMISES_H
#define QUITTANCE_API_PROMISES_H

#include "gateway/intake/intake.h"

struct promise_ref { uint64_t id; bool in_predecessor; struct promise_row row; const struct tree *tree; };
struct promises {
    struct promise_ref *list;                 /* owned */
    size_t count, capacity;
    bool with_paths;
};
/* Loads, in order of first mention, what the items need; the group's own promise is not read again.  db by in_predecessor
 * (a promise's number is its store's); one may be NULL when promises_need_store says false of it. */
bool promises_need_store(const struct submission *s, bool predecessor);
MUST_USE bool promises_load(struct promises *p, const struct submission *s, bool with_paths, struct db *const db[2],
                            struct err *err);
void promises_clear(struct promises *p);
/* The member "promise" of the item's object, where it has one: {ref, index} and, where asked for, path; or {root, ..., index, path}. */
void promises_emit_ref(const struct promises *p, const struct intake_item *item, struct buf *out);
void promises_emit_whole(const struct promises *p, const struct intake_item *item, struct buf *out);
void promises_emit_list(const struct promises *p, struct buf *out);      /* the member "promises" */

#endif

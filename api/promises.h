/* api/promises.h - the promises that the items of one answer refer to, each once. */
#ifndef QUITTANCE_API_PROMISES_H
#define QUITTANCE_API_PROMISES_H

#include "gateway/intake/intake.h"

struct promise_ref { uint64_t id; struct promise_row row; const struct tree *tree; };
struct promises {
    struct promise_ref *list;                 /* owned */
    size_t count, capacity;
    bool with_paths;
};
/* Loads, in order of first mention, what the items need; the group's own promise is not read again.  db may be NULL
 * when promises_need_store says false. */
bool promises_need_store(const struct submission *s);
MUST_USE bool promises_load(struct promises *p, const struct submission *s, bool with_paths, struct db *db,
                            struct err *err);
void promises_clear(struct promises *p);
/* {ref, index} and, where asked for, path; NULL: the item has none. */
json *promises_item(const struct promises *p, const struct intake_item *item);
/* {root, ..., index, path}; NULL: the item has none. */
json *promises_inline(const struct promises *p, const struct intake_item *item);
json *promises_list(const struct promises *p);

#endif

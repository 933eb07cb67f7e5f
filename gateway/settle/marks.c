#include "gateway/settle/marks.h"

#include "store/meta.h"

#define SUCCESS "last_success_ms"
#define STUCK "stuck_since_ms"

bool marks_load(struct db *db, struct run_marks *marks, struct err *err)
{
    struct run_marks got;

    if (!store_meta_get(db, SUCCESS, &got.last_success_ms, err) || !store_meta_get(db, STUCK, &got.stuck_since_ms, err))
        return false;
    *marks = got;
    return true;
}

bool marks_set(struct group *group, const struct run_marks *marks, struct err *err)
{
    return store_meta_set(group->db, SUCCESS, marks->last_success_ms, err)
        && store_meta_set(group->db, STUCK, marks->stuck_since_ms, err);
}

static bool note(void *self, struct group *group, struct err *err)
{
    const bool *well = self;
    struct run_marks marks;

    if (!marks_load(group->db, &marks, err))
        return false;
    if (*well)
        marks = (struct run_marks){ .last_success_ms = group->clock_ms };
    else if (marks.stuck_since_ms == 0)
        marks.stuck_since_ms = group->clock_ms;
    return marks_set(group, &marks, err);
}

bool marks_note(struct writer *writer, bool well, struct err *err)
{
    return writer_do(writer, note, &well, err);
}

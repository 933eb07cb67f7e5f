/* What a commit group leaves in memory for the next: what each group asks of the store before anything else.  It holds for the very next
 * group alone, where this writer's own was kept and nobody has written since (struct group.after_ms), and where both have nothing but
 * submissions, as these change none of it but what the seal knows.  What a turn left holds for all groups beside others until the next. */
#include "gateway/intake/inside.h"

static bool is_for(const struct kept *k, const struct group *group)
{
    uint64_t until_ms = k->epoch_running ? k->epoch.ends_ms : k->epoch.begins_ms;

    return k->of_ms != 0 && k->of_ms == group->after_ms && group->now_ms < until_ms && group->now_ms < k->market_due_ms;
}

bool kept_take(struct intake *intake, const struct group *group)
{
    struct gathered *g = &intake->gathered;
    struct kept *k = &intake->kept;
    bool holds = is_for(k, group) && intake->foreseen.submissions_ms == group->now_ms;

    if (holds) {
        g->stored = k->batch;
        g->epoch = k->epoch;
        g->epoch_running = g->epoch_stored = k->epoch_running;
        g->market_due_ms = k->market_due_ms;
    }
    k->of_ms = 0;                             /* until a seal says so again */
    return holds;
}

void kept_note(struct intake *intake, const struct group *group)
{
    const struct gathered *g = &intake->gathered;

    if (intake->foreseen.submissions_ms != group->now_ms)
        return;
    intake->kept = (struct kept){
        .of_ms = group->beside ? group->after_ms : group->now_ms, .batch = g->stored, .epoch = g->epoch, .epoch_running = g->epoch_running,
        .market_due_ms = g->market_due_ms,
    };
}

/* Nothing is taken in or changed while a restored backup catches up (intake.h). */
#include "gateway/intake/inside.h"

#include <stdio.h>

void intake_pause(struct intake *intake, const char *why)
{
    pthread_mutex_lock(&intake->lock);
    snprintf(intake->paused_why, sizeof intake->paused_why, "%s", why);
    pthread_mutex_unlock(&intake->lock);
    atomic_store(&intake->paused, true);
}

static bool forget_held(void *self, struct intake *intake, struct group *group, struct err *err)
{
    (void)self;
    (void)group;
    (void)err;
    intake->held_known = false;
    return true;
}

bool intake_resume(struct intake *intake, struct err *err)
{
    atomic_store(&intake->paused, false);
    return intake_change(intake, forget_held, NULL, 1, false, err);
}

bool intake_is_paused(const struct intake *intake)
{
    return atomic_load(&intake->paused) || (intake->other != NULL && atomic_load(&intake->other->paused));
}

bool intake_may_take(const struct intake *intake, struct err *err)
{
    if (!intake_is_paused(intake))
        return true;
    return err_set(err, ERR_AGAIN, "%s", atomic_load(&intake->paused) ? intake->paused_why
                   : "The gateway's other contract is catching up after a backup; post again once it has.");
}

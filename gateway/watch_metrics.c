#include "gateway/watch_metrics.h"

#include "gateway/base/log.h"
#include "gateway/lib/exposition.h"

static const char *const alarm_names[WATCH_ALARMS] = {
    [WATCH_WELL] = NULL, [WATCH_FALSE_ROOT] = "false-root", [WATCH_UNAUDITED] = "unaudited", [WATCH_CANCEL_FAILED] = "cancel-failed",
    [WATCH_LOOK_FAILED] = "look-failed",
};

static void put(const struct watch_metrics *m, struct buf *out)
{
    exposition_one(out, "quittance_watch_pending_root_ok", "gauge",
                   "0: a root waits for its activation that was not found true; 1: none waits, or it was.",
                   m->pending_sequence == 0 || m->pending_sequence == m->audited_sequence);
    exposition_one(out, "quittance_watch_pending_sequence", "gauge", "Sequence that waits for its activation; 0: none.", m->pending_sequence);
    exposition_one(out, "quittance_watch_last_success_timestamp_seconds", "gauge", "Last look that found nothing wrong; 0: never.",
                   m->last_success_s);
    exposition_one(out, "quittance_watch_looks_total", "counter", "Looks since the start.", m->looks);
    exposition_one(out, "quittance_watch_alarms_total", "counter", "Looks that called for a person, since the start.", m->alarms);
    exposition_one(out, "quittance_watch_cancelled_total", "counter", "Roots cancelled since the start.", m->cancelled);
    exposition_head(out, "quittance_watch_alarm", "gauge", "1: why the last look called for a person.");
    for (size_t i = WATCH_WELL + 1; i < WATCH_ALARMS; i++)
        buf_printf(out, "quittance_watch_alarm{code=\"%s\"} %d\n", alarm_names[i], m->alarm == (enum watch_alarm)i);
}

void watch_metrics_write(const struct watch_metrics *m)
{
    struct err err = { 0 };
    struct buf text;

    if (m->path == NULL)
        return;
    buf_init(&text);
    put(m, &text);
    if (!exposition_write(m->path, &text, &err))
        log_event(LOG_ERROR_LEVEL, "metrics_not_written", KV_TEXT("error", err.text));
    buf_clear(&text);
}

#include "gateway/watchdog/watchdog.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

struct watchdog {
    struct watchdog_limits limits;
    pthread_mutex_t lock;                     /* all below */
    bool published;
    struct facts facts;
    struct findings findings;
};

struct watchdog *watchdog_new(const struct watchdog_limits *limits)
{
    struct watchdog *w = mem_new(sizeof *w);

    w->limits = *limits;
    pthread_mutex_init(&w->lock, NULL);
    return w;
}

void watchdog_free(struct watchdog *w)
{
    if (w == NULL)
        return;
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static void log_change(enum finding_code code, enum finding_level level, const char *text)
{
    if (level == LEVEL_NONE)
        log_event(LOG_NOTICE_LEVEL, "alarm_cleared", KV_TEXT("code", finding_name(code)));
    else
        log_event(level == LEVEL_FAILURE ? LOG_ERROR_LEVEL : LOG_WARN_LEVEL, "alarm_raised", KV_TEXT("code", finding_name(code)),
                  KV_TEXT("error", text));
}

void watchdog_publish(struct watchdog *w, const struct facts *facts, watchdog_told_fn *told, void *self)
{
    struct findings before, now;

    findings_judge(facts, &w->limits, &now);
    pthread_mutex_lock(&w->lock);
    before = w->findings;
    w->facts = *facts;
    w->findings = now;
    w->published = true;
    pthread_mutex_unlock(&w->lock);
    for (size_t i = 0; i < FINDING_CODES; i++) {
        enum finding_code code = (enum finding_code)i;

        if (now.by_code[i].level == before.by_code[i].level)
            continue;
        log_change(code, now.by_code[i].level, now.by_code[i].text);
        if (told != NULL)
            told(self, code, now.by_code[i].level, now.by_code[i].text);
    }
}

bool watchdog_read(struct watchdog *w, struct facts *facts, struct findings *findings)
{
    bool published;

    if (w == NULL)
        return false;
    pthread_mutex_lock(&w->lock);
    published = w->published;
    if (published) {
        *facts = w->facts;
        *findings = w->findings;
    }
    pthread_mutex_unlock(&w->lock);
    return published;
}

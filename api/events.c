#include "api/events.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/base/mem.h"

struct event { uint64_t id; char *text; struct address account; bool about; };   /* text owned; about: the account alone */

struct events {
    pthread_mutex_t lock;
    struct events_limits limits;
    struct event ring[EVENTS_KEPT];           /* event number n at n % EVENTS_KEPT; numbers from 0 */
    uint64_t count;                           /* events so far */
    uint64_t last_id, beats;
    struct listener *first;
    bool closed;
};

struct listener {
    struct events *events;
    struct listener *next;
    struct ip sender;
    struct address account;
    bool about;                               /* it wants the account alone */
    uint64_t at, beats;                       /* number of the next event; beats that were told */
    uint64_t until_ms;                        /* monotonic */
    char out[EVENT_MAX];                      /* what is being sent: the ring may go on meanwhile */
    size_t out_len, out_at;
    bool paused, gone;
    struct listener_connection connection;    /* zero until it is attached */
};

struct events *events_new(struct events_limits limits)
{
    struct events *e = mem_new(sizeof *e);

    if (limits.listeners > EVENTS_LISTENERS_MAX)
        bug("%u listeners are over %u", limits.listeners, EVENTS_LISTENERS_MAX);
    e->limits = limits;
    pthread_mutex_init(&e->lock, NULL);
    return e;
}

void events_free(struct events *events)
{
    if (events == NULL)
        return;
    for (size_t i = 0; i < EVENTS_KEPT; i++)
        free(events->ring[i].text);
    pthread_mutex_destroy(&events->lock);
    free(events);
}

/* Under the lock. */
static void wake(struct listener *l)
{
    if (!l->paused)
        return;
    l->paused = false;
    l->connection.resume(l->connection.self);
}

static void resume_all(struct events *e)
{
    for (struct listener *l = e->first; l != NULL; l = l->next)
        wake(l);
}

static bool is_for(const struct listener *l, const struct event *event)
{
    return !l->about || (event->about && address_eq(l->account, event->account));
}

void events_close(struct events *events)
{
    pthread_mutex_lock(&events->lock);
    events->closed = true;
    resume_all(events);
    pthread_mutex_unlock(&events->lock);
}

void events_beat(struct events *events)
{
    pthread_mutex_lock(&events->lock);
    events->beats++;
    resume_all(events);
    pthread_mutex_unlock(&events->lock);
}

/* account NULL: about everything. */
static void add(struct events *events, uint64_t now_ms, const struct address *account, const char *name, json *owned_data)
{
    struct event *slot;
    struct buf text;

    buf_init(&text);
    pthread_mutex_lock(&events->lock);
    slot = &events->ring[events->count % EVENTS_KEPT];
    free(slot->text);
    slot->id = now_ms > events->last_id ? now_ms : events->last_id + 1;
    events->last_id = slot->id;
    buf_printf(&text, "id: %" PRIu64 "\nevent: %s\ndata: ", slot->id, name);
    json_write(owned_data, &text);
    buf_add_text(&text, "\n\n");
    if (text.failed || text.len >= EVENT_MAX)
        bug("event %s has %zu bytes", name, text.len);
    slot->text = mem_text(buf_text(&text));
    slot->about = account != NULL;
    if (slot->about)
        slot->account = *account;
    events->count++;
    for (struct listener *l = events->first; l != NULL; l = l->next)
        if (is_for(l, slot))
            wake(l);
        else if (l->at + 1 == events->count)
            l->at++;                          /* or it fell behind by what is not for it */
    pthread_mutex_unlock(&events->lock);
    buf_clear(&text);
    json_free(owned_data);
}

void events_add(struct events *events, uint64_t now_ms, const char *name, json *owned_data)
{
    add(events, now_ms, NULL, name, owned_data);
}

void events_add_about(struct events *events, uint64_t now_ms, struct address account, const char *name, json *owned_data)
{
    add(events, now_ms, &account, name, owned_data);
}

static bool is_among(const struct address *list, size_t count, struct address account)
{
    for (size_t i = 0; i < count; i++)
        if (address_eq(list[i], account))
            return true;
    return false;
}

size_t events_accounts(struct events *events, struct address accounts[EVENTS_LISTENERS_MAX])
{
    size_t count = 0;

    pthread_mutex_lock(&events->lock);
    for (const struct listener *l = events->first; l != NULL; l = l->next)
        if (l->about && !l->gone && !is_among(accounts, count, l->account))
            accounts[count++] = l->account;
    pthread_mutex_unlock(&events->lock);
    return count;
}

static uint64_t oldest(const struct events *e)
{
    return e->count > EVENTS_KEPT ? e->count - EVENTS_KEPT : 0;
}

static void say(struct listener *l, const char *text)
{
    l->out_len = strlen(text);
    memcpy(l->out, text, l->out_len);
    l->out_at = 0;
}

/* Where to go on; what lies before the oldest that is kept, here or before our start, cannot be told any more. */
static void start_at(struct listener *l, uint64_t last_id)
{
    const struct events *e = l->events;
    bool missed = true;

    say(l, "retry: 2000\n\n");
    l->at = e->count;
    if (last_id == 0)
        return;
    for (; l->at > oldest(e) && e->ring[(l->at - 1) % EVENTS_KEPT].id > last_id; l->at--)
        continue;
    missed = l->at == 0 || e->ring[(l->at - 1) % EVENTS_KEPT].id != last_id;
    if (missed)
        say(l, "retry: 2000\n\nevent: reset\ndata: {}\n\n");
}

/* Under the lock. */
static bool has_room(const struct events *e, struct ip sender)
{
    unsigned all = 0, same = 0;

    for (const struct listener *l = e->first; l != NULL; l = l->next) {
        all += !l->gone;
        same += !l->gone && ip_eq(l->sender, sender);
    }
    return all < e->limits.listeners && same < e->limits.per_sender;
}

/* A paused connection is not read, so nobody saw it close: without this its place is free only after the next beats. */
static void end_gone(struct events *e)
{
    for (struct listener *l = e->first; l != NULL; l = l->next)
        if (l->paused && l->connection.gone(l->connection.self)) {
            l->gone = true;
            wake(l);
        }
}

struct listener *listener_new(struct events *events, const struct listener_wants *wants)
{
    struct listener *l = mem_new(sizeof *l);
    bool ok;

    l->events = events;
    l->until_ms = clock_monotonic_ms() + LISTENER_MS;
    l->sender = ip_sender(wants->client);
    l->about = wants->account != NULL;
    if (l->about)
        l->account = *wants->account;
    pthread_mutex_lock(&events->lock);
    if (!has_room(events, l->sender))
        end_gone(events);
    ok = !events->closed && has_room(events, l->sender);
    if (ok) {
        l->beats = events->beats;
        l->next = events->first;
        events->first = l;
        start_at(l, wants->last_id);
    }
    pthread_mutex_unlock(&events->lock);
    if (ok)
        return l;
    free(l);
    return NULL;
}

void listener_free(struct listener *listener)
{
    struct events *e;
    struct listener **at;

    if (listener == NULL)
        return;
    e = listener->events;
    pthread_mutex_lock(&e->lock);
    for (at = &e->first; *at != listener; at = &(*at)->next)
        continue;
    *at = listener->next;
    pthread_mutex_unlock(&e->lock);
    free(listener);
}

void listener_attach(struct listener *listener, const struct listener_connection *connection)
{
    listener->connection = *connection;
}

/* Under the lock.  false: there is nothing. */
static bool next_text(struct listener *l)
{
    const struct events *e = l->events;

    while (l->at < e->count && !is_for(l, &e->ring[l->at % EVENTS_KEPT]))
        l->at++;
    if (l->at < e->count)
        say(l, e->ring[l->at++ % EVENTS_KEPT].text);
    else if (l->beats != e->beats)
        say(l, ":\n\n");
    else
        return false;
    l->beats = e->beats;
    return true;
}

ssize_t listener_read(struct listener *listener, char *to, size_t max)
{
    struct listener *l = listener;
    ssize_t got = 0;

    pthread_mutex_lock(&l->events->lock);
    if (l->events->closed || l->gone || l->at < oldest(l->events) || clock_monotonic_ms() >= l->until_ms) {
        got = -1;
    } else if (l->out_at < l->out_len || next_text(l)) {
        size_t len = l->out_len - l->out_at < max ? l->out_len - l->out_at : max;

        memcpy(to, l->out + l->out_at, len);
        l->out_at += len;
        got = (ssize_t)len;
    } else {
        /* Under the lock: the event that resumes it comes after this. */
        l->paused = true;
        l->connection.pause(l->connection.self);
    }
    pthread_mutex_unlock(&l->events->lock);
    return got;
}

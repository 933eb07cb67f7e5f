/* api/events.h - Server-Sent Events (HTML standard, section 9.2): what happened, to all who listen.
 *
 * The latest EVENTS_KEPT events are kept, so that who comes back with Last-Event-ID misses none; who missed some gets a
 * `reset` first: ask for everything anew.  Ids are Unix ms, or one more than the id before: they grow over restarts, too.
 * As many listen at a time as the limits say.  A listener is read by the connection's thread; with nothing to say it pauses
 * its connection, and the next event resumes it.  One that falls EVENTS_KEPT behind is cut off, each after LISTENER_MS: it
 * comes back by itself, and shows then that it still may.  Some listen to one account only: they get the events about it.
 * Thread-safe. */
#ifndef QUITTANCE_API_EVENTS_H
#define QUITTANCE_API_EVENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "api/forwarded.h"
#include "gateway/base/types.h"
#include "gateway/lib/json.h"

#define EVENTS_KEPT 1024u
#define EVENT_MAX 1024u                       /* bytes of one, as it is sent */
/* At a time: in all, and of one sender (an IPv4 address, an IPv6 /64). */
struct events_limits { unsigned listeners, per_sender; };
#define EVENTS_LISTENERS_MAX 128u             /* the most that any limits say */
#define LISTENER_MS (UINT64_C(10) * 60 * 1000)

struct events;
struct listener;
struct events *events_new(struct events_limits limits);
void events_free(struct events *events);      /* after all listeners; NULL is fine */
void events_close(struct events *events);     /* listeners end, no more are let in */
/* name: of a fixed set, without line feeds.  An event over EVENT_MAX is a bug. */
void events_add(struct events *events, uint64_t now_ms, const char *name, json *owned_data);
void events_add_about(struct events *events, uint64_t now_ms, struct address account, const char *name, json *owned_data);
void events_beat(struct events *events);      /* something for everybody to read: who is gone gets noticed */

/* The accounts that somebody listens to, each once, in no order: how many. */
size_t events_accounts(struct events *events, struct address accounts[EVENTS_LISTENERS_MAX]);

/* Who listens, and to what.  account NULL: to everything.  last_id: of the last event that was seen; 0: from now on. */
struct listener_wants { struct ip client; const struct address *account; uint64_t last_id; };
/* NULL: closed, or as many listen as may.  Those whose readers went away unnoticed make room. */
struct listener *listener_new(struct events *events, const struct listener_wants *wants);
void listener_free(struct listener *listener);
/* Its connection: paused on the thread that reads, resumed on any; gone: the reader closed it.  None may come back here. */
struct listener_connection { void (*pause)(void *self), (*resume)(void *self); bool (*gone)(void *self); void *self; };
void listener_attach(struct listener *listener, const struct listener_connection *connection);
/* Bytes to send; 0: nothing now, the connection was paused; -1: it ends. */
ssize_t listener_read(struct listener *listener, char *to, size_t max);

#endif

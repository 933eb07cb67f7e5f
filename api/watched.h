/* api/watched.h - accounts that somebody listens to (GET /v1/events): what changed for each since the look before.
 *
 * Of the thread that looks alone (live.c): watched_begin, then what it sees, then watched_look.  That costs the store two small
 * queries an account, however many listen to it, and none where nobody does.  An account that was not watched a look ago is
 * told of all kinds: nobody knows what changed meanwhile.  What is told is the kind of change and nothing of its content. */
#ifndef QUITTANCE_API_WATCHED_H
#define QUITTANCE_API_WATCHED_H

#include "api/events.h"
#include "store/db.h"

/* Bits of what changed, in the order of their names in an event. */
enum change_kind {
    CHANGED_RECEIPTS = 1 << 0,                /* its lines in the books: jobs accepted or released, corrections */
    CHANGED_SETTLEMENT = 1 << 1,              /* a settlement is new, or in another state */
    CHANGED_CLAIM = 1 << 2,                   /* what can be claimed: by a settlement, or it was paid */
};
struct watched_account {
    struct address account;
    uint64_t batch, lines;                    /* the last batch with lines of it, and how many */
    unsigned changed;                         /* not told yet: kept where the store cannot be asked */
};
struct watched { struct watched_account list[EVENTS_LISTENERS_MAX]; size_t count; };

void watched_begin(struct watched *w, struct events *events);      /* those listened to now; the others are forgotten */
void watched_settled(struct watched *w);
void watched_paid(struct watched *w, struct address account);
/* Tells what changed: event `account`, data {account, changed:[...]}. */
MUST_USE bool watched_look(struct watched *w, struct events *events, struct db *db, uint64_t now_ms, struct err *err);

#endif

/* News among those who use a store: who commits says NOTIFY, who waits has said LISTEN.
 *
 * What is told says only that it is worth while to look.  It may be lost with a line, and a pooler's session or a standby's cannot
 * listen: so whoever waits looks now and then anyway.  A store is a schema: of another's in the same database nothing is heard. */
#include "store/postgres.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/clock.h"

bool postgres_tell_others(void *connection, struct err *err)
{
    return postgres_tell_text(connection, "SELECT pg_notify('quittance', current_schema())", err);
}

static bool listen_as(struct postgres *p)
{
    PGresult *result = PQexec(p->session, "LISTEN quittance; SELECT current_schema()");
    bool ok = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;

    postgres_round_trip();
    snprintf(p->schema, sizeof p->schema, "%s", ok ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return ok;
}

/* Once a session; where it is refused it is not asked again. */
static bool can_listen(struct postgres *p)
{
    if (p->session == NULL || p->dead || p->pooled || PQtransactionStatus(p->session) != PQTRANS_IDLE)
        return false;
    p->listens = p->asked_to_listen ? p->listens : listen_as(p);
    p->asked_to_listen = true;
    return p->listens && PQstatus(p->session) == CONNECTION_OK;
}

static bool heard(struct postgres *p)
{
    bool any = false;
    PGnotify *news;

    while ((news = PQnotifies(p->session)) != NULL) {
        any = any || strcmp(news->extra, p->schema) == 0;
        PQfreemem(news);
    }
    return any;
}

/* A line that ended can be read, too: then it is known to have ended, and the rest of the time is waited without. */
void postgres_wait(void *connection, int until_fd, unsigned ms)
{
    uint64_t until_ms = clock_monotonic_ms() + ms;
    struct postgres *p = connection;

    for (;;) {
        bool listens = can_listen(p);
        struct pollfd fds[2] = { { .fd = until_fd, .events = POLLIN }, { .fd = listens ? PQsocket(p->session) : -1, .events = POLLIN } };
        uint64_t now_ms = clock_monotonic_ms();

        if ((listens && heard(p)) || now_ms >= until_ms)
            return;
        if (poll(fds, 2, (int)(until_ms - now_ms)) > 0 && fds[0].revents != 0)
            return;
        if (fds[1].revents != 0)
            (void)!PQconsumeInput(p->session);
    }
}

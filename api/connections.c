#include "api/connections.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/base/clock.h"
#include "gateway/base/mem.h"
#include "gateway/base/thread.h"

#define LOOK_EVERY_MS 250
#define CHAINS 4096u
#define NO_DEADLINE UINT64_MAX

/* A sender that holds something; there are at most as many as connections. */
struct sender {
    struct ip ip;
    size_t connections, requests;
    struct sender *next;
};

struct connection {
    struct connections *of;
    struct connection *before, *after;
    struct ip peer;
    int fd;
    uint64_t phase_at_ms;                     /* only its own thread looks */
    _Atomic enum phase phase;
    _Atomic uint64_t deadline_ms;
};

struct connections {
    struct connection_limits limits;
    pthread_t thread;
    pthread_mutex_t lock;                     /* over all below */
    pthread_cond_t quit;
    bool quitting;
    struct connection *first;
    struct sender *chains[CHAINS];
    struct connection_counts counts;
};

static struct sender **chain_of(struct connections *c, struct ip ip)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < sizeof ip.b; i++)
        h = (h ^ ip.b[i]) * UINT64_C(0x100000001b3);
    return &c->chains[(h ^ h >> 32) % CHAINS];
}

/* NULL: it holds nothing. */
static struct sender *find_sender(struct connections *c, struct ip ip)
{
    struct sender *s = *chain_of(c, ip);

    while (s != NULL && !ip_eq(s->ip, ip))
        s = s->next;
    return s;
}

static struct sender *get_sender(struct connections *c, struct ip ip)
{
    struct sender *s = find_sender(c, ip), **chain = chain_of(c, ip);

    if (s == NULL) {
        s = mem_new(sizeof *s);
        *s = (struct sender){ .ip = ip, .next = *chain };
        *chain = s;
    }
    return s;
}

static void forget_if_idle(struct connections *c, const struct sender *s)
{
    struct sender **at = chain_of(c, s->ip), *gone;

    if (s->connections > 0 || s->requests > 0)
        return;
    while (*at != s)
        at = &(*at)->next;
    gone = *at;
    *at = gone->next;
    free(gone);
}

/* Under the lock no descriptor is closed, so none of another connection is hit.  A reset frees what the kernel still holds
 * for a reader that does not read. */
static void cut_off(struct connections *c, struct connection *k)
{
    const struct linger reset = { .l_onoff = 1 };

    c->counts.late[atomic_load(&k->phase)]++;
    atomic_store(&k->deadline_ms, NO_DEADLINE);
    setsockopt(k->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    shutdown(k->fd, SHUT_RDWR);               /* the library sees it and closes */
}

static void *watch(void *self)
{
    struct connections *c = self;
    struct timespec until;

    thread_name("connections");
    pthread_mutex_lock(&c->lock);
    while (!c->quitting) {
        uint64_t now_ms = clock_monotonic_ms(), wake_ms = now_ms + LOOK_EVERY_MS;

        for (struct connection *k = c->first; k != NULL; k = k->after)
            if (atomic_load(&k->deadline_ms) <= now_ms)
                cut_off(c, k);
        until = (struct timespec){ .tv_sec = (time_t)(wake_ms / 1000), .tv_nsec = (long)(wake_ms % 1000) * 1000000 };
        pthread_cond_timedwait(&c->quit, &c->lock, &until);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

bool connections_new(const struct connection_limits *limits, struct connections **connections, struct err *err)
{
    struct connections *c = mem_new(sizeof *c);
    pthread_condattr_t attr;

    c->limits = *limits;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->quit, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&c->thread, NULL, watch, c) != 0) {
        pthread_cond_destroy(&c->quit);
        pthread_mutex_destroy(&c->lock);
        free(c);
        return err_set(err, ERR_IO, "no thread to watch connections");
    }
    *connections = c;
    return true;
}

void connections_free(struct connections *c)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&c->lock);
    c->quitting = true;
    pthread_cond_signal(&c->quit);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->quit);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

bool connections_admit(struct connections *c, const struct sockaddr *peer)
{
    struct ip ip = ip_of_socket(peer);
    const struct sender *s;
    bool ok;

    if (proxies_trust(&c->limits.proxies, ip))
        return true;
    pthread_mutex_lock(&c->lock);
    s = find_sender(c, ip_sender(ip));
    ok = s == NULL || s->connections < c->limits.per_address;
    c->counts.refused_connections += !ok;
    pthread_mutex_unlock(&c->lock);
    return ok;
}

struct connection *connection_open(struct connections *c, const struct sockaddr *peer, int fd)
{
    struct connection *k = mem_new(sizeof *k);

    k->of = c;
    k->peer = ip_of_socket(peer);
    k->fd = fd;
    connection_phase(k, PHASE_HEAD, 0);
    pthread_mutex_lock(&c->lock);
    k->after = c->first;
    if (c->first != NULL)
        c->first->before = k;
    c->first = k;
    c->counts.open++;
    get_sender(c, ip_sender(k->peer))->connections++;
    pthread_mutex_unlock(&c->lock);
    return k;
}

void connection_close(struct connection *k)
{
    struct connections *c = k->of;
    struct sender *s;

    pthread_mutex_lock(&c->lock);
    *(k->before != NULL ? &k->before->after : &c->first) = k->after;
    if (k->after != NULL)
        k->after->before = k->before;
    c->counts.open--;
    s = find_sender(c, ip_sender(k->peer));
    s->connections--;
    forget_if_idle(c, s);
    pthread_mutex_unlock(&c->lock);
    free(k);
}

static uint64_t time_for(const struct connection_limits *limits, enum phase phase, uint64_t bytes)
{
    uint64_t by_size = bytes / CONNECTION_RATE * 1000;

    switch (phase) {
    case PHASE_IDLE:   return limits->idle_ms;
    case PHASE_HEAD:   return limits->request_ms;
    case PHASE_BODY:   return limits->request_ms + by_size;
    case PHASE_WORK:   return NO_DEADLINE;
    case PHASE_ANSWER: return limits->answer_ms + by_size;
    }
    bug("phase %d", (int)phase);
}

void connection_phase(struct connection *k, enum phase phase, uint64_t bytes)
{
    uint64_t allowed = time_for(&k->of->limits, phase, bytes);

    /* A phase's time starts once: more of a body does not start it again. */
    if (phase != atomic_load(&k->phase))
        k->phase_at_ms = clock_monotonic_ms();
    atomic_store(&k->phase, phase);
    atomic_store(&k->deadline_ms, allowed == NO_DEADLINE ? NO_DEADLINE : k->phase_at_ms + allowed);
}

bool connection_is_gone(const struct connection *k)
{
    char next;
    ssize_t got = recv(k->fd, &next, sizeof next, MSG_PEEK | MSG_DONTWAIT);

    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

struct ip connection_client(const struct connection *k, const char *forwarded, const char *x_forwarded_for)
{
    return forwarded_client(&k->of->limits.proxies, k->peer, forwarded, x_forwarded_for);
}

bool client_enter(struct connections *c, struct ip client)
{
    struct sender *s;
    bool ok;

    pthread_mutex_lock(&c->lock);
    s = get_sender(c, ip_sender(client));
    ok = s->requests < c->limits.per_address;
    s->requests += ok;
    c->counts.refused_requests += !ok;
    pthread_mutex_unlock(&c->lock);
    return ok;
}

void client_leave(struct connections *c, struct ip client)
{
    struct sender *s;

    pthread_mutex_lock(&c->lock);
    s = find_sender(c, ip_sender(client));
    s->requests--;
    forget_if_idle(c, s);
    pthread_mutex_unlock(&c->lock);
}

void connections_count(struct connections *c, struct connection_counts *counts)
{
    pthread_mutex_lock(&c->lock);
    *counts = c->counts;
    pthread_mutex_unlock(&c->lock);
}

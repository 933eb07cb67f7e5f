/* What a person and a script see of a posting (poster.h). */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/lib/json.h"
#include "gateway/node/poster.h"

#define TERMINAL_MS 500
#define PIPE_MS 10000

struct shown { struct post_counts counts; struct histogram latency; uint64_t waiting, left, ms; };

static struct shown look(struct poster *p)
{
    struct shown s;

    pthread_mutex_lock(&p->lock);
    s.counts = p->counts;
    s.latency = p->latency;
    pthread_mutex_unlock(&p->lock);
    s.left = spool_left(p->spool);
    s.ms = clock_monotonic_ms() - p->began_ms;
    return s;
}

static uint64_t per_second(uint64_t count, uint64_t ms)
{
    return ms > 0 ? count * 1000 / ms : 0;
}

void report_begin(struct report *r, struct poster *p)
{
    *r = (struct report){ .shown_ms = p->began_ms, .terminal = isatty(STDERR_FILENO) };
}

void report_note(struct report *r, const char *format, ...)
{
    va_list args;

    if (r->line_open)
        fputc('\n', stderr);
    r->line_open = false;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

static void print_line(const struct shown *s, uint64_t rate)
{
    const struct post_counts *c = &s->counts;

    fprintf(stderr, "posted %" PRIu64 " (%" PRIu64 "/s): %" PRIu64 " accepted, %" PRIu64 " duplicate, %" PRIu64 " quarantined, %" PRIu64
            " rejected, %" PRIu64 " retries, %" PRIu64 " in the spool", c->sent, rate, c->accepted, c->duplicate, c->quarantined,
            c->rejected + c->malformed, c->retries, s->left);
    if (c->proven + c->wrong_proofs + c->reposted > 0)
        fprintf(stderr, ", %" PRIu64 " proven, %" PRIu64 " wrong proofs, %" PRIu64 " reposted", c->proven, c->wrong_proofs, c->reposted);
}

void report_progress(struct report *r, struct poster *p)
{
    uint64_t now = clock_monotonic_ms(), span = now - r->shown_ms;
    struct shown s;

    if (p->config->quiet || span < (r->terminal ? TERMINAL_MS : PIPE_MS))
        return;
    s = look(p);
    if (r->terminal)
        fputs("\r\033[K", stderr);            /* ECMA-48: erase to the end of the line */
    print_line(&s, per_second(s.counts.sent - r->shown_sent, span));
    if (!r->terminal)
        fputc('\n', stderr);
    r->line_open = r->terminal;
    r->shown_ms = now;
    r->shown_sent = s.counts.sent;
}

static json *latency_json(const struct histogram *h)
{
    json *out = json_new_object(), *buckets = json_new_array();

    json_put_u64(out, "count", h->count);
    json_put_u64(out, "p50", histogram_quantile(h, 500));
    json_put_u64(out, "p90", histogram_quantile(h, 900));
    json_put_u64(out, "p99", histogram_quantile(h, 990));
    json_put_u64(out, "max", h->max);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        json *bucket;

        if (h->bucket[i] == 0)
            continue;
        bucket = json_new_object();
        json_put_u64(bucket, "upTo", i + 1 < HISTOGRAM_BUCKETS ? histogram_bucket_top(i) : h->max);
        json_put_u64(bucket, "count", h->bucket[i]);
        json_add(buckets, bucket);
    }
    json_put(out, "buckets", buckets);
    return out;
}

static void print_summary(const struct shown *s)
{
    const struct { const char *name; uint64_t value; } members[] = {
        { "taken", s->counts.taken },             { "malformed", s->counts.malformed },     { "sent", s->counts.sent },
        { "accepted", s->counts.accepted },       { "duplicate", s->counts.duplicate },     { "quarantined", s->counts.quarantined },
        { "rejected", s->counts.rejected },       { "requests", s->counts.requests },       { "retries", s->counts.retries },
        { "proven", s->counts.proven },           { "wrongProofs", s->counts.wrong_proofs }, { "reposted", s->counts.reposted },
        { "left", s->left },                      { "ms", s->ms },                          { "perSecond", per_second(s->counts.sent, s->ms) },
    };
    json *out = json_new_object();
    struct buf text;

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        json_put_u64(out, members[i].name, members[i].value);
    json_put(out, "latencyMs", latency_json(&s->latency));
    buf_init(&text);
    json_write(out, &text);
    printf("%s\n", buf_text(&text));
    buf_clear(&text);
    json_free(out);
}

void report_end(struct report *r, struct poster *p)
{
    struct shown s = look(p);

    if (!p->config->quiet) {
        fputs(r->line_open ? "\r\033[K" : "", stderr);
        print_line(&s, per_second(s.counts.sent, s.ms));
        fprintf(stderr, "\nlatency of %" PRIu64 " requests in ms: p50 %" PRIu64 ", p90 %" PRIu64 ", p99 %" PRIu64 ", max %" PRIu64 "\n",
                s.latency.count, histogram_quantile(&s.latency, 500), histogram_quantile(&s.latency, 900),
                histogram_quantile(&s.latency, 990), s.latency.max);
    }
    print_summary(&s);
}

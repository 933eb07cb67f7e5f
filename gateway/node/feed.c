/* Lines into the spool (poster.h): many at once share one sync, but none waits for others that are not there yet. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/clock.h"
#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/node/line.h"
#include "gateway/node/poster.h"
#include "gateway/node/refused.h"

#define SYNC_RECEIPTS 4096
#define SYNC_MS 50                            /* a steady stream is synced so often */

struct feed {
    struct poster *p;
    struct lines *lines;
    struct buf acks;                          /* of what the next sync makes durable */
    uint64_t since_ms;                        /* since when something is not synced */
};

struct feed *feed_new(struct poster *p, int fd)
{
    struct feed *f = mem_new(sizeof *f);

    f->p = p;
    f->lines = lines_new(fd);
    buf_init(&f->acks);
    return f;
}

void feed_free(struct feed *feed)
{
    if (feed == NULL)
        return;
    lines_free(feed->lines);
    buf_clear(&feed->acks);
    free(feed);
}

static bool refuse_line(struct feed *f, const char *why, struct err *err)
{
    struct buf line;
    bool ok;

    buf_init(&line);
    refused_malformed(lines_number(f->lines), why, &line);
    ok = refused_write(f->p->config->spool_dir, &line, err);
    buf_clear(&line);
    pthread_mutex_lock(&f->p->lock);
    f->p->counts.malformed++;
    pthread_mutex_unlock(&f->p->lock);
    return ok;
}

/* Rules that the whole request would fail by later: found here they are one line's. */
static bool may_be_posted(const struct post_config *config, const struct signed_receipt *r, struct err *err)
{
    if (config->form == GROUP_ARRAY && !r->has_signature)
        return err_set(err, ERR_INVALID, "/signature: missing");
    if (config->form != GROUP_ARRAY && !address_eq(r->receipt.provider, config->provider))
        return err_set(err, ERR_INVALID, "/provider: another than --provider, or the address of --key");
    return true;
}

static bool take(struct feed *f, const char *text, size_t len, struct err *err)
{
    struct signed_receipt r;
    char job[JOB_ID_TEXT];

    if (!line_read(text, len, &r, err) || !may_be_posted(f->p->config, &r, err))
        return refuse_line(f, err->text, err);
    if (spool_unsynced(f->p->spool) == 0)
        f->since_ms = clock_monotonic_ms();
    spool_add(f->p->spool, &r);
    if (f->p->config->acks) {
        job_id_to_text(r.receipt.job_id, job);
        buf_printf(&f->acks, "{\"ack\":\"%s\"}\n", job);
    }
    return true;
}

bool feed_sync(struct feed *feed, struct err *err)
{
    struct poster *p = feed->p;
    uint64_t more = spool_unsynced(p->spool);

    if (more == 0)
        return true;
    if (!spool_sync(p->spool, err))
        return false;
    if (feed->acks.len > 0 && (fwrite(feed->acks.data, 1, feed->acks.len, stdout) != feed->acks.len || fflush(stdout) != 0))
        return err_set(err, ERR_IO, "write to stdout: %s", strerror(errno));
    buf_reset(&feed->acks);
    pthread_mutex_lock(&p->lock);
    p->counts.taken += more;
    if (spool_waiting(p->spool) == more)
        p->waiting_since_ms = clock_monotonic_ms();
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return true;
}

bool feed_step(struct feed *feed, unsigned wait_ms, bool *ended, struct err *err)
{
    struct spool *spool = feed->p->spool;

    while (!spool_full(spool) && !atomic_load(&feed->p->stop)) {
        size_t unsynced = spool_unsynced(spool), len;
        const char *text;

        if (unsynced >= SYNC_RECEIPTS || (unsynced > 0 && clock_monotonic_ms() - feed->since_ms >= SYNC_MS))
            return feed_sync(feed, err);
        switch (lines_next(feed->lines, unsynced > 0 ? 0 : wait_ms, &text, &len)) {
        case LINES_LINE:
            if (!take(feed, text, len, err))
                return false;
            break;
        case LINES_TOO_LONG:
            if (!refuse_line(feed, "over 8192 bytes", err))
                return false;
            break;
        case LINES_NOTHING:
            return feed_sync(feed, err);
        case LINES_END:
            *ended = true;
            return feed_sync(feed, err);
        case LINES_FAILED:
            return err_set(err, ERR_IO, "read stdin: %s", strerror(errno));
        }
    }
    return feed_sync(feed, err);
}

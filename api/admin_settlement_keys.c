/* GET /admin/v1/settlements/{sequence}/keys: what an auditor needs to open a sealed archive (design 6, core/seal.h). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "gateway/core/seal.h"
#include "store/batches.h"
#include "store/receipts.h"

#define PIECE ((size_t)64 * 1024)

/* Lines go to a file without a name, in [archive] dir: a batch of millions needs no memory, and nothing is left behind. */
struct keys_out { const uint8_t *secret; int fd; uint64_t size; struct buf piece; };

static bool flush(struct keys_out *out, struct err *err)
{
    size_t done = 0;

    if (out->piece.failed)
        return err_set(err, ERR_LIMIT, "no room for keys");
    while (done < out->piece.len) {
        ssize_t n = write(out->fd, out->piece.data + done, out->piece.len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(err, ERR_IO, "write keys: %s", strerror(errno));
        done += (size_t)n;
    }
    out->size += out->piece.len;
    buf_reset(&out->piece);
    return true;
}

static bool put(struct keys_out *out, json *owned, struct err *err)
{
    json_write(owned, &out->piece);
    buf_add_byte(&out->piece, '\n');
    json_free(owned);
    return out->piece.len < PIECE || flush(out, err);
}

static bool put_line(void *self, const struct receipt_row *row, struct err *err)
{
    const struct receipt *r = &row->signed_.receipt;
    struct keys_out *out = self;
    json *line = json_new_object();

    json_put_job_id(line, "jobId", r->job_id);
    json_put_address(line, "provider", r->provider);
    json_put_hash(line, "key", seal_line_key(out->secret, r->job_id, r->provider));
    return put(out, line, err);
}

static bool put_keys(struct keys_out *out, struct db *db, const struct settlement_row *s, struct err *err)
{
    json *first = json_new_object();

    json_put_u64(first, "sequence", s->sequence);
    json_put_hash(first, "key", seal_settlement_key(out->secret, s->sequence));
    return put(out, first, err) && store_receipts_of_batch(db, s->batch, put_line, out, err) && flush(out, err);
}

static void answer(struct request *req, struct db *db, const struct settlement_row *s, struct reply *reply)
{
    const struct api_config *config = req->api->config;
    struct keys_out out = { .secret = config->secret, .fd = open(config->archive_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) };
    struct err err = { 0 };
    bool ok;

    buf_init(&out.piece);
    ok = out.fd >= 0 ? put_keys(&out, db, s, &err)
                     : err_set(&err, ERR_IO, "a temporary file in %s: %s", config->archive_dir, strerror(errno));
    buf_wipe(&out.piece);
    if (ok) {
        reply->status = 200;
        reply->content_type = "application/x-ndjson";
        reply->file = out.fd;
        reply->file_size = out.size;
        return;
    }
    if (out.fd >= 0)
        close(out.fd);
    problem_from_err(reply, &err);
}

void settlement_keys(struct request *req, struct reply *reply)
{
    struct settlement_row s;
    struct err err = { 0 };
    uint64_t sequence;
    struct db *db;
    bool found;

    if (!request_number(req, 0, &sequence, reply) || !api_begin(req->api, &db, reply))
        return;
    if (!store_settlement_find(db, sequence, &s, &found, &err))
        problem_from_err(reply, &err);
    else if (!found)
        problem(reply, 404, "not-found", "There is no settlement of this sequence.");
    else
        answer(req, db, &s, reply);
    api_end(req->api, db);
}

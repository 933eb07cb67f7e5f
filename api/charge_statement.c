#include "api/charge_statement.h"

#include "api/access.h"
#include "api/context.h"
#include "api/problem.h"
#include "api/statement.h"
#include "chain/signer.h"
#include "gateway/lib/crypt.h"

#define READS_MAX 50u                         /* of STATEMENT_SCAN_MAX receipts each */

static bool read_time(const struct request *req, const char *name, uint64_t *ms, struct reply *reply)
{
    const char *text = request_query(req, name);
    struct u256 v;

    if (text != NULL && u256_from_decimal(text, strlen(text), &v) && u256_to_u64(v, ms) && *ms <= INT64_MAX)
        return true;
    problem(reply, 400, "malformed", "%s must be Unix milliseconds; from and until go together.", name);
    return false;
}

static bool read_period(struct request *req, struct charge_statement *c, struct reply *reply)
{
    if (!read_time(req, "from", &c->from_ms, reply) || !read_time(req, "until", &c->until_ms, reply))
        return false;
    if (c->from_ms >= c->until_ms) {
        problem(reply, 400, "malformed", "from must be before until.");
        return false;
    }
    if (c->until_ms > req->api->clock->now_ms(req->api->clock->self)) {
        problem(reply, 400, "malformed", "until must not be in the future: more may be billed before it.");
        return false;
    }
    return true;
}

/* All lines, or the reply says why not. */
static bool read_lines(struct statement *s, struct reply *reply)
{
    struct err err = { 0 };

    s->more = true;
    statement_start(s->cursor);
    for (unsigned reads = 0; s->more && reads < READS_MAX && json_count(s->items) < CHARGE_LINES_MAX; reads++) {
        s->limit = CHARGE_LINES_MAX - (unsigned)json_count(s->items);
        if (!statement_read(s, &err)) {
            problem_from_err(reply, &err);
            return false;
        }
    }
    if (s->more)
        problem(reply, 413, "too-large", "More than %u receipts, or too many to look through: ask for a shorter period.", CHARGE_LINES_MAX);
    return !s->more;
}

static bool add_up(const json *items, struct amount *sum)
{
    for (size_t i = 0; i < json_count(items); i++) {
        struct amount share;

        if (!json_get_amount(json_member(json_at(items, i), "share"), &share) || !amount_add(*sum, share, sum))
            return false;
    }
    return true;
}

static json *statement_to_json(const struct charge_statement *c, const struct buf *csv, size_t lines)
{
    json *object = json_new_object();

    json_put_address(object, "consumer", c->consumer);
    json_put_u64(object, "from", c->from_ms);
    json_put_u64(object, "until", c->until_ms);
    json_put_amount(object, "charged", c->charged);
    json_put_u64(object, "receipts", lines);
    json_put_text(object, "csv", buf_text(csv));
    json_put_hash(object, "digest", c->digest);
    return object;
}

static void sign(const struct api *api, struct charge_statement *c, const json *items, struct reply *reply)
{
    struct signature signature;
    struct err err = { 0 };
    struct buf csv;
    json *object;

    buf_init(&csv);
    statement_csv(charge_columns, items, &csv);
    c->digest = sha256(csv.data, csv.len);
    if (csv.failed || !add_up(items, &c->charged)) {
        problem(reply, 413, "too-large", "The lines are too many: ask for a shorter period.");
    } else if (!signer_sign_digest(api->config->promise, typed_digest(&api->config->domain, charge_struct_hash(c)), &signature, &err)) {
        problem_from_err(reply, &err);
    } else {
        object = statement_to_json(c, &csv, json_count(items));
        json_put_signature(object, "signature", &signature);
        json_put_address(object, "signer", signer_address(api->config->promise));
        reply_json(reply, 200, object);
    }
    buf_clear(&csv);
}

static void read_and_sign(struct request *req, struct charge_statement *c, struct db *db, struct reply *reply)
{
    struct statement s = { .db = db, .account = c->consumer, .kind = STATEMENT_CHARGED, .from_ms = c->from_ms, .until_ms = c->until_ms };
    const struct snapshot *snapshot;

    if (!api_catalog(req->api, db, &snapshot, reply))
        return;
    s.catalog = snapshot->catalog;
    s.items = json_new_array();
    if (read_lines(&s, reply))
        sign(req->api, c, s.items, reply);
    json_free(s.items);
    snapshot_release(snapshot);
}

void charge_statement_get(struct request *req, struct reply *reply)
{
    struct charge_statement c = { .charged = AMOUNT_ZERO };
    struct db *db;

    if (!request_address(req, 0, &c.consumer, reply) || !access_account(req, c.consumer, reply) || !read_period(req, &c, reply))
        return;
    if (req->api->config->promise == NULL) {
        problem_busy(reply);
        return;
    }
    if (!api_begin(req->api, &db, reply))
        return;
    read_and_sign(req, &c, db, reply);
    api_end(req->api, db);
}

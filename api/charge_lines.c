#include "api/charge_lines.h"

#include "api/access.h"
#include "api/context.h"
#include "api/problem.h"
#include "api/statement.h"
#include "api/statement_csv.h"
#include "chain/signer.h"
#include "gateway/lib/crypt.h"

#define READS_MAX 50u                         /* of STATEMENT_SCAN_MAX receipts each */

static bool read_time(const struct request *req, const char *name, uint64_t *ms, struct reply *reply)
{
    const char *text = request_query(req, name);
    struct u256 v;

    if (text != NULL && u256_from_decimal(text, strlen(text), &v) && u256_to_u64(v, ms) && *ms <= INT64_MAX)
        return true;
    problem(reply, 400, "malformed", "%s must be Unix milliseconds; from and until go together, or period=YYYY-MM.", name);
    return false;
}

/* period=YYYY-MM: a month of UTC; of the one under way what there is of it. */
static bool read_month(const char *text, uint64_t now_ms, struct charge_statement *c, struct reply *reply)
{
    uint64_t from_ms, until_ms;

    if (!month_from_text(text, &from_ms, &until_ms) || from_ms >= now_ms) {
        problem(reply, 400, "malformed", "period must be a month of UTC that has begun, YYYY-MM; it stands in the place of from and until.");
        return false;
    }
    c->from_ms = from_ms;
    c->until_ms = until_ms < now_ms ? until_ms : now_ms;
    return true;
}

static bool read_period(struct request *req, struct charge_statement *c, struct reply *reply)
{
    uint64_t now_ms = req->api->clock->now_ms(req->api->clock->self);
    const char *period = request_query(req, "period");

    if (period != NULL && request_query(req, "from") == NULL && request_query(req, "until") == NULL)
        return read_month(period, now_ms, c, reply);
    if (period != NULL) {
        problem(reply, 400, "malformed", "period stands in the place of from and until.");
        return false;
    }
    if (!read_time(req, "from", &c->from_ms, reply) || !read_time(req, "until", &c->until_ms, reply))
        return false;
    if (c->from_ms >= c->until_ms) {
        problem(reply, 400, "malformed", "from must be before until.");
        return false;
    }
    if (c->until_ms > now_ms) {
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

static bool write_csv(struct charge_lines *lines, struct reply *reply)
{
    struct charge_statement *c = &lines->statement;

    statement_csv(charge_columns, lines->items, &lines->csv);
    if (lines->csv.failed || !add_up(lines->items, &c->charged)) {
        problem(reply, 413, "too-large", "The lines are too many: ask for a shorter period.");
        return false;
    }
    c->digest = sha256(lines->csv.data, lines->csv.len);
    return true;
}

static bool read_and_add(struct request *req, struct charge_lines *lines, struct db *db, struct reply *reply)
{
    const struct charge_statement *c = &lines->statement;
    struct statement s = { .db = db, .account = c->consumer, .kind = STATEMENT_CHARGED, .from_ms = c->from_ms, .until_ms = c->until_ms,
                           .items = lines->items };
    const struct snapshot *snapshot;
    bool ok;

    if (!api_catalog(req->api, db, &snapshot, reply))
        return false;
    s.catalog = snapshot->catalog;
    ok = read_lines(&s, reply) && write_csv(lines, reply);
    snapshot_release(snapshot);
    return ok;
}

void charge_lines_clear(struct charge_lines *lines)
{
    json_free(lines->items);
    buf_clear(&lines->csv);
}

bool charge_lines_read(struct request *req, struct charge_lines *lines, struct reply *reply)
{
    struct charge_lines read = { .statement.charged = AMOUNT_ZERO };
    struct charge_statement *c = &read.statement;
    struct db *db;
    bool ok;

    if (!request_address(req, 0, &c->consumer, reply) || !access_account(req, c->consumer, reply) || !read_period(req, c, reply)
        || !api_begin(req->api, &db, reply))
        return false;
    read.items = json_new_array();
    buf_init(&read.csv);
    ok = read_and_add(req, &read, db, reply);
    api_end(req->api, db);
    if (ok)
        *lines = read;
    else
        charge_lines_clear(&read);
    return ok;
}

bool statement_sign(const struct request *req, struct hash struct_hash, json *object, struct reply *reply)
{
    const struct api_config *config = req->api->config;
    struct signature signature;
    struct err err = { 0 };

    if (config->promise == NULL) {
        problem_busy(reply);
        return false;
    }
    if (!signer_sign_digest(config->promise, typed_digest(&config->domain, struct_hash), &signature, &err)) {
        problem_from_err(reply, &err);
        return false;
    }
    json_put_signature(object, "signature", &signature);
    json_put_address(object, "signer", signer_address(config->promise));
    return true;
}

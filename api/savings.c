/* GET /v1/accounts/{consumer}/savings?from=&until=&reference=: a period's charges against a reference list, signed.
 *
 * {consumer, from, until, reference, token, charges, models, charged, compared, comparedCost, referenceCost, saved, csv, digest, signature,
 * signer}: reference is what is pinned of the list (its version, digest, date and the token's price), charges the digest of the charge
 * statement for the same time, csv a line a model, digest its SHA-256, the figures those of core/savings.h, and the signature the EIP-712 one
 * over SavingsStatement by a promise signer.  `quittance verify` computes all of it again.  Without reference=VERSION the last list
 * counts.  CSV on request: the lines alone. */
#include "api/charge_lines.h"
#include "api/context.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/statement.h"
#include "gateway/core/savings.h"
#include "gateway/lib/crypt.h"
#include "store/references.h"

static bool read_version(const struct request *req, uint64_t *version, struct reply *reply)
{
    const char *text = request_query(req, "reference");
    struct u256 v;

    if (text != NULL && (!u256_from_decimal(text, strlen(text), &v) || !u256_to_u64(v, version) || *version == 0)) {
        problem(reply, 400, "malformed", "reference must be the version of a reference list, from 1 on.");
        return false;
    }
    if (text == NULL)
        *version = store_reference_last(req->api->config->archive_dir);
    return true;
}

static bool read_reference(const struct request *req, struct reference *r, struct reply *reply)
{
    struct err err = { .code = ERR_NOT_FOUND };
    uint64_t version;

    if (!read_version(req, &version, reply))
        return false;
    if (version > 0 && store_reference_read(req->api->config->archive_dir, version, r, &err))
        return true;
    if (err.code == ERR_NOT_FOUND)
        problem(reply, 404, "not-found", version > 0 ? "No reference list has this version." : "No reference list was imported yet.");
    else
        problem_from_err(reply, &err);
    return false;
}

static bool add_line(struct savings *s, const json *item, struct err *err)
{
    struct savings_line line = { .receipts = 1 };

    if (!json_get_hash(json_member(item, "model"), &line.model) || !json_get_amount(json_member(item, "share"), &line.charged)
        || !json_get_u64(json_member(item, "inputTokens"), &line.tokens[SAVINGS_INPUT])
        || !json_get_u64(json_member(item, "cachedTokens"), &line.tokens[SAVINGS_CACHED])
        || !json_get_u64(json_member(item, "outputTokens"), &line.tokens[SAVINGS_OUTPUT]))
        return err_set(err, ERR_BUG, "a charge without its numbers");
    return savings_add(s, &line, err);
}

static bool compute(const struct charge_lines *lines, const struct reference *r, unsigned decimals, struct savings *s, struct err *err)
{
    bool ok = true;

    for (size_t i = 0; ok && i < json_count(lines->items); i++)
        ok = add_line(s, json_at(lines->items, i), err);
    return ok && savings_compare(s, r, decimals, err);
}

static json *token_terms(const struct request *req, const struct token_words *words)
{
    json *object = json_new_object();

    json_put_address(object, "address", req->api->config->token);
    json_put_text(object, "symbol", words->symbol);
    json_put_u64(object, "decimals", words->decimals);
    return object;
}

struct answer { struct charge_lines lines; struct reference reference; struct savings savings; struct buf csv; };

static void fill_statement(const struct answer *a, uint8_t decimals, struct savings_statement *s)
{
    const struct charge_statement *c = &a->lines.statement;

    *s = (struct savings_statement){
        .consumer = c->consumer, .from_ms = c->from_ms, .until_ms = c->until_ms, .charges = c->digest, .list = a->reference.digest,
        .charged = a->savings.charged, .compared = a->savings.compared, .token_price = a->reference.token_price,
        .reference_cost = a->savings.reference_cost, .decimals = decimals, .digest = sha256(a->csv.data, a->csv.len),
    };
    memcpy(s->list_date, a->reference.date, sizeof s->list_date);
}

static void reply_signed(const struct request *req, const struct answer *a, const struct token_words *words, struct reply *reply)
{
    json *object = json_new_object();
    struct savings_statement s;

    fill_statement(a, words->decimals, &s);
    json_put_address(object, "consumer", s.consumer);
    json_put_u64(object, "from", s.from_ms);
    json_put_u64(object, "until", s.until_ms);
    json_put(object, "reference", reference_terms(&a->reference));
    json_put(object, "token", token_terms(req, words));
    json_put_hash(object, "charges", s.charges);
    savings_put(&a->savings, object);
    json_put_text(object, "csv", buf_text(&a->csv));
    json_put_hash(object, "digest", s.digest);
    if (statement_sign(req, savings_struct_hash(&s), object, reply))
        reply_json(reply, 200, object);
    else
        json_free(object);
}

static void answer(struct request *req, struct answer *a, const struct token_words *words, struct reply *reply)
{
    struct err err = { 0 };

    if (!compute(&a->lines, &a->reference, words->decimals, &a->savings, &err)) {
        problem_from_err(reply, &err);
        return;
    }
    savings_csv(&a->savings, &a->csv);
    if (a->csv.failed) {
        problem_busy(reply);
    } else if (statement_wants_csv(req)) {
        buf_add(&reply->body, a->csv.data, a->csv.len);
        reply->status = 200;
        reply->content_type = "text/csv; charset=utf-8; header=present";
    } else {
        reply_signed(req, a, words, reply);
    }
}

void savings_get(struct request *req, struct reply *reply)
{
    const struct token_words *words = atomic_load(&req->api->token);
    struct answer a = { 0 };

    if (words == NULL) {
        problem(reply, 503, "try-again", "The chain was not asked for the token's decimals yet.");
        reply_header(reply, "Retry-After", "5");
        return;
    }
    if (!charge_lines_read(req, &a.lines, reply))
        return;
    buf_init(&a.csv);
    if (read_reference(req, &a.reference, reply))
        answer(req, &a, words, reply);
    buf_clear(&a.csv);
    savings_clear(&a.savings);
    reference_clear(&a.reference);
    charge_lines_clear(&a.lines);
}

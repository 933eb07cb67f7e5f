#include "gateway/core/savings.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/base/amount.h"
#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/core/csv.h"

static const char *const meter_members[SAVINGS_METERS] = { "inputTokens", "cachedTokens", "outputTokens" };

void savings_clear(struct savings *s)
{
    free(s->lines);
    *s = (struct savings){ 0 };
}

static struct savings_line *line_of(struct savings *s, struct hash model)
{
    size_t at = 0;

    while (at < s->count && memcmp(s->lines[at].model.b, model.b, sizeof model.b) < 0)
        at++;
    if (at < s->count && hash_eq(s->lines[at].model, model))
        return &s->lines[at];
    s->lines = mem_grow(s->lines, s->count + 1, sizeof *s->lines);
    memmove(&s->lines[at + 1], &s->lines[at], (s->count - at) * sizeof *s->lines);
    s->lines[at] = (struct savings_line){ .model = model };
    s->count++;
    return &s->lines[at];
}

static bool add_count(uint64_t *sum, uint64_t more)
{
    if (more > (uint64_t)INT64_MAX - *sum)
        return false;
    *sum += more;
    return true;
}

bool savings_add(struct savings *s, const struct savings_line *more, struct err *err)
{
    struct savings_line *line = line_of(s, more->model);
    bool ok = add_count(&line->receipts, more->receipts) && amount_add(line->charged, more->charged, &line->charged)
           && amount_add(s->charged, more->charged, &s->charged);

    for (size_t i = 0; i < SAVINGS_METERS; i++)
        ok = ok && add_count(&line->tokens[i], more->tokens[i]);
    return ok || err_set(err, ERR_OVERFLOW, "a sum is too large");
}

/* -- against the list -- */

static bool add_cost(struct dollars price, uint64_t tokens, struct dollars *sum)
{
    struct u256 cost;

    return u256_mul_u64(price.atto, tokens, &cost) && u256_add(sum->atto, cost, &sum->atto);
}

static bool compare_line(struct savings *s, struct savings_line *line)
{
    const struct reference_model *m = line->reference;
    uint64_t cached = line->tokens[SAVINGS_CACHED];

    line->cost = (struct dollars){ U256_ZERO };
    return cached <= line->tokens[SAVINGS_INPUT] && add_cost(m->input, line->tokens[SAVINGS_INPUT] - cached, &line->cost)
        && add_cost(m->cached, cached, &line->cost) && add_cost(m->output, line->tokens[SAVINGS_OUTPUT], &line->cost)
        && u256_add(s->reference_cost.atto, line->cost.atto, &s->reference_cost.atto) && amount_add(s->compared, line->charged, &s->compared);
}

static struct u256 ten_to(unsigned exponent)
{
    struct u256 v = u256_from_u64(1);

    while (exponent-- > 0)
        if (!u256_mul_u64(v, 10, &v))
            bug("10^%u is over 256 bits", exponent);
    return v;
}

/* ceil(a * b / c) */
static bool mul_div_up(struct u256 a, struct u256 b, struct u256 c, struct u256 *up)
{
    struct u256 product, rest;

    return u256_mul(a, b, &product) && u256_divmod(product, c, up, &rest)
        && (u256_is_zero(rest) || u256_add(*up, u256_from_u64(1), up));
}

bool savings_compare(struct savings *s, const struct reference *reference, unsigned decimals, struct err *err)
{
    bool ok = true;

    if (decimals > TOKEN_DECIMALS_MAX)
        return err_set(err, ERR_OVERFLOW, "a token with %u decimals", decimals);
    s->compared = AMOUNT_ZERO;
    s->reference_cost = (struct dollars){ U256_ZERO };
    for (size_t i = 0; ok && i < s->count; i++) {
        s->lines[i].reference = reference_model_of(reference, s->lines[i].model);
        ok = s->lines[i].reference == NULL || compare_line(s, &s->lines[i]);
    }
    ok = ok && mul_div_up(s->compared.base_units, reference->token_price.atto, ten_to(decimals), &s->compared_cost.atto);
    return ok || err_set(err, ERR_OVERFLOW, "a sum is too large");
}

/* -- CSV and JSON -- */

void savings_csv(const struct savings *s, struct buf *out)
{
    buf_add_text(out, "model,receipts,inputTokens,cachedTokens,outputTokens,charged,provider,modelId,inputPerMillion,cachedPerMillion,"
                      "cachedListed,outputPerMillion,referenceCost\r\n");
    for (size_t i = 0; i < s->count; i++) {
        const struct savings_line *line = &s->lines[i];
        const struct reference_model *m = line->reference;
        char model[HASH_TEXT], charged[U256_DECIMAL_MAX], input[160], cached[160], output[160], cost[160];

        hash_to_text(line->model, model);
        u256_to_decimal(line->charged.base_units, charged);
        buf_printf(out, "%s,%" PRIu64, model, line->receipts);
        for (size_t meter = 0; meter < SAVINGS_METERS; meter++)
            buf_printf(out, ",%" PRIu64, line->tokens[meter]);
        buf_printf(out, ",%s,", charged);
        if (m == NULL) {
            buf_add_text(out, ",,,,,,\r\n");
            continue;
        }
        csv_add_text(out, m->provider, strlen(m->provider));
        buf_add_byte(out, ',');
        csv_add_text(out, m->model_id, strlen(m->model_id));
        dollars_to_text(m->input, PRICE_DECIMALS, input);
        dollars_to_text(m->cached, PRICE_DECIMALS, cached);
        dollars_to_text(m->output, PRICE_DECIMALS, output);
        dollars_to_text(line->cost, DOLLAR_DECIMALS, cost);
        buf_printf(out, ",%s,%s,%d,%s,%s\r\n", input, cached, m->cached_listed, output, cost);
    }
}

static void put_dollars(json *object, const char *name, struct dollars d)
{
    char text[160];

    dollars_to_text(d, DOLLAR_DECIMALS, text);
    json_put_text(object, name, text);
}

static json *line_to_json(const struct savings_line *line)
{
    json *row = json_new_object();

    json_put_hash(row, "model", line->model);
    json_put_u64(row, "receipts", line->receipts);
    for (size_t i = 0; i < SAVINGS_METERS; i++)
        json_put_u64(row, meter_members[i], line->tokens[i]);
    json_put_amount(row, "charged", line->charged);
    if (line->reference != NULL) {
        json *reference = reference_model_to_json(line->reference);

        put_dollars(reference, "cost", line->cost);
        json_put(row, "reference", reference);
    }
    return row;
}

/* Of the reference's cost, in basis points: rounded down where it was cheaper, up where it was dearer. */
static json *saved_to_json(const struct savings *s)
{
    struct u256 of = s->reference_cost.atto, difference, part;
    bool cheaper = u256_sub(of, s->compared_cost.atto, &difference);
    uint64_t bps;
    json *saved;

    if (u256_is_zero(of) || (!cheaper && !u256_sub(s->compared_cost.atto, of, &difference)))
        return NULL;
    if (!(cheaper ? u256_mul_div(difference, u256_from_u64(10000), of, &part) : mul_div_up(difference, u256_from_u64(10000), of, &part))
        || !u256_to_u64(part, &bps) || bps > INT64_MAX)
        return NULL;
    saved = json_new_object();
    json_put_text(saved, "sign", cheaper ? "+" : "-");
    put_dollars(saved, "amount", (struct dollars){ difference });
    json_put_u64(saved, "bps", bps);
    return saved;
}

void savings_put(const struct savings *s, json *object)
{
    json *models = json_new_array(), *saved = saved_to_json(s);

    for (size_t i = 0; i < s->count; i++)
        json_add(models, line_to_json(&s->lines[i]));
    json_put(object, "models", models);
    json_put_amount(object, "charged", s->charged);
    json_put_amount(object, "compared", s->compared);
    put_dollars(object, "comparedCost", s->compared_cost);
    put_dollars(object, "referenceCost", s->reference_cost);
    if (saved != NULL)
        json_put(object, "saved", saved);
}

bool savings_line_from_json(const json *row, struct savings_line *line, struct err *err)
{
    struct savings_line got = { 0 };
    bool ok = json_get_hash(json_member(row, "model"), &got.model) && json_get_u64(json_member(row, "receipts"), &got.receipts)
           && json_get_amount(json_member(row, "charged"), &got.charged);

    for (size_t i = 0; i < SAVINGS_METERS; i++)
        ok = ok && json_get_u64(json_member(row, meter_members[i]), &got.tokens[i]);
    if (!ok)
        return err_set(err, ERR_INVALID, "models: model, receipts, %s, %s, %s and charged belong to each", meter_members[0], meter_members[1],
                       meter_members[2]);
    *line = got;
    return true;
}

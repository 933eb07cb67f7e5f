/* A savings statement: every figure anew from its numbers and the reference list, its numbers from the charges that it names. */
#include "gateway/audit/verify_parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "chain/settlement.h"
#include "gateway/base/hex.h"
#include "gateway/lib/crypt.h"

static bool read_terms(struct verification *v, struct claimed_savings *c)
{
    struct savings_statement *s = &c->statement;
    uint64_t decimals = TOKEN_DECIMALS_MAX + 1;
    const char *date;
    size_t len;
    bool has_date = json_get_text(verify_member(v, "reference", "date"), &date, &len) && len == REFERENCE_DATE - 1;
    bool ok = verify_shape(v, "savings", "consumer", json_get_address(json_member(v->answer, "consumer"), &s->consumer))
           && verify_shape(v, "savings", "from", json_get_u64(json_member(v->answer, "from"), &s->from_ms))
           && verify_shape(v, "savings", "until", json_get_u64(json_member(v->answer, "until"), &s->until_ms))
           && verify_shape(v, "savings", "charges", json_get_hash(json_member(v->answer, "charges"), &s->charges))
           && verify_shape(v, "savings", "charged", json_get_amount(json_member(v->answer, "charged"), &s->charged))
           && verify_shape(v, "savings", "compared", json_get_amount(json_member(v->answer, "compared"), &s->compared))
           && verify_shape(v, "savings", "reference/version", json_get_u64(verify_member(v, "reference", "version"), &c->version))
           && verify_shape(v, "savings", "reference/digest", json_get_hash(verify_member(v, "reference", "digest"), &s->list))
           && verify_shape(v, "savings", "reference/date", has_date)
           && verify_shape(v, "savings", "reference/tokenPrice",
                           dollars_from_json(verify_member(v, "reference", "tokenPrice"), DOLLAR_DECIMALS, &s->token_price))
           && verify_shape(v, "savings", "token/decimals",
                           json_get_u64(verify_member(v, "token", "decimals"), &decimals) && decimals <= TOKEN_DECIMALS_MAX)
           && verify_shape(v, "savings", "referenceCost",
                           dollars_from_json(json_member(v->answer, "referenceCost"), DOLLAR_DECIMALS, &s->reference_cost))
           && verify_shape(v, "savings", "digest", json_get_hash(json_member(v->answer, "digest"), &s->digest))
           && verify_shape(v, "savings", "signature", json_get_signature(json_member(v->answer, "signature"), &c->signature))
           && verify_shape(v, "savings", "signer", json_get_address(json_member(v->answer, "signer"), &c->signer));

    s->decimals = (uint8_t)decimals;
    if (ok)
        memcpy(s->list_date, date, REFERENCE_DATE);
    return ok;
}

static bool read_numbers(struct verification *v, struct claimed_savings *c)
{
    const json *models = json_member(v->answer, "models");
    struct err err = { 0 };

    if (!verify_shape(v, "savings", "models", models != NULL && json_kind_of(models) == JSON_KIND_ARRAY))
        return false;
    for (size_t i = 0; i < json_count(models); i++) {
        struct savings_line line;

        if (!savings_line_from_json(json_at(models, i), &line, &err) || !savings_add(&c->savings, &line, &err))
            return verify_note(v, "savings", false, "%s", err.text);
    }
    return true;
}

/* -- the figures -- */

static bool same_json(const json *a, const json *b)
{
    struct buf left, right;
    bool same;

    if (a == NULL || b == NULL)
        return a == b;
    buf_init(&left);
    buf_init(&right);
    json_write(a, &left);
    json_write(b, &right);
    same = !left.failed && !right.failed && strcmp(buf_text(&left), buf_text(&right)) == 0;
    buf_clear(&left);
    buf_clear(&right);
    return same;
}

static void check_member(struct verification *v, const json *computed, const char *name)
{
    const json *expected = json_member(computed, name), *found = json_member(v->answer, name);
    struct buf left, right;

    buf_init(&left);
    buf_init(&right);
    if (expected != NULL)
        json_write(expected, &left);
    if (found != NULL)
        json_write(found, &right);
    verify_note(v, name, same_json(expected, found), "computed %.150s, found %.150s", buf_text(&left), buf_text(&right));
    buf_clear(&left);
    buf_clear(&right);
}

static void check_models(struct verification *v, const json *computed)
{
    const json *expected = json_member(computed, "models"), *found = json_member(v->answer, "models");
    const char *model = "";
    size_t len, same = 0;

    while (same < json_count(found) && same_json(json_at(expected, same), json_at(found, same)))
        same++;
    if (same < json_count(found) && json_get_text(json_member(json_at(found, same), "model"), &model, &len))
        verify_note(v, "models", false, "model %.66s: its prices or its cost are not those of the list, or its place is another", model);
    else
        verify_note(v, "models", json_count(expected) == json_count(found), "%zu models, each cost anew from the list's prices", same);
}

static void check_figures(struct verification *v, struct claimed_savings *c)
{
    static const char *const members[] = { "charged", "compared", "comparedCost", "referenceCost", "saved" };
    json *computed = json_new_object();
    struct err err = { 0 };
    const char *text;
    size_t len;
    struct buf csv;

    c->reference.token_price = c->statement.token_price;
    if (!savings_compare(&c->savings, &c->reference, c->statement.decimals, &err)) {
        verify_note(v, "figures", false, "%s", err.text);
        json_free(computed);
        return;
    }
    savings_put(&c->savings, computed);
    check_models(v, computed);
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        check_member(v, computed, members[i]);
    buf_init(&csv);
    savings_csv(&c->savings, &csv);
    verify_note(v, "csv", json_get_text(json_member(v->answer, "csv"), &text, &len) && strcmp(text, buf_text(&csv)) == 0, "the lines anew");
    buf_clear(&csv);
    json_free(computed);
}

static bool check_list(struct verification *v, struct claimed_savings *c, struct err *err)
{
    bool priced;

    if (!verify_list(v, c, &priced, err))
        return false;
    if (!priced)
        return true;
    check_figures(v, c);
    return verify_pinned(v, c, err);
}

/* -- the charges -- */

static void compare_numbers(struct verification *v, const struct claimed_savings *c, const struct savings *from_lines)
{
    const struct savings *s = &c->savings;
    bool same = s->count == from_lines->count;
    char model[HASH_TEXT] = "";

    for (size_t i = 0; same && i < s->count; i++) {
        const struct savings_line *a = &s->lines[i], *b = &from_lines->lines[i];

        same = hash_eq(a->model, b->model) && a->receipts == b->receipts && memcmp(a->tokens, b->tokens, sizeof a->tokens) == 0
            && amount_cmp(a->charged, b->charged) == 0;
        hash_to_text(a->model, model);
    }
    if (same)
        verify_note(v, "numbers", true, "receipts, tokens and charges of each model are the sums of the charge statement's lines");
    else
        verify_note(v, "numbers", false, "%s: the charge statement's lines sum to other numbers", model);
}

static void add_up(struct verification *v, const struct claimed_savings *c, const struct charges *charges)
{
    struct savings from_lines = { 0 };
    struct err err = { 0 };
    bool ok = true;

    for (size_t i = 0; ok && i < charges->count; i++) {
        const struct charge_line *line = &charges->lines[i];
        struct savings_line more = { line->model, 1, { line->count[METER_INPUT], line->count[METER_CACHED], line->count[METER_OUTPUT] },
                                     line->share, NULL, { U256_ZERO } };

        ok = savings_add(&from_lines, &more, &err);
    }
    if (ok)
        compare_numbers(v, c, &from_lines);
    else
        verify_note(v, "numbers", false, "%s", err.text);
    savings_clear(&from_lines);
}

static bool check_charges(struct verification *v, const struct claimed_savings *c, struct err *err)
{
    const struct savings_statement *s = &c->statement;
    struct charges charges = { 0 };
    bool ok = true;

    if (v->config->charges == NULL) {
        verify_unchecked(v, "without --charges: that the numbers are the sums of what the consumer was billed");
        return true;
    }
    if (verify_charge_statement(v, v->config->charges, &charges)) {
        verify_note(v, "charges-same", address_eq(charges.statement.consumer, s->consumer) && charges.statement.from_ms == s->from_ms
                    && charges.statement.until_ms == s->until_ms, "the charge statement is of this consumer and time");
        verify_hash(v, "charges-named", "the statement names these charges", charges.statement.digest, s->charges);
        add_up(v, c, &charges);
        ok = verify_archived(v, &charges, err);
    }
    free(charges.lines);
    return ok;
}

/* Each of them makes the comparison ten times as good, or as bad. */
static bool check_token(struct verification *v, const struct claimed_savings *c, struct err *err)
{
    char symbol[33];
    uint8_t decimals;

    if (v->config->rpc == NULL) {
        verify_unchecked(v, "without --rpc: that the token has %u decimals", c->statement.decimals);
        return true;
    }
    if (!token_describe(v->config->rpc, v->token, symbol, &decimals, err))
        return false;
    verify_note(v, "token-decimals", decimals == c->statement.decimals, "the token has %u, the statement says %u", decimals, c->statement.decimals);
    return true;
}

static bool check_all(struct verification *v, struct claimed_savings *c, struct err *err)
{
    const char *csv;
    size_t len;

    if (verify_shape(v, "savings", "csv", json_get_text(json_member(v->answer, "csv"), &csv, &len)))
        verify_hash(v, "digest", "SHA-256 of the lines", sha256(csv, len), c->statement.digest);
    if (!check_token(v, c, err) || !check_list(v, c, err) || !check_charges(v, c, err))
        return false;
    verify_signature(v, "signature", &c->signature, savings_struct_hash(&c->statement), c->signer);
    verify_signer_since(v, "savings", c->signer, c->statement.until_ms);
    return true;
}

bool verify_savings(struct verification *v, struct err *err)
{
    struct claimed_savings c = { 0 };
    bool ok = true;

    if (read_terms(v, &c) && read_numbers(v, &c))
        ok = check_all(v, &c, err);
    savings_clear(&c.savings);
    reference_clear(&c.reference);
    return ok;
}

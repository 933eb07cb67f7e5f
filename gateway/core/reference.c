#include "gateway/core/reference.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/amount.h"
#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/core/members.h"
#include "gateway/core/text.h"

void reference_clear(struct reference *r)
{
    free(r->models);
    *r = (struct reference){ 0 };
}

void dollars_to_text(struct dollars d, unsigned decimals, char text[160])
{
    amount_to_units((struct amount){ d.atto }, decimals, text);
}

bool dollars_from_json(const json *v, unsigned decimals, struct dollars *d)
{
    struct amount a;
    const char *text;
    size_t len;

    if (!json_get_text(v, &text, &len) || !amount_from_units(text, len, decimals, &a))
        return false;
    d->atto = a.base_units;
    return true;
}

static int by_model(const void *a, const void *b)
{
    const struct reference_model *left = a, *right = b;

    return memcmp(left->model.b, right->model.b, sizeof left->model.b);
}

const struct reference_model *reference_model_of(const struct reference *r, struct hash model)
{
    struct reference_model key = { .model = model };

    return r->count == 0 ? NULL : bsearch(&key, r->models, r->count, sizeof key, by_model);
}

/* -- reading -- */

static bool read_date(const json *v, char date[REFERENCE_DATE])
{
    static const unsigned days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    const char *text;
    size_t len;
    unsigned month, day;

    if (!json_get_text(v, &text, &len) || len != REFERENCE_DATE - 1)
        return false;
    for (size_t i = 0; i < len; i++)
        if (i == 4 || i == 7 ? text[i] != '-' : text[i] < '0' || text[i] > '9')
            return false;
    month = (unsigned)(text[5] - '0') * 10 + (unsigned)(text[6] - '0');
    day = (unsigned)(text[8] - '0') * 10 + (unsigned)(text[9] - '0');
    if (month < 1 || month > ARRAY_LEN(days) || day < 1 || day > days[month - 1])
        return false;
    memcpy(date, text, REFERENCE_DATE);
    return true;
}

static bool read_name(const json *object, const char *name, char text[REFERENCE_NAME_MAX + 1], struct err *err)
{
    const char *given;
    size_t len;

    if (!json_get_text(json_member(object, name), &given, &len) || len > REFERENCE_NAME_MAX
        || !text_is_plain(given, len, 1, REFERENCE_NAME_MAX))
        return err_set(err, ERR_INVALID, "models/%s: must be 1 to %d bytes without control characters", name, REFERENCE_NAME_MAX);
    memcpy(text, given, len);
    text[len] = '\0';
    return true;
}

static bool read_row(const json *object, struct reference_model *m, struct err *err)
{
    if (!json_get_hash(json_member(object, "model"), &m->model))
        return err_set(err, ERR_INVALID, "models/model: must be a digest of 0x and 64 hex digits");
    return read_name(object, "provider", m->provider, err) && read_name(object, "modelId", m->model_id, err);
}

static bool read_prices(const json *object, struct reference_model *m, struct err *err)
{
    return (dollars_from_json(json_member(object, "inputPerMillion"), PRICE_DECIMALS, &m->input)
            && dollars_from_json(json_member(object, "cachedPerMillion"), PRICE_DECIMALS, &m->cached)
            && dollars_from_json(json_member(object, "outputPerMillion"), PRICE_DECIMALS, &m->output)
            && json_get_bool(json_member(object, "cachedListed"), &m->cached_listed))
        || err_set(err, ERR_INVALID, "models: inputPerMillion, cachedPerMillion, cachedListed and outputPerMillion belong to each");
}

static bool read_models(const json *models, bool priced, struct reference *r, struct err *err)
{
    static const char *const names[] = { "model", "provider", "modelId", "inputPerMillion", "cachedPerMillion", "cachedListed",
                                         "outputPerMillion" };

    if (models == NULL || json_kind_of(models) != JSON_KIND_ARRAY || json_count(models) == 0 || json_count(models) > REFERENCE_MODELS_MAX)
        return err_set(err, ERR_INVALID, "models: must be an array of 1 to %u {model, provider, modelId}", REFERENCE_MODELS_MAX);
    r->models = mem_array(json_count(models), sizeof *r->models);
    for (; r->count < json_count(models); r->count++) {
        const json *row = json_at(models, r->count);
        struct reference_model *m = &r->models[r->count];

        if (!members_known(row, names, priced ? ARRAY_LEN(names) : 3, err))
            return err_prefix(err, "models");
        if (!read_row(row, m, err) || (priced && !read_prices(row, m, err)))
            return false;
    }
    qsort(r->models, r->count, sizeof *r->models, by_model);
    for (size_t i = 1; i < r->count; i++)
        if (hash_eq(r->models[i - 1].model, r->models[i].model))
            return err_set(err, ERR_INVALID, "models: a model stands there twice");
    return true;
}

static bool read_terms(const json *object, bool priced, struct reference *r, struct err *err)
{
    if (!read_date(json_member(object, "date"), r->date))
        return err_set(err, ERR_INVALID, "date: must be the list's day as YYYY-MM-DD");
    if (!dollars_from_json(json_member(object, "tokenPrice"), DOLLAR_DECIMALS, &r->token_price) || u256_is_zero(r->token_price.atto)
        || u256_bits(r->token_price.atto) > 128)
        return err_set(err, ERR_INVALID, "tokenPrice: must be a decimal string above 0 of US dollars for a whole token, with at most %d decimals",
                       DOLLAR_DECIMALS);
    return read_models(json_member(object, "models"), priced, r, err);
}

static bool finish(struct reference *made, bool ok, struct reference *r)
{
    if (ok)
        *r = *made;
    else
        reference_clear(made);
    return ok;
}

bool reference_from_draft(const json *object, struct reference *r, struct err *err)
{
    struct reference made = { 0 };

    return finish(&made, read_terms(object, false, &made, err), r);
}

bool reference_from_json(const json *object, struct reference *r, struct err *err)
{
    static const char *const names[] = { "version", "digest", "date", "currency", "tokenPrice", "models", "recordedAt" };
    struct reference made = { 0 };
    const char *currency;
    size_t len;
    bool ok = members_known(object, names, ARRAY_LEN(names), err);

    if (ok && !(json_get_u64(json_member(object, "version"), &made.version) && json_get_hash(json_member(object, "digest"), &made.digest)
                && json_get_u64(json_member(object, "recordedAt"), &made.recorded_at_ms)
                && json_get_text(json_member(object, "currency"), &currency, &len) && strcmp(currency, "USD") == 0))
        ok = err_set(err, ERR_INVALID, "version, digest, recordedAt, or a currency that is USD: missing or of another form");
    return finish(&made, ok && read_terms(object, true, &made, err), r);
}

/* One of the line, up to a comma. */
static bool add_pair(json *models, const char *text, size_t len, struct err *err)
{
    const char *equals = memchr(text, '=', len), *slash = equals == NULL ? NULL : memchr(equals, '/', len - (size_t)(equals - text));
    struct hash model;
    char *provider, *model_id;
    json *row;

    if (slash == NULL || !hash_from_text(text, (size_t)(equals - text), &model))
        return err_set(err, ERR_INVALID, "models: MODEL=PROVIDER/MODEL_ID, with commas between them; %.*s is none", (int)text_cut(text, 80), text);
    provider = mem_text_n(equals + 1, (size_t)(slash - equals - 1));
    model_id = mem_text_n(slash + 1, (size_t)(text + len - slash - 1));
    row = json_new_object();
    json_put_hash(row, "model", model);
    json_put_text(row, "provider", provider);
    json_put_text(row, "modelId", model_id);
    json_add(models, row);
    free(provider);
    free(model_id);
    return true;
}

bool reference_models_from_text(const char *text, json **models, struct err *err)
{
    json *list = json_new_array();
    bool ok = true;

    while (ok && *text != '\0') {
        size_t len = strcspn(text, ",");

        ok = add_pair(list, text, len, err);
        text += len + (text[len] == ',');
    }
    if (ok)
        *models = list;
    else
        json_free(list);
    return ok;
}

/* -- writing -- */

static void put_dollars(json *object, const char *name, struct dollars d, unsigned decimals)
{
    char text[160];

    dollars_to_text(d, decimals, text);
    json_put_text(object, name, text);
}

json *reference_model_to_json(const struct reference_model *m)
{
    json *row = json_new_object();

    json_put_hash(row, "model", m->model);
    json_put_text(row, "provider", m->provider);
    json_put_text(row, "modelId", m->model_id);
    put_dollars(row, "inputPerMillion", m->input, PRICE_DECIMALS);
    put_dollars(row, "cachedPerMillion", m->cached, PRICE_DECIMALS);
    json_put_bool(row, "cachedListed", m->cached_listed);
    put_dollars(row, "outputPerMillion", m->output, PRICE_DECIMALS);
    return row;
}

json *reference_terms(const struct reference *r)
{
    json *object = json_new_object();

    json_put_u64(object, "version", r->version);
    json_put_hash(object, "digest", r->digest);
    json_put_text(object, "date", r->date);
    json_put_text(object, "currency", "USD");
    put_dollars(object, "tokenPrice", r->token_price, DOLLAR_DECIMALS);
    return object;
}

json *reference_to_json(const struct reference *r)
{
    json *object = reference_terms(r), *models = json_new_array();

    for (size_t i = 0; i < r->count; i++)
        json_add(models, reference_model_to_json(&r->models[i]));
    json_put(object, "models", models);
    json_put_u64(object, "recordedAt", r->recorded_at_ms);
    return object;
}

bool reference_same(const struct reference *a, const struct reference *b)
{
    bool same = hash_eq(a->digest, b->digest) && strcmp(a->date, b->date) == 0 && u256_cmp(a->token_price.atto, b->token_price.atto) == 0
             && a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = hash_eq(a->models[i].model, b->models[i].model) && strcmp(a->models[i].provider, b->models[i].provider) == 0
            && strcmp(a->models[i].model_id, b->models[i].model_id) == 0;
    return same;
}

void reference_file_path(const char *dir, struct hash digest, char *path, size_t size)
{
    char text[HASH_TEXT];

    hash_to_text(digest, text);
    snprintf(path, size, "%s/%s.reference.csv", dir, text);
}

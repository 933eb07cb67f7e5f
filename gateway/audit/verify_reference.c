/* The reference list of a savings statement: its file, its prices, and what is pinned with it. */
#include "gateway/audit/verify_parts.h"

#include <inttypes.h>

#include "gateway/audit/references.h"
#include "gateway/lib/keccak.h"

/* {model, provider, modelId} of each line that is compared: what the list is asked for. */
static json *claimed_draft(const struct verification *v)
{
    const json *models = json_member(v->answer, "models");
    json *draft = json_new_object(), *list = json_new_array();

    for (size_t i = 0; i < json_count(models); i++) {
        const json *row = json_at(models, i), *reference = json_member(row, "reference");
        static const char *const names[] = { "model", "provider", "modelId" };
        json *pair = json_new_object();

        for (size_t n = 0; reference != NULL && n < ARRAY_LEN(names); n++) {
            const json *value = json_member(reference, names[n]);

            json_put(pair, names[n], value != NULL ? json_share(value) : json_new_null());
        }
        if (reference != NULL)
            json_add(list, pair);
        else
            json_free(pair);
    }
    json_put(draft, "date", json_share(verify_member(v, "reference", "date")));
    json_put(draft, "tokenPrice", json_share(verify_member(v, "reference", "tokenPrice")));
    json_put(draft, "models", list);
    return draft;
}

static bool find_list(struct verification *v, const struct claimed_savings *c, struct buf *csv, bool *found, struct err *err)
{
    const struct verify_config *config = v->config;

    *found = config->list != NULL;
    if (config->list != NULL) {
        buf_add(csv, config->list->data, config->list->len);
        return true;
    }
    if (config->published == NULL) {
        verify_unchecked(v, "without --list or --published: the prices of the reference list, and what follows from them");
        return true;
    }
    *found = reference_fetch_list(config->published, c->statement.list, csv, err);
    if (!*found && (err->code == ERR_NOT_FOUND || err->code == ERR_DIFFERS))
        verify_note(v, "list", false, "%s", err->text);
    return *found || err->code == ERR_NOT_FOUND || err->code == ERR_DIFFERS;
}

/* Where nothing is compared there is nothing to ask the list for. */
static bool price(struct verification *v, struct claimed_savings *c, const struct buf *csv)
{
    json *draft = claimed_draft(v);
    struct err err = { 0 };
    bool ok = verify_hash(v, "list-digest", "Keccak-256 of the list's file", keccak256(buf_text(csv), csv->len), c->statement.list);

    if (json_count(json_member(draft, "models")) > 0)
        ok = ((reference_from_draft(draft, &c->reference, &err) && reference_price(&c->reference, csv->data, csv->len, &err))
              || verify_note(v, "list-prices", false, "%s", err.text)) && ok;
    json_free(draft);
    return ok;
}

bool verify_list(struct verification *v, struct claimed_savings *c, bool *priced, struct err *err)
{
    struct buf csv;
    bool found, ok;

    buf_init_max(&csv, REFERENCE_CSV_MAX);
    ok = find_list(v, c, &csv, &found, err);
    *priced = ok && found && price(v, c, &csv);
    buf_clear(&csv);
    return ok;
}

bool verify_pinned(struct verification *v, const struct claimed_savings *c, struct err *err)
{
    struct reference pinned = { 0 };
    bool same;

    if (v->config->published == NULL) {
        verify_unchecked(v, "without --published: that version %" PRIu64 " pins these rows and this price of the token", c->version);
        return true;
    }
    if (!reference_fetch(v->config->published, c->version, &pinned, err)) {
        if (err->code != ERR_NOT_FOUND && err->code != ERR_DIFFERS)
            return false;
        verify_note(v, "list-pinned", false, "version %" PRIu64 ": %s", c->version, err->text);
        return true;
    }
    same = hash_eq(pinned.digest, c->statement.list) && strcmp(pinned.date, c->statement.list_date) == 0
        && u256_cmp(pinned.token_price.atto, c->statement.token_price.atto) == 0;
    for (size_t i = 0; same && i < c->savings.count; i++) {
        const struct reference_model *claimed = reference_model_of(&c->reference, c->savings.lines[i].model);
        const struct reference_model *published = reference_model_of(&pinned, c->savings.lines[i].model);

        same = (claimed == NULL) == (published == NULL)
            && (claimed == NULL || (strcmp(claimed->provider, published->provider) == 0 && strcmp(claimed->model_id, published->model_id) == 0));
    }
    verify_note(v, "list-pinned", same, "version %" PRIu64 " as published pins this list, its date, the token's price and these rows", c->version);
    reference_clear(&pinned);
    return true;
}

/* The prices of a reference list: which rows of its file count, and what they say. */
#include <inttypes.h>
#include <stdlib.h>

#include "gateway/base/amount.h"
#include "gateway/base/mem.h"
#include "gateway/core/csv.h"
#include "gateway/core/reference.h"
#include "gateway/lib/keccak.h"

enum column { PROVIDER, MODEL_ID, VALID_FROM, INPUT, CACHED, OUTPUT, TIER_INPUT, TIER_OUTPUT, COLUMNS };
static const char *const column_names[COLUMNS] = {
    [PROVIDER] = "provider", [MODEL_ID] = "model_id", [VALID_FROM] = "valid_from", [INPUT] = "input_usd_per_mtok",
    [CACHED] = "cache_read_usd_per_mtok", [OUTPUT] = "output_usd_per_mtok", [TIER_INPUT] = "tier_input_usd_per_mtok",
    [TIER_OUTPUT] = "tier_output_usd_per_mtok",
};

/* The lowest price so far that rows in force name for one model. */
struct lowest { bool any; struct dollars price; };
struct found { bool any; char valid_from[REFERENCE_DATE]; struct lowest input, cached, output; };
struct reading {
    struct reference *reference;
    struct csv csv;
    size_t column[COLUMNS], cells;            /* of the header */
    struct found *found;                      /* owned; of each model */
};

static bool read_header(struct reading *r, struct err *err)
{
    bool row;

    if (!csv_next(&r->csv, &row, err))
        return false;
    if (!row)
        return err_set(err, ERR_INVALID, "the file is empty");
    for (size_t i = 0; i < COLUMNS; i++) {
        r->column[i] = csv_column(&r->csv, column_names[i]);
        if (r->column[i] == CSV_CELLS_MAX)
            return err_set(err, ERR_INVALID, "row 1: there is no column %s", column_names[i]);
    }
    r->cells = r->csv.count;
    return true;
}

static struct csv_cell cell(const struct reading *r, enum column column)
{
    return r->csv.cell[r->column[column]];
}

static bool is(struct csv_cell c, const char *text)
{
    return c.len == strlen(text) && memcmp(c.text, text, c.len) == 0;
}

static bool take_price(struct reading *r, enum column column, struct lowest *lowest, struct err *err)
{
    struct csv_cell c = cell(r, column);
    struct amount a;

    if (c.len == 0)
        return true;
    if (!amount_from_units(c.text, c.len, PRICE_DECIMALS, &a) || u256_bits(a.base_units) > 96)
        return err_set(err, ERR_INVALID, "row %zu: %s: must be a decimal of at most %d decimals", r->csv.number, column_names[column],
                       PRICE_DECIMALS);
    if (!lowest->any || u256_cmp(a.base_units, lowest->price.atto) < 0)
        *lowest = (struct lowest){ true, { a.base_units } };
    return true;
}

static bool take_row(struct reading *r, struct found *f, struct err *err)
{
    struct csv_cell from = cell(r, VALID_FROM);

    if (from.len != 0 && from.len != REFERENCE_DATE - 1)
        return err_set(err, ERR_INVALID, "row %zu: valid_from: must be a day as YYYY-MM-DD, or empty", r->csv.number);
    /* Days in this form are in the order of their text, and no day stands before all others. */
    if (strcmp(from.text, r->reference->date) > 0 || (f->any && strcmp(from.text, f->valid_from) < 0))
        return true;
    if (!f->any || strcmp(from.text, f->valid_from) > 0)
        *f = (struct found){ .any = true };
    memcpy(f->valid_from, from.text, from.len + 1);
    return take_price(r, INPUT, &f->input, err) && take_price(r, TIER_INPUT, &f->input, err) && take_price(r, CACHED, &f->cached, err)
        && take_price(r, OUTPUT, &f->output, err) && take_price(r, TIER_OUTPUT, &f->output, err);
}

static bool read_rows(struct reading *r, struct err *err)
{
    bool row = true;

    while (csv_next(&r->csv, &row, err) && row) {
        if (r->csv.count != r->cells)
            return err_set(err, ERR_INVALID, "row %zu: %zu cells, and %zu columns", r->csv.number, r->csv.count, r->cells);
        if (r->csv.number > REFERENCE_ROWS_MAX)
            return err_set(err, ERR_LIMIT, "over %u rows", REFERENCE_ROWS_MAX);
        for (size_t i = 0; i < r->reference->count; i++)
            if (is(cell(r, PROVIDER), r->reference->models[i].provider) && is(cell(r, MODEL_ID), r->reference->models[i].model_id)
                && !take_row(r, &r->found[i], err))
                return false;
    }
    return !row;
}

static bool fill_in(struct reading *r, struct err *err)
{
    for (size_t i = 0; i < r->reference->count; i++) {
        struct reference_model *m = &r->reference->models[i];
        const struct found *f = &r->found[i];

        if (!f->any)
            return err_set(err, ERR_INVALID, "models: %s/%s has no row in force on %s", m->provider, m->model_id, r->reference->date);
        if (!f->input.any || !f->output.any)
            return err_set(err, ERR_INVALID, "models: %s/%s has no price for %s, and unknown is not free", m->provider, m->model_id,
                           f->input.any ? "output" : "input");
        m->input = f->input.price;
        m->output = f->output.price;
        m->cached = f->cached.any ? f->cached.price : f->input.price;
        m->cached_listed = f->cached.any;
    }
    return true;
}

bool reference_price(struct reference *r, const void *csv, size_t len, struct err *err)
{
    struct reading reading = { .reference = r };
    bool ok;

    if (len > REFERENCE_CSV_MAX)
        return err_set(err, ERR_LIMIT, "csv: over %zu bytes", REFERENCE_CSV_MAX);
    if (len > 0 && memchr(csv, 0, len) != NULL)
        return err_set(err, ERR_INVALID, "csv: holds a zero byte");
    csv_init(&reading.csv, len > 0 ? csv : "", len);
    reading.found = mem_array(r->count, sizeof *reading.found);
    ok = (read_header(&reading, err) && read_rows(&reading, err)) || err_prefix(err, "csv");
    ok = ok && fill_in(&reading, err);
    csv_clear(&reading.csv);
    free(reading.found);
    if (ok)
        r->digest = keccak256(len > 0 ? csv : "", len);
    return ok;
}

#include "gateway/core/charges.h"

#include <stdlib.h>

#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/core/csv.h"

/* What no carried batch and no new block changes. */
const char *const charge_columns[] = {
    "at", "jobId", "provider", "receipt", "model", "inputTokens", "cachedTokens", "outputTokens", "units", "computeMs", "priceVersion", "share",
    NULL
};
#define COLUMNS (ARRAY_LEN(charge_columns) - 1)

static bool read_u64(struct csv_cell c, uint64_t *number)
{
    struct u256 v;

    return u256_from_decimal(c.text, c.len, &v) && u256_to_u64(v, number);
}

static bool read_value(struct csv_cell c, size_t column, struct charge_line *line)
{
    switch (column) {
    case 0:  return read_u64(c, &line->at_ms);
    case 1:  return job_id_from_text(c.text, c.len, &line->job_id);
    case 2:  return address_from_text(c.text, c.len, &line->provider);
    case 3:  return hash_from_text(c.text, c.len, &line->receipt);
    case 4:  return hash_from_text(c.text, c.len, &line->model);
    case 10: return read_u64(c, &line->price_version);
    case 11: return u256_from_decimal(c.text, c.len, &line->share.base_units);
    default: return read_u64(c, &line->count[column - 5]) && line->count[column - 5] <= RECEIPT_COUNT_MAX;      /* the meters */
    }
}

static bool read_header(struct csv *csv, struct err *err)
{
    bool row;

    if (!csv_next(csv, &row, err))
        return false;
    for (size_t i = 0; row && i < COLUMNS; i++)
        row = csv->count == COLUMNS && csv_column(csv, charge_columns[i]) == i;
    return row || err_set(err, ERR_INVALID, "row 1: other columns than those of a charge statement");
}

static bool read_line(struct csv *csv, struct charge_line *line, struct err *err)
{
    if (csv->count != COLUMNS)
        return err_set(err, ERR_INVALID, "row %zu: %zu cells, and %zu columns", csv->number, csv->count, COLUMNS);
    for (size_t i = 0; i < COLUMNS; i++)
        if (!read_value(csv->cell[i], i, line))
            return err_set(err, ERR_INVALID, "row %zu: %s: %.80s is none", csv->number, charge_columns[i], csv->cell[i].text);
    return true;
}

static int by_job(const void *a, const void *b)
{
    const struct charge_line *left = a, *right = b;
    int order = memcmp(left->job_id.b, right->job_id.b, sizeof left->job_id.b);

    return order != 0 ? order : address_cmp(&left->provider, &right->provider);
}

static bool read_lines(struct csv *csv, struct charge_line **lines, size_t *count, struct err *err)
{
    bool row = true;

    while (csv_next(csv, &row, err) && row) {
        if (*count == CHARGE_LINES_MAX)
            return err_set(err, ERR_INVALID, "over %u lines", CHARGE_LINES_MAX);
        *lines = mem_grow(*lines, *count + 1, sizeof **lines);
        if (!read_line(csv, &(*lines)[*count], err))
            return false;
        (*count)++;
    }
    return !row;
}

static bool each_once(struct charge_line *lines, size_t count, struct err *err)
{
    char text[JOB_ID_TEXT];

    if (count > 1)
        qsort(lines, count, sizeof *lines, by_job);
    for (size_t i = 1; i < count; i++)
        if (by_job(&lines[i - 1], &lines[i]) == 0) {
            job_id_to_text(lines[i].job_id, text);
            return err_set(err, ERR_INVALID, "job %s stands there twice", text);
        }
    return true;
}

bool charge_lines_parse(const void *csv, size_t len, struct charge_line **lines, size_t *count, struct err *err)
{
    struct charge_line *read = NULL;
    struct csv rows;
    size_t found = 0;
    bool ok;

    csv_init(&rows, csv, len);
    ok = read_header(&rows, err) && read_lines(&rows, &read, &found, err) && each_once(read, found, err);
    csv_clear(&rows);
    if (!ok) {
        free(read);
        return false;
    }
    *lines = read;
    *count = found;
    return true;
}

struct charge_line *charge_line_find(struct charge_line *lines, size_t count, struct job_id job_id, struct address provider)
{
    struct charge_line key = { .job_id = job_id, .provider = provider };

    return count == 0 ? NULL : bsearch(&key, lines, count, sizeof *lines, by_job);
}

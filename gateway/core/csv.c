#include "gateway/core/csv.h"

#include <string.h>

void csv_init(struct csv *csv, const void *bytes, size_t len)
{
    *csv = (struct csv){ .at = bytes, .end = (const char *)bytes + len };
    buf_init(&csv->text);
}

void csv_clear(struct csv *csv)
{
    buf_clear(&csv->text);
}

static bool is_line_end(const struct csv *csv)
{
    return csv->at < csv->end && (*csv->at == '\n' || (*csv->at == '\r' && csv->at + 1 < csv->end && csv->at[1] == '\n'));
}

/* Behind the opening quote, up to behind the closing one. */
static bool read_quoted(struct csv *csv, struct err *err)
{
    while (csv->at < csv->end) {
        char c = *csv->at++;

        if (c == '"' && (csv->at == csv->end || *csv->at != '"'))
            return true;
        if (c == '"')
            csv->at++;
        buf_add_byte(&csv->text, (uint8_t)c);
    }
    return err_set(err, ERR_INVALID, "row %zu: a quote is not closed", csv->number);
}

static bool read_cell(struct csv *csv, struct err *err)
{
    if (csv->at < csv->end && *csv->at == '"') {
        csv->at++;
        if (!read_quoted(csv, err))
            return false;
        return csv->at == csv->end || *csv->at == ',' || is_line_end(csv)
            || err_set(err, ERR_INVALID, "row %zu: text behind a closing quote", csv->number);
    }
    for (; csv->at < csv->end && *csv->at != ',' && !is_line_end(csv); csv->at++) {
        if (*csv->at == '"')
            return err_set(err, ERR_INVALID, "row %zu: a quote within a cell that has none around it", csv->number);
        buf_add_byte(&csv->text, (uint8_t)*csv->at);
    }
    return true;
}

/* The cells lie one behind the other, each with a zero byte after it. */
static void place_cells(struct csv *csv, const size_t *starts)
{
    const char *text = buf_text(&csv->text);

    for (size_t i = 0; i < csv->count; i++) {
        size_t end = i + 1 < csv->count ? starts[i + 1] : csv->text.len;

        csv->cell[i] = (struct csv_cell){ text + starts[i], end - starts[i] - 1 };
    }
}

bool csv_next(struct csv *csv, bool *row, struct err *err)
{
    size_t starts[CSV_CELLS_MAX];
    bool more = true;

    *row = csv->at < csv->end;
    if (!*row)
        return true;
    csv->number++;
    csv->count = 0;
    buf_reset(&csv->text);
    while (more) {
        if (csv->count == CSV_CELLS_MAX)
            return err_set(err, ERR_INVALID, "row %zu: over %u cells", csv->number, CSV_CELLS_MAX);
        starts[csv->count++] = csv->text.len;
        if (!read_cell(csv, err))
            return false;
        buf_add_byte(&csv->text, 0);
        more = csv->at < csv->end && *csv->at == ',';
        csv->at += more;
    }
    if (csv->at < csv->end)
        csv->at += *csv->at == '\r' ? 2 : 1;
    if (csv->text.failed)
        return err_set(err, ERR_LIMIT, "row %zu: too long", csv->number);
    place_cells(csv, starts);
    return true;
}

size_t csv_column(const struct csv *csv, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < csv->count; i++)
        if (csv->cell[i].len == len && memcmp(csv->cell[i].text, name, len) == 0)
            return i;
    return CSV_CELLS_MAX;
}

static bool is_formula(const char *text, size_t len)
{
    return len > 1 && memchr("=+-@", *text, 4) != NULL;
}

void csv_add_text(struct buf *out, const char *text, size_t len)
{
    buf_add_byte(out, '"');
    if (is_formula(text, len))
        buf_add_byte(out, '\'');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            buf_add_byte(out, '"');
        buf_add_byte(out, (uint8_t)text[i]);
    }
    buf_add_byte(out, '"');
}

#include "api/statement_csv.h"

#include <inttypes.h>
#include <string.h>

#include "gateway/core/csv.h"

bool statement_wants_csv(const struct request *req)
{
    const char *format = request_query(req, "format");

    return format != NULL ? strcmp(format, "csv") == 0 : header_has(req->header.accept, "text/csv");
}

const char *const statement_columns[] = {
    "at", "kind", "jobId", "provider", "receipt", "adjustment", "epoch", "model", "role", "paidModel", "inputTokens", "cachedTokens", "outputTokens",
    "units", "computeMs", "priceVersion", "gross", "sign", "share", "reason", "batch", "sequence", "transaction", NULL
};

static void add_cell(const json *value, struct buf *out)
{
    uint64_t number;
    const char *text;
    size_t len;

    if (json_get_u64(value, &number)) {
        buf_printf(out, "%" PRIu64, number);
    } else if (json_get_text(value, &text, &len)) {
        csv_add_text(out, text, len);
    }
}

void statement_csv(const char *const *columns, const json *items, struct buf *out)
{
    for (size_t c = 0; columns[c] != NULL; c++)
        buf_printf(out, "%s%s", c == 0 ? "" : ",", columns[c]);
    buf_add_text(out, "\r\n");
    for (size_t i = 0; i < json_count(items); i++) {
        for (size_t c = 0; columns[c] != NULL; c++) {
            if (c > 0)
                buf_add_byte(out, ',');
            add_cell(json_member(json_at(items, i), columns[c]), out);
        }
        buf_add_text(out, "\r\n");
    }
}

#include "api/charge_statement.h"

#include "api/charge_lines.h"

static json *statement_to_json(const struct charge_lines *lines)
{
    const struct charge_statement *c = &lines->statement;
    json *object = json_new_object();

    json_put_address(object, "consumer", c->consumer);
    json_put_u64(object, "from", c->from_ms);
    json_put_u64(object, "until", c->until_ms);
    json_put_amount(object, "charged", c->charged);
    json_put_u64(object, "receipts", json_count(lines->items));
    json_put_text(object, "csv", buf_text(&lines->csv));
    json_put_hash(object, "digest", c->digest);
    return object;
}

void charge_statement_get(struct request *req, struct reply *reply)
{
    struct charge_lines lines;
    json *object;

    if (!charge_lines_read(req, &lines, reply))
        return;
    object = statement_to_json(&lines);
    if (statement_sign(req, charge_struct_hash(&lines.statement), object, reply))
        reply_json(reply, 200, object);
    else
        json_free(object);
    charge_lines_clear(&lines);
}

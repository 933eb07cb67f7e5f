/* gateway/cmd_reference.c - a reference price list from a file, by the running service or straight into [archive] dir. */
#include <string.h>

#include "api/reference_import.h"
#include "gateway/admin_client.h"
#include "gateway/commands.h"
#include "gateway/lib/file.h"
#include "gateway/open.h"

static bool by_service(struct admin_client *client, const json *draft, const struct buf *csv, struct err *err)
{
    json *body = json_new_object(), *answer = NULL;
    const char *text;
    size_t len;
    bool ok;

    json_put_text(body, "csv", buf_text(csv));
    json_put(body, "date", json_share(json_member(draft, "date")));
    json_put(body, "tokenPrice", json_share(json_member(draft, "tokenPrice")));
    json_put(body, "models", json_share(json_member(draft, "models")));
    /* The digest is of these bytes: no other may arrive. */
    ok = (json_get_text(json_member(body, "csv"), &text, &len) && len == csv->len && memcmp(text, buf_text(csv), len) == 0)
        || err_set(err, ERR_INVALID, "the file is not UTF-8, or holds a zero byte");
    ok = ok && admin_call(client, "POST", "/admin/v1/reference-prices", body, &answer, err);
    json_free(body);
    if (ok)
        print_json(answer);
    return ok;
}

static bool by_hand(const struct config *config, const json *draft, const struct buf *csv, struct err *err)
{
    struct reference r = { 0 };
    struct writer *writer;
    bool same, ok;

    if (!reference_from_draft(draft, &r, err))
        return false;
    ok = file_make_dir(config->archive.dir, 0700, err) && writer_open(config->store.url, &clock_system, &writer, err);
    if (ok) {
        ok = reference_import(writer, config->archive.dir, "command line", &r, csv, &same, err);
        writer_close(writer);
    }
    if (ok)
        print_json(reference_to_json(&r));
    reference_clear(&r);
    return ok;
}

static bool import(const struct args *args, const json *draft, const struct buf *csv, struct err *err)
{
    struct admin_client *client = NULL;
    struct config config;
    bool ok;

    if (!config_load(args->config, &config, err))
        return false;
    ok = admin_connect(&config, &client, err)
      && (client != NULL ? by_service(client, draft, csv, err) : by_hand(&config, draft, csv, err));
    admin_free(client);
    config_clear(&config);
    return ok;
}

static bool reference_run(const struct args *args, struct err *err)
{
    const char *date = args_value(args, "--date"), *price = args_value(args, "--token-price"), *models = args_value(args, "--models");
    json *draft, *list;
    struct buf csv;
    bool ok;

    if (strcmp(args->words[0], "import") != 0)
        return err_set(err, ERR_USAGE, "reference takes import, not %s", args->words[0]);
    if (date == NULL || price == NULL || models == NULL)
        return err_set(err, ERR_USAGE, "reference import needs --date, --token-price and --models");
    if (!reference_models_from_text(models, &list, err))
        return false;
    draft = json_new_object();
    json_put_text(draft, "date", date);
    json_put_text(draft, "tokenPrice", price);
    json_put(draft, "models", list);
    buf_init_max(&csv, REFERENCE_CSV_MAX);
    ok = file_read(args->words[1], REFERENCE_CSV_MAX, &csv, err) && import(args, draft, &csv, err);
    buf_clear(&csv);
    json_free(draft);
    return ok;
}

const struct command command_reference = {
    .name = "reference", .words = "import FILE", .words_min = 2, .words_max = 2,
    .summary = "import a list of others' prices, for savings statements",
    .text = "FILE is CSV with a row a model and at least the columns provider, model_id, valid_from, input_usd_per_mtok,\n"
            "cache_read_usd_per_mtok, output_usd_per_mtok, tier_input_usd_per_mtok and tier_output_usd_per_mtok: US dollars for 10^6\n"
            "tokens, empty = not known.  It is published byte for byte under its Keccak-256, with its date, the token's price and\n"
            "which row stands for which model, and never changed: another import is another version.  Prints what is pinned.",
    .run = reference_run,
    .options = { { "--date", "YYYY-MM-DD", "of the list's prices; rows valid from later do not count" },
                 { "--token-price", "DOLLARS", "what a whole settlement token is worth, as a decimal" },
                 { "--models", "MODEL=PROVIDER/MODEL_ID,...", "which row stands for which of our models" } },
};

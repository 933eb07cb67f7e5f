/* gateway/cmd_apikey.c - a new API key, by the running service or straight into the store. */
#include <stdio.h>
#include <string.h>

#include "api/apikeys.h"
#include "gateway/admin_client.h"
#include "gateway/base/mem.h"
#include "gateway/commands.h"
#include "gateway/open.h"

static bool new_by_service(struct admin_client *client, const char *role, const char *name, struct err *err)
{
    json *body = json_new_object(), *answer = NULL;
    bool ok;

    json_put_text(body, "role", role);
    json_put_text(body, "name", name);
    ok = admin_call(client, "POST", "/admin/v1/keys", body, &answer, err);
    json_free(body);
    if (ok)
        print_json(answer);
    return ok;
}

static bool new_in_store(const struct config *config, const char *role, const char *name, struct err *err)
{
    struct writer *writer;
    struct new_api_key key;
    json *out;
    bool ok;

    if (!writer_open(config->store.url, &clock_system, &writer, err))
        return false;
    ok = apikey_new(writer, "command line", role, name, &key, err);
    writer_close(writer);
    if (!ok)
        return false;
    out = json_new_object();
    json_put_text(out, "id", key.id);
    json_put_text(out, "key", key.text);
    json_put_text(out, "role", role);
    mem_wipe(&key, sizeof key);
    print_json(out);
    return true;
}

static bool apikey_run(const struct args *args, struct err *err)
{
    const char *role = args_value(args, "--role"), *name = args_value(args, "--name");
    struct config config;
    struct admin_client *client = NULL;
    bool ok;

    if (strcmp(args->words[0], "new") != 0)
        return err_set(err, ERR_USAGE, "apikey takes new, not %s", args->words[0]);
    if (role == NULL)
        return err_set(err, ERR_USAGE, "apikey new needs --role viewer|operator|admin");
    if (name == NULL)
        name = "made on the command line";
    if (!config_load(args->config, &config, err))
        return false;
    ok = admin_connect(&config, &client, err)
      && (client != NULL ? new_by_service(client, role, name, err) : new_in_store(&config, role, name, err));
    admin_free(client);
    config_clear(&config);
    return ok;
}

const struct command command_apikey = {
    .name = "apikey", .words = "new", .words_min = 1, .words_max = 1,
    .summary = "make an API key for the admin listener",
    .text = "Prints {\"id\",\"key\",\"role\"} once: only the key's SHA-256 is kept.  Roles: viewer reads everything; operator\n"
            "also decides about quarantined receipts and runs settlements; admin does all.  Send it as\n"
            "Authorization: Bearer KEY.",
    .run = apikey_run,
    .options = { { "--role", "ROLE", "viewer, operator or admin" }, { "--name", "TEXT", "whose it is, for the list of keys" } },
};

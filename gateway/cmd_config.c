/* gateway/cmd_config.c - is the configuration right, and what is in force? */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/commands.h"
#include "gateway/config_check.h"
#include "gateway/open.h"

static bool config_run(const struct args *args, struct err *err)
{
    const char *action = args->words[0];
    struct config config;

    if (strcmp(action, "check") != 0 && strcmp(action, "print") != 0)
        return err_set(err, ERR_USAGE, "config takes check or print, not %s", action);
    if (!config_load(args->config, &config, err))
        return false;
    if (strcmp(action, "print") == 0) {
        print_json(config_to_json(&config));
    } else {
        json *out = json_new_object();

        json_put_text(out, "config", config.path);
        json_put_bool(out, "ok", true);
        json_put(out, "warnings", config_warnings(&config, environ));
        print_json(out);
    }
    config_clear(&config);
    return true;
}

const struct command command_config = {
    .name = "config", .words = "check|print", .words_min = 1, .words_max = 1,
    .summary = "check the configuration; print every setting in force",
    .text = "check reads the file and the environment and says what is wrong, by line; its warnings name files that are\n"
            "not there and variables that are no setting.  print shows every setting as it is in force, defaults\n"
            "included.  QUITTANCE_SECTION_KEY in the environment wins over the file, for example\n"
            "QUITTANCE_CHAIN_CHAIN_ID.  Secrets are never in a configuration: it names the files that hold them.",
    .run = config_run,
};

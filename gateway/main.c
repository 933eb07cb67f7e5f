/* gateway/main.c - the table of commands, help, and exit codes (design 7). */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "chain/http.h"
#include "gateway/commands.h"
#include "gateway/lib/secp.h"

#define EXIT_USAGE 64              /* sysexits.h */
#define SUMMARY_COLUMN 37

static const struct command *const commands[] = {
    &command_init, &command_deploy, &command_serve, &command_settle, &command_status, &command_contract, &command_watch,
    &command_store, &command_key, &command_apikey, &command_receipt, &command_reference, &command_verify, &command_audit,
    &command_config,
};

static void print_help(void)
{
    printf("quittance - pays those who serve and make AI models, from signed receipts, provably\n\n"
           "usage: quittance [-c FILE] COMMAND ...\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        int width = printf("  %s%s%s", commands[i]->name, *commands[i]->words ? " " : "", commands[i]->words);

        if (width >= SUMMARY_COLUMN) {
            printf("\n");
            width = 0;
        }
        printf("%*s%s\n", SUMMARY_COLUMN - width, "", commands[i]->summary);
    }
    printf("\n`quittance COMMAND --help` tells more.  To begin: quittance init DIR\n"
           "JSON goes to stdout, logs to stderr.  Exit codes are those of sysexits.h: 0 done, also when there was nothing\n"
           "to do; 64 usage; 65 a published thing is wrong; 70 a person must look; 75 try again; 78 configuration.\n");
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* Keys live in this process: no core dumps, no debugger of the same user (PR_SET_DUMPABLE, prctl(2)). */
static void protect_process(void)
{
    const struct rlimit none = { 0, 0 };

    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
        fprintf(stderr, "quittance: cannot switch core dumps off\n");
    signal(SIGPIPE, SIG_IGN);
}

/* command: NULL where none is known yet. */
static int usage_error(const struct command *command, const char *text)
{
    fprintf(stderr, "quittance: %s\n", text);
    if (command == NULL)
        fprintf(stderr, "`quittance --help` lists the commands\n");
    else
        fprintf(stderr, "`quittance %s --help` tells more\n", command->name);
    return EXIT_USAGE;
}

static int run(const struct args *args)
{
    struct err err = { 0 };
    bool ok;

    protect_process();
    ok = secp_start(&err) && http_start(&err) && args->command->run(args, &err);
    http_stop();
    secp_stop();
    if (fflush(stdout) != 0 && ok)
        ok = err_set(&err, ERR_IO, "cannot write to stdout");
    if (ok)
        return 0;
    fprintf(stderr, "quittance: %s\n", err.text);
    return err_exit_code(&err);
}

int main(int argc, char **argv)
{
    const char *config = NULL;
    const struct command *command;
    struct args args;
    struct err err = { 0 };
    int at = 1;

    if (argc > 2 && strcmp(argv[1], "-c") == 0) {
        config = argv[2];
        at = 3;
    }
    if (at >= argc)
        return usage_error(NULL, "a command is needed");
    if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0 || strcmp(argv[at], "help") == 0) {
        print_help();
        return 0;
    }
    if (strcmp(argv[at], "--version") == 0) {
        printf("quittance " QUITTANCE_VERSION "\n");
        return 0;
    }
    command = find_command(argv[at]);
    if (command == NULL) {
        err_set(&err, ERR_USAGE, "there is no command %s", argv[at]);
        return usage_error(NULL, err.text);
    }
    if (!args_parse(command, argc - at - 1, argv + at + 1, &args, &err))
        return usage_error(command, err.text);
    if (args.config == NULL)
        args.config = config;
    if (args.help) {
        args_print_help(command);
        return 0;
    }
    return run(&args);
}

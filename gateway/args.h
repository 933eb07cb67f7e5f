/* gateway/args.h - the words of a command line, checked against the command's own list of options. */
#ifndef QUITTANCE_ARGS_H
#define QUITTANCE_ARGS_H

#include "gateway/base/types.h"

struct option {
    const char *name;              /* "--timeout" */
    const char *value;             /* what the value is called in the help; NULL: a flag */
    const char *help;
};
#define OPTIONS_MAX 24
#define WORDS_MAX 4

struct args;
struct command {
    const char *name;
    const char *words;             /* what stands behind the name: "DIR", "ACTION [VALUE]" */
    unsigned words_min, words_max;
    const char *summary;           /* one line for --help */
    const char *text;              /* the paragraphs of `quittance COMMAND --help` */
    MUST_USE bool (*run)(const struct args *args, struct err *err);
    struct option options[OPTIONS_MAX];
};
struct args {
    const struct command *command;
    const char *config;            /* -c FILE; NULL: not given */
    const char *words[WORDS_MAX];
    unsigned word_count;
    const char *values[OPTIONS_MAX];       /* by place in command->options; "" for a flag that is set */
    bool help;
};
/* ERR_USAGE: the caller exits 64. */
MUST_USE bool args_parse(const struct command *command, int count, char *const *words, struct args *args, struct err *err);
/* The value, "" for a set flag, or NULL.  Asking for an option the command does not list is a bug. */
const char *args_value(const struct args *args, const char *name);
bool args_flag(const struct args *args, const char *name);
/* fallback where not given; ERR_USAGE when it is no whole number up to max. */
MUST_USE bool args_u64(const struct args *args, const char *name, uint64_t fallback, uint64_t max, uint64_t *value, struct err *err);
void args_print_help(const struct command *command);

#endif

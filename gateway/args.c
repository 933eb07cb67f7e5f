/* gateway/args.c - options may stand before or after the words; `--` ends them; --name=value is --name value. */
#include "gateway/args.h"

#include <stdio.h>
#include <string.h>

static const struct option common[] = {
    { "-c", "FILE", "the configuration (else $QUITTANCE_CONFIG, else ./quittance.conf)" },
    { "--help", NULL, "show this" },
};

static int find_option(const struct command *command, const char *name, size_t len)
{
    for (int i = 0; i < OPTIONS_MAX && command->options[i].name != NULL; i++)
        if (strlen(command->options[i].name) == len && memcmp(command->options[i].name, name, len) == 0)
            return i;
    return -1;
}

/* Takes the option at words[*at]; moves *at on over a separate value. */
static bool take_option(struct args *args, int count, char *const *words, int *at, struct err *err)
{
    const char *word = words[*at], *equals = strchr(word, '=');
    size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
    int found = find_option(args->command, word, len);
    bool is_config = strcmp(word, "-c") == 0;

    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        args->help = true;
        return true;
    }
    if (found < 0 && !is_config)
        return err_set(err, ERR_USAGE, "%s has no option %.*s", args->command->name, (int)len, word);
    if (!is_config && args->command->options[found].value == NULL) {
        if (equals != NULL)
            return err_set(err, ERR_USAGE, "%.*s takes no value", (int)len, word);
        args->values[found] = "";
        return true;
    }
    if (equals == NULL && *at + 1 >= count)
        return err_set(err, ERR_USAGE, "%s needs a value", word);
    const char *value = equals != NULL ? equals + 1 : words[++*at];
    if (is_config)
        args->config = value;
    else
        args->values[found] = value;
    return true;
}

/* "new|import|address FILE": the first word must be one of these; names in capitals (URL|DIR) stand for anything. */
static bool is_listed(const char *words, const char *first)
{
    size_t list = strcspn(words, " "), len = strlen(first);

    if (memchr(words, '|', list) == NULL || *words < 'a')
        return true;
    for (const char *at = words; at < words + list; at += strcspn(at, "| ") + 1)
        if (strcspn(at, "| ") == len && memcmp(at, first, len) == 0)
            return true;
    return false;
}

MUST_USE bool args_parse(const struct command *command, int count, char *const *words, struct args *args, struct err *err)
{
    struct args parsed = { .command = command };
    bool options = true;

    for (int i = 0; i < count; i++) {
        if (options && strcmp(words[i], "--") == 0) {
            options = false;
        } else if (options && words[i][0] == '-' && words[i][1] != 0) {
            if (!take_option(&parsed, count, words, &i, err))
                return false;
        } else if (parsed.word_count == command->words_max) {
            return err_set(err, ERR_USAGE, "%s: one word too many: %s", command->name, words[i]);
        } else {
            parsed.words[parsed.word_count++] = words[i];
        }
    }
    if (!parsed.help && parsed.word_count < command->words_min)
        return err_set(err, ERR_USAGE, "%s needs %s", command->name, command->words);
    if (!parsed.help && parsed.word_count > 0 && !is_listed(command->words, parsed.words[0]))
        return err_set(err, ERR_USAGE, "%s takes %s, not %s", command->name, command->words, parsed.words[0]);
    *args = parsed;
    return true;
}

const char *args_value(const struct args *args, const char *name)
{
    int found = find_option(args->command, name, strlen(name));

    if (found < 0)
        bug("%s does not list %s", args->command->name, name);
    return args->values[found];
}

bool args_flag(const struct args *args, const char *name)
{
    return args_value(args, name) != NULL;
}

MUST_USE bool args_u64(const struct args *args, const char *name, uint64_t fallback, uint64_t max, uint64_t *value, struct err *err)
{
    const char *text = args_value(args, name);
    struct u256 v;
    uint64_t number;

    if (text == NULL) {
        *value = fallback;
        return true;
    }
    if (!u256_from_decimal(text, strlen(text), &v) || !u256_to_u64(v, &number) || number > max)
        return err_set(err, ERR_USAGE, "%s must be a whole number up to %llu", name, (unsigned long long)max);
    *value = number;
    return true;
}

void args_print_help(const struct command *command)
{
    printf("usage: quittance %s%s%s [options]\n\n%s\n", command->name, *command->words ? " " : "", command->words, command->text);
    printf("\noptions:\n");
    for (int i = 0; i < OPTIONS_MAX && command->options[i].name != NULL; i++) {
        const struct option *o = &command->options[i];
        char left[64];

        snprintf(left, sizeof left, "%s%s%s", o->name, o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
        printf("  %-24s %s\n", left, o->help);
    }
    for (size_t i = 0; i < ARRAY_LEN(common); i++) {
        char left[64];

        snprintf(left, sizeof left, "%s%s%s", common[i].name, common[i].value != NULL ? " " : "",
                 common[i].value != NULL ? common[i].value : "");
        printf("  %-24s %s\n", left, common[i].help);
    }
}

#include "chain/rpc_auth.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/lib/box.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"

#define AUTHORIZATION "Authorization: "

/* A word of a line, in place; NULL: none left. */
static char *next_word(char **line)
{
    char *word = *line + strspn(*line, " \t");
    size_t len = strcspn(word, " \t");

    if (len == 0)
        return NULL;
    *line = word + len + (word[len] != '\0');
    word[len] = '\0';
    return word;
}

/* What may stand in a header: printable ASCII. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < 0x20 || *text > 0x7e)
            return false;
    return true;
}

static bool is_private_enough(const char *name)
{
    static const char *const here[] = { "127.0.0.1", "localhost", "[::1]" };

    if (strncmp(name, "https://", 8) == 0)
        return true;
    if (strncmp(name, "http://", 7) != 0)
        return false;
    for (size_t i = 0; i < sizeof here / sizeof here[0]; i++) {
        size_t len = strlen(here[i]);

        if (strncmp(name + 7, here[i], len) == 0 && (name[7 + len] == ':' || name[7 + len] == '\0'))
            return true;
    }
    return false;
}

/* In memory of its own kind at once: a growing buffer would leave parts of it behind. */
static char *header_of(const char *scheme, const char *secret, size_t len)
{
    size_t size = strlen(AUTHORIZATION) + strlen(scheme) + 1 + len + 1;
    char *header = secret_new(size), *at = header;

    memcpy(at, AUTHORIZATION, strlen(AUTHORIZATION));
    at += strlen(AUTHORIZATION);
    memcpy(at, scheme, strlen(scheme));
    at += strlen(scheme);
    *at++ = ' ';
    memcpy(at, secret, len);
    at[len] = '\0';
    return header;
}

static char *basic_header(const char *secret)
{
    struct buf text;
    char *header;

    buf_init(&text);
    base64_add(secret, strlen(secret), &text);
    header = header_of("Basic", buf_text(&text), text.len);
    buf_wipe(&text);
    return header;
}

/* NULL: taken; else the rule that is broken. */
static const char *take_line(char *line, rpc_auth_taker *take, void *self)
{
    char *name = next_word(&line), *kind, *secret, *header;

    if (name == NULL || *name == '#')
        return NULL;
    kind = next_word(&line);
    secret = next_word(&line);
    if (kind == NULL || secret == NULL || next_word(&line) != NULL || !is_plain(secret))
        return "must be an endpoint, basic or bearer, and one secret without blanks";
    if (!is_private_enough(name))
        return "a secret needs https://, or http:// to this machine itself";
    if (strcmp(kind, "bearer") == 0)
        header = header_of("Bearer", secret, strlen(secret));
    else if (strcmp(kind, "basic") == 0 && strchr(secret, ':') != NULL)
        header = basic_header(secret);
    else
        return "must say basic USER:PASSWORD or bearer TOKEN";
    if (take(self, name, header))
        return NULL;
    secret_free(header);
    return "names no endpoint of [chain] rpc (its URL up to the path), or one that has a secret already";
}

bool rpc_auth_read(const char *path, rpc_auth_taker *take, void *self, struct err *err)
{
    const char *broken = NULL;
    struct buf text;
    unsigned number = 0;

    buf_init(&text);
    if (!file_read_secret(path, &text, err)) {
        buf_wipe(&text);
        return err_prefix(err, "[chain] rpc_auth");
    }
    for (char *line = (char *)text.data, *end; line != NULL && broken == NULL; line = end) {
        number++;
        end = strchr(line, '\n');
        if (end != NULL)
            *end++ = '\0';
        line[strcspn(line, "\r")] = '\0';
        broken = take_line(line, take, self);
    }
    buf_wipe(&text);
    return broken == NULL || err_set(err, ERR_CONFIG, "[chain] rpc_auth: %s:%u: %s", path, number, broken);
}

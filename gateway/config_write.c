/* gateway/config_write.c - sets keys of an INI file in place; every other line stays as its owner wrote it. */
#include <ctype.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/config.h"
#include "gateway/lib/file.h"

#define CONFIG_FILE_MAX (64 * KIB)

static bool line_is_section(const char *line, size_t len, const char *section)
{
    size_t n = strlen(section);

    return len >= n + 2 && line[0] == '[' && memcmp(line + 1, section, n) == 0 && line[n + 1] == ']';
}

static bool line_sets_key(const char *line, size_t len, const char *key)
{
    size_t n = strlen(key);

    /* A key that is only shown in a comment ("# contract =") counts as its place. */
    while (len > 0 && (*line == '#' || *line == ' ')) {
        line++;
        len--;
    }
    if (len <= n || memcmp(line, key, n) != 0)
        return false;
    for (line += n, len -= n; len > 0 && isspace((unsigned char)*line); line++, len--)
        ;
    return len > 0 && *line == '=';
}

static void add_setting(struct buf *out, const struct config_change *change)
{
    buf_printf(out, "%s = %s\n", change->key, change->value);
}

/* The text with one key set: its line replaced, or added at the end of its section, or both added at the end. */
static void apply(const char *text, const struct config_change *change, struct buf *out)
{
    bool inside = false, done = false;

    while (*text != 0) {
        const char *end = strchr(text, '\n');
        size_t len = end != NULL ? (size_t)(end - text) : strlen(text);

        if (len > 0 && text[0] == '[') {
            if (inside && !done) {
                add_setting(out, change);
                done = true;
            }
            inside = line_is_section(text, len, change->section);
        }
        if (inside && !done && line_sets_key(text, len, change->key)) {
            add_setting(out, change);
            done = true;
        } else {
            buf_add(out, text, len);
            buf_add_byte(out, '\n');
        }
        text += len + (end != NULL ? 1 : 0);
    }
    if (!done) {
        if (!inside)
            buf_printf(out, "\n[%s]\n", change->section);
        add_setting(out, change);
    }
}

MUST_USE bool config_write(const char *path, const struct config_change *changes, size_t count, struct err *err)
{
    struct buf text, next;
    bool ok = false;

    buf_init(&text);
    buf_init(&next);
    if (!file_read(path, CONFIG_FILE_MAX, &text, err))
        goto out;
    for (size_t i = 0; i < count; i++) {
        struct buf swap = text;

        buf_reset(&next);
        apply(buf_text(&text), &changes[i], &next);
        text = next;
        next = swap;
    }
    ok = file_write(path, text.data, text.len, 0600, err);
out:
    buf_clear(&text);
    buf_clear(&next);
    return ok;
}

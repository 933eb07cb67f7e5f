#include "gateway/lib/ini.h"

#include <ini.h>
#include <string.h>

#include "gateway/lib/file.h"

#define FILE_MAX ((size_t)1024 * 1024)

/* inih gives the handler no line number (it is a compile-time choice of the library), cuts lines longer than its
 * buffer into several, and takes an indented line for the rest of the value before.  So we hand it the lines. */
struct reading {
    const char *path;
    const char *next, *end;      /* of the text */
    int line;
    ini_entry_fn *entry;
    void *self;
    struct err *err;
    bool failed;
};

/* fgets for inih: one line, without the blanks it begins with; NULL at the end or after a failure. */
static char *next_line(char *line, int size, void *stream)
{
    struct reading *r = stream;
    const char *newline;
    size_t len;

    if (r->failed || r->next == r->end)
        return NULL;
    r->line++;
    newline = memchr(r->next, '\n', (size_t)(r->end - r->next));
    len = (size_t)((newline != NULL ? newline + 1 : r->end) - r->next);
    if (len >= (size_t)size || memchr(r->next, '\0', len) != NULL) {
        err_set(r->err, ERR_CONFIG, "%s:%d: %s", r->path, r->line,
                len >= (size_t)size ? "the line is too long" : "a zero byte");
        r->failed = true;
        return NULL;
    }
    memcpy(line, r->next, len);
    line[len] = '\0';
    r->next += len;
    len = strspn(line, " \t");
    memmove(line, line + len, strlen(line + len) + 1);
    return line;
}

/* Nonzero goes on (inih's convention). */
static int take_entry(void *user, const char *section, const char *key, const char *value)
{
    struct reading *r = user;

    if (!r->failed && !r->entry(r->self, section, key, value, r->line, r->err))
        r->failed = true;
    return !r->failed;
}

bool ini_read_file(const char *path, ini_entry_fn *entry, void *self, struct err *err)
{
    struct reading r = { .path = path, .entry = entry, .self = self, .err = err };
    struct buf text;
    bool ok = false;
    int bad_line;

    buf_init_max(&text, FILE_MAX);
    if (!file_read(path, FILE_MAX, &text, err))
        goto out;
    r.next = buf_text(&text);
    r.end = r.next + text.len;
    bad_line = ini_parse_stream(next_line, &r, take_entry, &r);
    if (!r.failed && bad_line != 0)
        err_set(err, ERR_CONFIG, "%s:%d: neither [section] nor key = value", path, bad_line);
    ok = !r.failed && bad_line == 0;
out:
    buf_wipe(&text);      /* may hold a URL with a key in it */
    return ok;
}

#include "gateway/lib/json_scan.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/lib/json.h"

#define NUMBER_BYTES "+-.0123456789Ee"
#define DIGITS "0123456789"

/* RFC 8259, section 6: -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?  token ends with a byte that is in no number. */
static bool is_number(const char *token, size_t len, bool *is_integer)
{
    const char *at = token + (*token == '-');
    size_t digits = strspn(at, DIGITS);

    if (digits == 0 || (digits > 1 && *at == '0'))
        return false;
    at += digits;
    *is_integer = (size_t)(at - token) == len;
    if (*at == '.') {
        digits = strspn(++at, DIGITS);
        if (digits == 0)
            return false;
        at += digits;
    }
    if (*at == 'e' || *at == 'E') {
        at += at[1] == '+' || at[1] == '-' ? 2 : 1;
        digits = strspn(at, DIGITS);
        if (digits == 0)
            return false;
        at += digits;
    }
    return (size_t)(at - token) == len;
}

/* The process never calls setlocale, so the point is a point. */
static bool is_held(const char *token, bool is_integer)
{
    if (!is_integer)
        return isfinite(strtod(token, NULL));
    errno = 0;
    (void)strtoll(token, NULL, 10);
    return errno != ERANGE;
}

/* Returns the length of the number at text, which it may overwrite: what is not held has at least five bytes. */
static size_t scan_number(char *text)
{
    size_t len = strspn(text, NUMBER_BYTES);
    bool is_integer;

    if (is_number(text, len, &is_integer) && !is_held(text, is_integer)) {
        memset(text, ' ', len);
        memcpy(text, "null", 4);
    }
    return len;
}

/* Returns the length of the string at text, quotes and all; up to len when it does not end. */
static size_t string_length(const char *text, size_t len, bool *has_nul)
{
    for (size_t i = 1; i < len; i++) {
        if (text[i] == '\\') {
            if (len - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0)
                *has_nul = true;
            i++;
        } else if (text[i] == '"') {
            return i + 1;
        }
    }
    *has_nul = false;
    return len;
}

/* A value with \u0000 becomes null like a number that is not held; as a name it stays, for jansson to refuse. */
static size_t scan_string(char *text, size_t len)
{
    bool has_nul = false;
    size_t used = string_length(text, len, &has_nul), next = used;

    while (next < len && strchr(" \t\r\n", text[next]) != NULL)
        next++;
    if (has_nul && (next == len || text[next] != ':')) {
        memset(text, ' ', used);
        memcpy(text, "null", 4);
    }
    return used;
}

bool json_scan(char *text, size_t len, struct err *err)
{
    size_t depth = 0, i = 0;

    /* jansson takes one after a number for the end of its read buffer and skips it. */
    if (memchr(text, '\0', len) != NULL)
        return err_set(err, ERR_INVALID, "a zero byte");
    while (i < len) {
        char c = text[i];

        if (c == '"')
            i += scan_string(text + i, len - i);
        else if (strchr(NUMBER_BYTES, c) != NULL && c != 'e' && c != 'E')
            i += scan_number(text + i);
        else {
            if ((c == '[' || c == '{') && ++depth > JSON_DEPTH_MAX)
                return err_set(err, ERR_INVALID, "nested deeper than %d", JSON_DEPTH_MAX);
            if ((c == ']' || c == '}') && depth > 0)
                depth--;
            i++;
        }
    }
    return true;
}

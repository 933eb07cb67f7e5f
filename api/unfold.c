#include "api/unfold.h"

#include <stdint.h>
#include <string.h>

/* Bytes of the heap, as jansson 2.14 and glibc take them on a 64-bit machine; tests/api/test_unfold.c measures. */
#define OBJECT 300u                           /* with its first table of 8 places, and its first value */
#define ARRAY 220u                            /* with its first 8 places, and its first value */
#define NEXT_VALUE 96u                        /* the largest: a text without its bytes; its place in an array */
#define MEMBER 120u                           /* the pair without its key's bytes; its places in the table */

static const uint16_t bytes_of[256] = { ['{'] = OBJECT, ['['] = ARRAY, [','] = NEXT_VALUE, [':'] = MEMBER };

/* Behind the closing quote of a text that begins at `at`; the end where it has none.  A quote is looked for again only when
 * the last one was an escaped one: no byte is looked at more than a few times. */
static const char *behind_text(const char *at, const char *end)
{
    const char *quote, *escape;

    while ((quote = memchr(at, '"', (size_t)(end - at))) != NULL) {
        while (at <= quote && (escape = memchr(at, '\\', (size_t)(quote - at))) != NULL)
            at = escape + 2;
        if (at <= quote)
            return quote + 1;
    }
    return end;
}

size_t unfold_bytes(const char *text, size_t len)
{
    const char *end = text + len;
    size_t bytes = len + NEXT_VALUE;

    while (text < end)
        if (*text == '"')
            text = behind_text(text + 1, end);
        else
            bytes += bytes_of[(uint8_t)*text++];
    return bytes;
}

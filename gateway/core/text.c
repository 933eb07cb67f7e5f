#include "gateway/core/text.h"

#include <string.h>

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t text_cut(const char *text, size_t max)
{
    size_t len = strnlen(text, max + 1);

    if (len <= max)
        return len;
    len = max;
    while (len > 0 && is_continuation(text[len]))
        len--;
    return len;
}

bool text_is_plain(const char *text, size_t len, size_t least, size_t most)
{
    size_t characters = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < 0x20 || c == 0x7f)
            return false;
        /* U+0080 to U+009F are C2 80 to C2 9F. */
        if (c == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0)
            return false;
        if (!is_continuation(text[i]))
            characters++;
    }
    return characters >= least && characters <= most;
}

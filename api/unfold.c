#include "api/unfold.h"

#include <stdbool.h>

/* Bytes of the heap, as jansson 2.14 and glibc take them on a 64-bit machine; tests/api/test_unfold.c measures. */
#define OBJECT 300u                           /* with its first table of 8 places, and its first value */
#define ARRAY 220u                            /* with its first 8 places, and its first value */
#define NEXT_VALUE 96u                        /* the largest: a text without its bytes; its place in an array */
#define MEMBER 120u                           /* the pair without its key's bytes; its places in the table */

size_t unfold_bytes(const char *text, size_t len)
{
    bool in_string = false;
    size_t bytes = len + NEXT_VALUE;

    for (size_t i = 0; i < len; i++) {
        if (in_string) {
            if (text[i] == '\\')
                i++;
            else
                in_string = text[i] != '"';
            continue;
        }
        switch (text[i]) {
        case '"': in_string = true; break;
        case '{': bytes += OBJECT; break;
        case '[': bytes += ARRAY; break;
        case ',': bytes += NEXT_VALUE; break;
        case ':': bytes += MEMBER; break;
        default:  break;
        }
    }
    return bytes;
}

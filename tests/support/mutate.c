#include "tests/support/mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void mutate_json(struct rng *rng, struct buf *text)
{
    static const char alphabet[] = "{}[]\",:0123456789abcdefxABCDEF-.eE \\nul\t";
    size_t at = rng_below(rng, text->len), run = 1 + rng_below(rng, 4);

    switch (rng_below(rng, 4)) {
    case 0:
        text->data[at] = (uint8_t)alphabet[rng_below(rng, sizeof alphabet - 1)];
        break;
    case 1:                                   /* any byte, also zero and what is no UTF-8 */
        text->data[at] = (uint8_t)rng_below(rng, 256);
        break;
    case 2:                                   /* some bytes gone */
        run = run < text->len - at ? run : text->len - at;
        memmove(text->data + at, text->data + at + run, text->len - at - run);
        text->len -= run;
        break;
    default:                                  /* one twice */
        assert_true(buf_add_byte(text, 0));
        memmove(text->data + at + 1, text->data + at, text->len - at - 1);
        break;
    }
    text->data[text->len] = '\0';
}

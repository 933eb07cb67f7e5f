#include "gateway/lib/box.h"

#include <pthread.h>
#include <sodium.h>

_Static_assert(crypto_secretbox_KEYBYTES == sizeof (struct hash), "a key is 32 bytes");
_Static_assert(crypto_secretbox_NONCEBYTES == sizeof (struct box_nonce), "a nonce is 24 bytes");
_Static_assert(crypto_secretbox_MACBYTES == BOX_OVERHEAD, "Poly1305 adds 16 bytes");

/* Before it, the library takes its slowest code. */
static void start(void)
{
    if (sodium_init() < 0)
        bug("libsodium does not start");
}

static pthread_once_t started = PTHREAD_ONCE_INIT;

static void take_back(struct buf *out, size_t had)
{
    out->len = had;
    if (out->data != NULL)
        out->data[had] = '\0';
}

void box_seal(const struct hash *key, const struct box_nonce *nonce, const void *plain, size_t len, struct buf *out)
{
    uint8_t *room = buf_extend(out, len + BOX_OVERHEAD);

    pthread_once(&started, start);
    if (room != NULL)
        crypto_secretbox_easy(room, plain, len, nonce->b, key->b);
}

bool box_open(const struct hash *key, const struct box_nonce *nonce, const void *box, size_t len, struct buf *out)
{
    size_t had = out->len;
    uint8_t *room;

    pthread_once(&started, start);
    if (len < BOX_OVERHEAD || (room = buf_extend(out, len - BOX_OVERHEAD)) == NULL)
        return false;
    if (crypto_secretbox_open_easy(room, box, len, nonce->b, key->b) == 0)
        return true;
    take_back(out, had);
    return false;
}

void base64_add(const void *bytes, size_t len, struct buf *text)
{
    size_t size = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL);
    uint8_t *room = buf_extend(text, size);

    if (room == NULL)
        return;
    sodium_bin2base64((char *)room, size, bytes, len, sodium_base64_VARIANT_ORIGINAL);
    text->len--;                              /* its zero byte: a buf has one of its own */
}

bool base64_read(const char *text, size_t len, struct buf *out)
{
    size_t had = out->len, got;
    uint8_t *room = buf_extend(out, len / 4 * 3 + 3);

    if (room == NULL)
        return false;
    if (sodium_base642bin(room, len / 4 * 3 + 3, text, len, NULL, &got, NULL, sodium_base64_VARIANT_ORIGINAL) != 0) {
        take_back(out, had);
        return false;
    }
    take_back(out, had + got);
    return true;
}

#include "gateway/lib/address_text.h"

#include "gateway/lib/keccak.h"

/* The same few addresses are written again and again, and each takes a hash: a thread keeps some of its last. */
#define KEPT 64u
static _Thread_local struct { struct address address; char text[ADDRESS_TEXT]; } kept[KEPT];

/* EIP-55: a letter is upper case when the digit of the same place in the hash of the lower-case text is 8 or more. */
static void write_text(struct address a, char text[ADDRESS_TEXT])
{
    struct hash h;

    hex_encode(a.b, sizeof a.b, text);
    h = keccak256(text + 2, 2 * sizeof a.b);
    for (size_t i = 0; i < 2 * sizeof a.b; i++) {
        unsigned digit = i % 2 == 0 ? h.b[i / 2] >> 4 : h.b[i / 2] & 15;

        if (text[2 + i] >= 'a' && digit >= 8)
            text[2 + i] = (char)(text[2 + i] - 'a' + 'A');
    }
}

void address_to_text(struct address a, char text[ADDRESS_TEXT])
{
    size_t place = (a.b[0] ^ a.b[sizeof a.b - 1]) % KEPT;

    if (kept[place].text[0] == '\0' || memcmp(a.b, kept[place].address.b, sizeof a.b) != 0) {
        write_text(a, kept[place].text);
        kept[place].address = a;
    }
    memcpy(text, kept[place].text, ADDRESS_TEXT);
}

bool address_checksum_fits(const char *text, size_t len)
{
    char checksum[ADDRESS_TEXT];
    struct address a;
    bool lower = false, upper = false;

    if (!address_from_text(text, len, &a))
        return false;
    for (size_t i = 2; i < len; i++) {
        lower |= text[i] >= 'a';
        upper |= text[i] >= 'A' && text[i] <= 'F';
    }
    address_to_text(a, checksum);
    return !lower || !upper || memcmp(text, checksum, len) == 0;
}

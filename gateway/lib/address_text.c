#include "gateway/lib/address_text.h"

#include "gateway/lib/keccak.h"

/* EIP-55: a letter is upper case when the digit of the same place in the hash of the lower-case text is 8 or more. */
void address_to_text(struct address a, char text[ADDRESS_TEXT])
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

#include "gateway/lib/address_text.h"

#include "tests/support/vectors.h"

static void checksum_is_written_and_accepted(void **state)
{
    const json *row = *state;
    const char *want = vector_text(row, "checksum");
    char text[ADDRESS_TEXT];

    address_to_text(vector_address(row, "address"), text);
    assert_string_equal(text, want);
    assert_true(address_checksum_fits(want, strlen(want)));
    hex_encode(vector_address(row, "address").b, 20, text);
    assert_true(address_checksum_fits(text, strlen(text)));
    for (size_t i = 2; i < ADDRESS_TEXT - 1; i++)
        if (text[i] >= 'a')
            text[i] = (char)(text[i] - 'a' + 'A');
    assert_true(address_checksum_fits(text, strlen(text)));
}

static void is_refused(void **state)
{
    const char *input = vector_text(*state, "input");

    assert_false(address_checksum_fits(input, strlen(input)));
}

int main(void)
{
    static const struct vector_group groups[] = {
        { "vectors",   checksum_is_written_and_accepted },
        { "checksums", checksum_is_written_and_accepted },
        { "reject",    is_refused },
    };

    return vectors_run("address", groups, ARRAY_LEN(groups), NULL, NULL);
}

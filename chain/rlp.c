#include "chain/rlp.h"

/* Yellow paper, appendix B: the first byte tells the kind; up to 55 bytes of payload the length is in it, beyond
 * that it counts the length's own bytes. */
#define STRING_BASE 0x80u
#define LIST_BASE 0xc0u
#define SHORT_MAX 55u
#define LENGTH_BYTES_MAX 8u

static void add_header(struct buf *out, unsigned base, size_t len)
{
    uint8_t be[LENGTH_BYTES_MAX];
    size_t first = sizeof be;

    if (len <= SHORT_MAX) {
        buf_add_byte(out, (uint8_t)(base + len));
        return;
    }
    for (uint64_t rest = len; rest > 0; rest >>= 8)
        be[--first] = (uint8_t)rest;
    buf_add_byte(out, (uint8_t)(base + SHORT_MAX + (sizeof be - first)));
    buf_add(out, be + first, sizeof be - first);
}

void rlp_add_bytes(struct buf *out, const void *bytes, size_t len)
{
    /* A byte below 0x80 stands for itself. */
    if (len != 1 || *(const uint8_t *)bytes >= STRING_BASE)
        add_header(out, STRING_BASE, len);
    buf_add(out, bytes, len);
}

void rlp_add_u256(struct buf *out, struct u256 v)
{
    uint8_t be[32];
    size_t first = 0;

    u256_to_be(v, be);
    while (first < sizeof be && be[first] == 0)
        first++;
    rlp_add_bytes(out, be + first, sizeof be - first);
}

void rlp_add_u64(struct buf *out, uint64_t v)
{
    rlp_add_u256(out, u256_from_u64(v));
}

void rlp_add_list(struct buf *out, const struct buf *items)
{
    add_header(out, LIST_BASE, items->len);
    buf_add(out, items->data, items->len);
    out->failed |= items->failed;
}

/* The length that follows a first byte of the long form, canonical: no leading zero, over 55. */
static bool read_long_length(const uint8_t *bytes, size_t len, size_t count, size_t *payload, struct err *err)
{
    uint64_t v = 0;

    if (len < 1 + count)
        return err_set(err, ERR_INVALID, "RLP: the length is cut off");
    if (bytes[1] == 0)
        return err_set(err, ERR_INVALID, "RLP: a length begins with zero");
    for (size_t i = 1; i <= count; i++)
        v = v << 8 | bytes[i];
    if (v <= SHORT_MAX)
        return err_set(err, ERR_INVALID, "RLP: a short length in the long form");
    if (v > len - 1 - count)
        return err_set(err, ERR_INVALID, "RLP: an item longer than its input");
    *payload = (size_t)v;
    return true;
}

bool rlp_read(const uint8_t *bytes, size_t len, struct rlp_item *item, size_t *used, struct err *err)
{
    size_t head = 1, payload = 0;
    unsigned first, base;

    if (len == 0)
        return err_set(err, ERR_INVALID, "RLP: nothing to read");
    first = bytes[0];
    if (first < STRING_BASE) {
        *item = (struct rlp_item){ .is_list = false, .data = bytes, .len = 1 };
        *used = 1;
        return true;
    }
    base = first < LIST_BASE ? STRING_BASE : LIST_BASE;
    if (first - base <= SHORT_MAX) {
        payload = first - base;
        if (payload > len - 1)
            return err_set(err, ERR_INVALID, "RLP: an item longer than its input");
    } else {
        head += first - base - SHORT_MAX;
        if (!read_long_length(bytes, len, head - 1, &payload, err))
            return false;
    }
    if (base == STRING_BASE && payload == 1 && bytes[head] < STRING_BASE)
        return err_set(err, ERR_INVALID, "RLP: a byte below 0x80 with a length");
    *item = (struct rlp_item){ .is_list = base == LIST_BASE, .data = bytes + head, .len = payload };
    *used = head + payload;
    return true;
}

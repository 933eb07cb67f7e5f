#include "gateway/core/archive_fast.h"

#include "gateway/core/fast.h"

static bool take_signatures(struct fast *c, struct archive_receipt *r)
{
    if (!fast_signatures(c, &r->receipt))
        return false;
    r->has_bundle = !r->receipt.has_signature;
    return !r->has_bundle
        || (fast_name(c, "bundle") && fast_hex(c, r->bundle_root.b, sizeof r->bundle_root.b)
            && fast_name(c, "index") && fast_number(c, &r->bundle_index));
}

bool archive_fast_receipt(const char *text, size_t len, struct archive_receipt *receipt)
{
    struct fast c = { text, text + len };
    struct archive_receipt r = { 0 };

    if (!FAST(&c, "{\"type\":\"receipt\"") || !fast_receipt(&c, ",", &r.receipt.receipt)
        || !take_signatures(&c, &r) || !fast_name(&c, "salt") || !fast_hex(&c, r.salt.b, sizeof r.salt.b)
        || !fast_name(&c, "acceptedAt") || !fast_number(&c, &r.accepted_at_ms)
        || !fast_name(&c, "priceVersion") || !fast_number(&c, &r.price_version)
        || !fast_name(&c, "amount") || !fast_amount(&c, &r.amount) || !FAST(&c, "}") || c.at != c.end)
        return false;
    *receipt = r;
    return true;
}

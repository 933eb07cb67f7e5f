/* The quote that fixed a receipt's price: that the receipt names it, that it binds, that the gateway signed it. */
#include "gateway/audit/verify_parts.h"

#include <inttypes.h>

#include "gateway/core/quote.h"

void verify_quote(struct verification *v)
{
    const json *object = json_member(v->answer, "quote");
    const struct receipt *r = &v->receipt.receipt;
    struct issued_quote q;
    struct err err = { 0 };
    uint64_t version;

    if (object == NULL || !v->has_hash)
        return;
    if (!quote_from_json(object, &q, &err)) {
        verify_note(v, "quote", false, "%s", err.text);
        return;
    }
    verify_hash(v, "quote", "the receipt names it", quote_struct_hash(&q.quote), r->quote);
    verify_note(v, "quote-binds", quote_matches(&q.quote, r), "model, provider and consumer are the receipt's, startedAt %" PRIu64
                " is not after validUntil %" PRIu64, r->started_at_ms, q.quote.valid_until_ms);
    verify_note(v, "quote-price", json_get_u64(json_member(v->answer, "priceVersion"), &version) && version == q.quote.price_version,
                "the receipt is priced by version %" PRIu64, q.quote.price_version);
    verify_signature(v, "quote-signature", &q.signature, quote_struct_hash(&q.quote), q.signer);
    verify_signer(v, "quote", q.signer, q.issued_at_ms);
}

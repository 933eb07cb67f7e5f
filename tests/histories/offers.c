/* What is said before a job: announced capacity, quoted prices. */
#include "tests/histories/driver.h"

#include "gateway/intake/offer.h"

bool do_capacity(const json *in, json *out, struct err *err)
{
    const struct party *provider = person(in, "provider");
    struct announcement a = { .capacity = { provider->address, digest(in, "model"), number(in, "unitsPerSecond"),
                                            number(in, "validFrom"), number(in, "validUntil") } };
    enum admit_result result;

    (void)out;
    a.signature = world_sign_hash(here.world, provider, capacity_struct_hash(&a.capacity));
    return announce_capacity(here.world->intake, &a, &result, err);
}

/* The hash that receipts name it by, until when it binds, and the price that it fixes. */
bool do_quote(const json *in, json *out, struct err *err)
{
    struct quoting q = { .quote.quote.model = digest(in, "model") };

    if (number(in, "provider") != 0)
        q.quote.quote.provider = person(in, "provider")->address;
    if (number(in, "consumer") != 0)
        q.quote.quote.consumer = person(in, "consumer")->address;
    if (!issue_quote(here.world->intake, &q, NULL, NULL, err))
        return false;
    json_put_hash(out, "quote", quote_struct_hash(&q.quote.quote));
    json_put_u64(out, "validUntil", q.quote.quote.valid_until_ms);
    json_put(out, "price", price_to_json(&q.price));
    return true;
}

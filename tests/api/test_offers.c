/* What is said before a job, over HTTP: announced capacity, quotes, and a model's prices. */
#include "tests/api/service.h"

#include <inttypes.h>

static void capacity_text(struct service *s, const struct party *who, const struct party *signer, uint64_t units, char text[1000])
{
    struct world *w = s->w;
    struct capacity c = { who->address, w->model, units, w->now_ms, w->now_ms + 60000 };
    struct signature sig = world_sign_hash(w, signer, capacity_struct_hash(&c));
    char provider[ADDRESS_TEXT], model[HASH_TEXT], signature[2 * sizeof sig.b + 3];

    address_to_text(c.provider, provider);
    hash_to_text(c.model, model);
    hex_encode(sig.b, sizeof sig.b, signature);
    snprintf(text, 1000, "{\"provider\":\"%s\",\"model\":\"%s\",\"unitsPerSecond\":%" PRIu64 ",\"validFrom\":%" PRIu64
             ",\"validUntil\":%" PRIu64 ",\"signature\":\"%s\"}", provider, model, c.units_per_second, c.valid_from_ms, c.valid_until_ms,
             signature);
}

static void capacity_is_taken_once_from_whom_it_is_signed_by(void **state)
{
    struct service *s = *state;
    char text[1000];
    struct answer a;

    capacity_text(s, &s->w->node, &s->w->node, 7, text);
    a = post(s, "/v1/capacity", "application/json", text);
    assert_status(&a, 201);
    assert_number_at(&a, "unitsPerSecond", 7);
    assert_non_null(at(a.body, "recordedAt"));
    answer_clear(&a);
    expect(post(s, "/v1/capacity", "application/json", text), 200);
    capacity_text(s, &s->w->node, &s->w->node, 8, text);      /* the same validFrom: not newer */
    expect_problem(post(s, "/v1/capacity", "application/json", text), 409, "conflict");
    capacity_text(s, &s->w->other, &s->w->node, 8, text);
    expect_problem(post(s, "/v1/capacity", "application/json", text), 422, "invalid-signature");
    capacity_text(s, &s->w->stranger, &s->w->stranger, 8, text);
    expect_problem(post(s, "/v1/capacity", "application/json", text), 422, "invalid");
    expect_problem(post(s, "/v1/capacity", "application/json", "{\"provider\":1}"), 422, "malformed");
    expect_problem(post(s, "/v1/capacity", "application/json", "{"), 400, "malformed");
}

static void a_quote_is_given_once_for_an_idempotency_key(void **state)
{
    struct service *s = *state;
    char model[HASH_TEXT], body[200];
    struct answer first, again;
    struct asking q = { .method = "POST", .path = "/v1/quotes", .type = "application/json", .header = "Idempotency-Key: one", .body = body };

    hash_to_text(s->w->model, model);
    q.len = (size_t)snprintf(body, sizeof body, "{\"model\":\"%s\"}", model);
    first = ask(s, q);
    assert_status(&first, 201);
    assert_text_at(&first, "price.perMillion.inputTokens", "2000000");
    assert_text_at(&first, "provider", "0x0000000000000000000000000000000000000000");
    s->w->now_ms += 5000;
    again = ask(s, q);
    assert_status(&again, 201);
    assert_string_equal(buf_text(&first.text), buf_text(&again.text));
    answer_clear(&again);
    answer_clear(&first);
    expect_problem(post(s, "/v1/quotes", "application/json", "{\"model\":\"0x12\"}"), 422, "malformed");
    expect_problem(post(s, "/v1/quotes", "application/json", "{\"modell\":\"0x12\"}"), 422, "malformed");
    snprintf(body, sizeof body, "{\"model\":\"0x%064d\"}", 5);
    expect_problem(post(s, "/v1/quotes", "application/json", body), 404, "not-found");
}

/* Newest effectiveFrom first; "*" only from before the model had a price of its own. */
static void a_model_shows_its_price_now_and_before(void **state)
{
    struct service *s = *state;
    struct price_version p = { .model = s->w->model, .split_bps = { 7000, 2500, 500 }, .market = { 60, 5000, 500, 100, 5000, 20000 } };
    char model[HASH_TEXT], path[100];
    struct err err = { 0 };
    struct answer a;

    p.effective_from_ms = s->w->now_ms;
    p.per_million[METER_INPUT] = amount_from_u64(5);
    must_work(add_price(s->w->intake, "test", &p, &err), &err);
    hash_to_text(s->w->model, model);
    snprintf(path, sizeof path, "/v1/models/%s", model);
    a = get(s, path);
    assert_status(&a, 200);
    assert_number_at(&a, "price.version", p.version);
    assert_int_equal(json_count(at(a.body, "prices")), 2);
    assert_number_at(&a, "prices.0.version", p.version);
    assert_number_at(&a, "prices.0.market.maxStep", 100);
    assert_text_at(&a, "prices.1.model", "*");
    assert_number_at(&a, "market.base", p.version);
    assert_text_at(&a, "market.multiplier", "1000000000000000000");
    answer_clear(&a);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, service_setup, service_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(capacity_is_taken_once_from_whom_it_is_signed_by), TEST(a_quote_is_given_once_for_an_idempotency_key),
        TEST(a_model_shows_its_price_now_and_before),
    };

    return cmocka_run_group_tests_name("offers", tests, NULL, NULL);
}

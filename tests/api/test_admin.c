/* The admin calls: who is admitted, prices, quarantine, keys, and what the audit log says about them. */
#include "tests/api/service.h"

static const char node9[] = "0x9999999999999999999999999999999999999999";

static void providers_are_admitted_changed_and_expelled(void **state)
{
    struct service *s = *state;
    const char *key = s->admin_key.text;
    char path[96];
    struct answer a;

    a = admin(s, "POST", "/admin/v1/providers", key, "{\"address\":\"0x9999999999999999999999999999999999999999\",\"name\":\"nine\",\"dailyLimit\":\"5\"}");
    assert_status(&a, 201);
    assert_text_at(&a, "name", "nine");
    assert_text_at(&a, "dailyLimit", "5");
    answer_clear(&a);
    expect(admin(s, "POST", "/admin/v1/providers", key, "{\"address\":\"0x9999999999999999999999999999999999999999\",\"name\":\"nine\",\"dailyLimit\":\"5\"}"), 200);
    expect_problem(admin(s, "POST", "/admin/v1/providers", key, "{\"address\":\"0x9999999999999999999999999999999999999999\",\"name\":\"ten\"}"), 409, "conflict");
    snprintf(path, sizeof path, "/admin/v1/providers/%s", node9);
    a = admin(s, "PATCH", path, key, "{\"dailyLimit\":null,\"name\":\"new\"}");
    assert_status(&a, 200);
    assert_text_at(&a, "name", "new");
    assert_null(at(a.body, "dailyLimit"));
    answer_clear(&a);
    expect(admin(s, "GET", path, s->viewer.text, NULL), 200);
    expect(admin(s, "DELETE", path, key, NULL), 204);
    expect_problem(admin(s, "PATCH", path, key, "{\"name\":\"x\"}"), 409, "conflict");
    expect(admin(s, "GET", "/admin/v1/consumers", s->viewer.text, NULL), 200);
}

static void bad_members_are_named(void **state)
{
    struct service *s = *state;
    const char *key = s->admin_key.text;
    static const struct { const char *path, *body, *part; } cases[] = {
        { "/admin/v1/providers", "{\"address\":\"0x99\",\"name\":\"a\"}", "address" },
        { "/admin/v1/providers", "{\"name\":\"a\"}", "address" },
        { "/admin/v1/providers", "{\"address\":\"0x9999999999999999999999999999999999999999\",\"name\":\"\"}", "name" },
        { "/admin/v1/providers", "{\"address\":\"0x9999999999999999999999999999999999999999\",\"name\":\"a\",\"dailyLimit\":5}", "dailyLimit" },
        { "/admin/v1/providers", "{\"address\":\"0x9999999999999999999999999999999999999999\",\"name\":\"a\",\"nick\":1}", "nick" },
        { "/admin/v1/keys", "{\"role\":\"root\",\"name\":\"a\"}", "role" },
        { "/admin/v1/prices", "{\"model\":\"*\"}", "" },
        { "/admin/v1/quarantine/release", "{}", "reason" },
        { "/admin/v1/quarantine/release", "{\"reason\":\"x\",\"code\":\"malformed\"}", "code" },
        { "/admin/v1/settlements", "{\"dryRun\":1}", "dryRun" },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a = admin(s, "POST", cases[i].path, key, cases[i].body);

        assert_problem(&a, 422, a.status == 422 && strcmp(cases[i].path, "/admin/v1/keys") == 0 ? "invalid" : "malformed");
        if (strstr(vector_text(a.body, "detail"), cases[i].part) == NULL)
            fail_msg("%s is not named: %s", cases[i].part, buf_text(&a.text));
        answer_clear(&a);
    }
    expect_problem(admin(s, "POST", "/admin/v1/providers", key, "{"), 400, "malformed");
}

static void lists_come_in_pages(void **state)
{
    struct service *s = *state;
    struct answer a;
    char path[200];
    size_t seen = 0;

    for (uint8_t i = 10; i < 15; i++) {
        struct party p = world_party(i);

        world_admit(s->w, &p);
    }
    snprintf(path, sizeof path, "/admin/v1/providers?limit=3");
    for (int pages = 0; pages < 3; pages++) {      /* 7 providers: 3, 3, 1 */
        a = admin(s, "GET", path, s->viewer.text, NULL);
        assert_status(&a, 200);
        seen += json_count(at(a.body, "items"));
        if (pages < 2)
            snprintf(path, sizeof path, "/admin/v1/providers?limit=3&cursor=%s", vector_text(a.body, "next"));
        else
            assert_int_equal(json_kind_of(at(a.body, "next")), JSON_KIND_NULL);
        answer_clear(&a);
    }
    assert_int_equal(seen, 7);
}

static void admission_releases_what_was_held(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->stranger, 10);
    char path[200], account[200], body[200], address[ADDRESS_TEXT];
    struct answer a;

    expect(post_receipt(s, &r), 202);
    a = admin(s, "GET", "/admin/v1/quarantine?code=unknown-provider", s->viewer.text, NULL);
    assert_int_equal(json_count(at(a.body, "items")), 1);
    assert_text_at(&a, "items.0.code", "unknown-provider");
    assert_text_at(&a, "items.0.amount", "20");
    answer_clear(&a);
    a = admin(s, "GET", "/admin/v1/quarantine?code=late", s->viewer.text, NULL);
    assert_int_equal(json_count(at(a.body, "items")), 0);
    answer_clear(&a);
    a = get(s, account_path(s->w->stranger.address, "", account));
    assert_text_at(&a, "held", "14");
    assert_text_at(&a, "earned", "0");
    answer_clear(&a);
    address_to_text(s->w->stranger.address, address);
    snprintf(body, sizeof body, "{\"address\":\"%s\",\"name\":\"known now\"}", address);
    expect(admin(s, "POST", "/admin/v1/providers", s->admin_key.text, body), 201);
    a = get(s, path_of("receipt", &r, path));
    assert_text_at(&a, "state", "accepted");
    answer_clear(&a);
    a = get(s, account);
    assert_text_at(&a, "held", "0");
    assert_text_at(&a, "earned", "14");
    assert_text_at(&a, "pending", "14");
    assert_text_at(&a, "byRole.provider", "14");
    answer_clear(&a);
}

/* A receipt that is held as late. */
static struct signed_receipt post_late(struct service *s)
{
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);

    atomic_fetch_add(&s->w->now_ms, UINT64_C(25) * 3600 * 1000);
    expect(post_receipt(s, &r), 202);
    return r;
}

static void an_operator_releases_and_refuses(void **state)
{
    struct service *s = *state;
    struct signed_receipt one = post_late(s), two = post_late(s);
    char path[200];
    struct answer a;

    expect_problem(admin(s, "POST", path_of("release", &one, path), s->operator_.text, "{}"), 422, "malformed");
    a = admin(s, "POST", path_of("release", &one, path), s->operator_.text, "{\"reason\":\"network was down\"}");
    assert_status(&a, 200);
    assert_text_at(&a, "state", "accepted");
    answer_clear(&a);
    a = admin(s, "POST", path_of("refuse", &two, path), s->operator_.text, "{\"reason\":\"too late\"}");
    assert_text_at(&a, "state", "refused");
    answer_clear(&a);
    expect_problem(admin(s, "POST", path, s->operator_.text, "{\"reason\":\"again\"}"), 409, "conflict");
    a = get(s, path_of("receipt", &one, path));
    assert_text_at(&a, "state", "accepted");
    assert_text_at(&a, "reason", "network was down");
    assert_non_null(at(a.body, "promise.root"));
    answer_clear(&a);
}

static void many_are_refused_at_once(void **state)
{
    struct service *s = *state;
    struct answer a;

    for (int i = 0; i < 3; i++)
        post_late(s);
    a = admin(s, "POST", "/admin/v1/quarantine/refuse", s->operator_.text, "{\"reason\":\"x\",\"code\":\"late\",\"limit\":2}");
    assert_status(&a, 200);
    assert_number_at(&a, "refused", 2);
    assert_number_at(&a, "failed", 0);
    answer_clear(&a);
    a = admin(s, "POST", "/admin/v1/quarantine/release", s->operator_.text, "{\"reason\":\"x\"}");
    assert_number_at(&a, "released", 1);
    answer_clear(&a);
}

static struct answer post_with_key(struct service *s, const char *path, const char *idempotency, const char *body)
{
    return ask(s, (struct asking){ .method = "POST", .path = path, .key = s->admin_key.text, .type = "application/json",
                                   .header = idempotency, .body = body, .len = strlen(body) });
}

static void the_same_idempotency_key_gets_the_same_answer(void **state)
{
    static const char body[] = "{\"role\":\"viewer\",\"name\":\"grafana\"}";
    struct service *s = *state;
    struct answer first = post_with_key(s, "/admin/v1/keys", "Idempotency-Key: a-1", body);
    struct answer again = post_with_key(s, "/admin/v1/keys", "Idempotency-Key: a-1", body);
    struct answer other = post_with_key(s, "/admin/v1/keys", "Idempotency-Key: a-2", body);

    assert_status(&first, 201);
    assert_status(&again, 201);
    assert_string_equal(vector_text(first.body, "key"), vector_text(again.body, "key"));
    assert_string_equal(vector_text(first.body, "id"), vector_text(again.body, "id"));
    assert_string_not_equal(vector_text(first.body, "key"), vector_text(other.body, "key"));
    expect(admin(s, "GET", "/admin/v1/keys", vector_text(again.body, "key"), NULL), 200);
    expect_problem(post_with_key(s, "/admin/v1/keys", "Idempotency-Key: a-1", "{\"role\":\"admin\",\"name\":\"b\"}"), 422,
                   "idempotency-key-reused");
    assert_int_equal(world_count(s->w, "SELECT COUNT(*) FROM idempotency WHERE answer LIKE '%qk_%'"), 0);
    answer_clear(&first);
    answer_clear(&again);
    answer_clear(&other);
}

static void prices_are_versions(void **state)
{
    static const char body[] = "{\"model\":\"*\",\"effectiveFrom\":1790718319139,\"unit\":\"image\",\"perMillion\":{\"units\":\"7\"},"
                               "\"split\":{\"provider\":7000,\"creator\":2500,\"protocol\":500}}";
    struct service *s = *state;
    struct answer a = post_with_key(s, "/admin/v1/prices", "Idempotency-Key: p", body);

    assert_status(&a, 201);
    assert_number_at(&a, "version", 2);
    answer_clear(&a);
    a = post_with_key(s, "/admin/v1/prices", "Idempotency-Key: p", body);
    assert_status(&a, 201);
    assert_number_at(&a, "version", 2);
    answer_clear(&a);
    a = admin(s, "GET", "/admin/v1/prices", s->viewer.text, NULL);
    assert_int_equal(json_count(at(a.body, "items")), 2);
    answer_clear(&a);
}

static void a_price_and_its_answer_are_kept_together_or_not_at_all(void **state)
{
    static const char body[] = "{\"model\":\"*\",\"effectiveFrom\":1790718319139,\"unit\":\"image\",\"perMillion\":{\"units\":\"7\"},"
                               "\"split\":{\"provider\":7000,\"creator\":2500,\"protocol\":500}}";
    struct service *s = *state;
    struct answer a;

    world_refuse(s->w, "idempotency", 0);
    a = post_with_key(s, "/admin/v1/prices", "Idempotency-Key: p", body);
    assert_true(a.status >= 500);
    answer_clear(&a);
    assert_int_equal(world_count(s->w, "SELECT COUNT(*) FROM prices"), 1);
    world_take(s->w, "idempotency");
    a = post_with_key(s, "/admin/v1/prices", "Idempotency-Key: p", body);
    assert_status(&a, 201);
    answer_clear(&a);
    assert_int_equal(world_count(s->w, "SELECT COUNT(*) FROM prices"), 2);
}

static void keys_are_listed_page_by_page(void **state)
{
    struct service *s = *state;
    char seen[3][32] = { "" }, path[128] = "/admin/v1/keys?limit=1";

    for (size_t i = 0; i < 3; i++) {          /* the three of the fixture */
        struct answer a = admin(s, "GET", path, s->viewer.text, NULL);

        assert_status(&a, 200);
        assert_int_equal(json_count(at(a.body, "items")), 1);
        snprintf(seen[i], sizeof seen[i], "%s", vector_text(at(a.body, "items.0"), "id"));
        assert_true(i == 0 || strcmp(seen[i - 1], seen[i]) < 0);
        if (i < 2)
            snprintf(path, sizeof path, "/admin/v1/keys?limit=1&cursor=%s", vector_text(a.body, "next"));
        else
            assert_int_equal(json_kind_of(at(a.body, "next")), JSON_KIND_NULL);
        answer_clear(&a);
    }
    expect_problem(admin(s, "GET", "/admin/v1/keys?cursor=xyz", s->viewer.text, NULL), 400, "malformed");
}

static void keys_are_made_listed_and_withdrawn(void **state)
{
    struct service *s = *state;
    struct answer a = admin(s, "POST", "/admin/v1/keys", s->admin_key.text, "{\"role\":\"operator\",\"name\":\"cron\"}");
    char path[96], key[API_KEY_TEXT];

    assert_status(&a, 201);
    snprintf(key, sizeof key, "%s", vector_text(a.body, "key"));
    snprintf(path, sizeof path, "/admin/v1/keys/%s", vector_text(a.body, "id"));
    answer_clear(&a);
    expect(admin(s, "GET", "/admin/v1/audit", key, NULL), 200);
    a = admin(s, "GET", "/admin/v1/keys", s->viewer.text, NULL);
    assert_int_equal(json_count(at(a.body, "items")), 4);
    assert_null(strstr(buf_text(&a.text), "qk_"));
    answer_clear(&a);
    expect(admin(s, "DELETE", path, s->admin_key.text, NULL), 204);
    expect_problem(admin(s, "DELETE", path, s->admin_key.text, NULL), 404, "not-found");
    expect_problem(admin(s, "GET", "/admin/v1/audit", key, NULL), 401, "unauthorized");
    a = admin(s, "GET", "/admin/v1/audit?limit=1", s->viewer.text, NULL);
    assert_text_at(&a, "items.0.action", "key-delete");
    assert_text_at(&a, "items.0.who", s->admin_key.id);
    answer_clear(&a);
}

static void without_a_chain_nothing_is_settled(void **state)
{
    struct service *s = *state;
    struct answer a = get(s, "/v1/settlements");

    assert_status(&a, 200);
    assert_int_equal(json_count(at(a.body, "items")), 0);
    answer_clear(&a);
    expect_problem(admin(s, "POST", "/admin/v1/settlements", s->operator_.text, NULL), 503, "no-chain");
    expect_problem(admin(s, "GET", "/admin/v1/settlements/1", s->viewer.text, NULL), 404, "not-found");
    expect_problem(admin(s, "POST", "/admin/v1/settlements/1/carry", s->operator_.text, "{\"reason\":\"x\"}"), 404, "not-found");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, service_setup, service_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(providers_are_admitted_changed_and_expelled), TEST(bad_members_are_named), TEST(lists_come_in_pages),
        TEST(admission_releases_what_was_held), TEST(an_operator_releases_and_refuses), TEST(many_are_refused_at_once),
        TEST(the_same_idempotency_key_gets_the_same_answer), TEST(prices_are_versions),
        TEST(a_price_and_its_answer_are_kept_together_or_not_at_all),
        TEST(keys_are_made_listed_and_withdrawn), TEST(keys_are_listed_page_by_page), TEST(without_a_chain_nothing_is_settled),
    };

    return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}

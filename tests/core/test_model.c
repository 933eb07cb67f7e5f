#include "tests/support/fixture.h"


static void json_comes_back(void **state)
{
    const json *row = *state;
    struct buf got, want, name = vector_bytes(row, "nameUtf8");
    struct model m, again;
    struct err err = { 0 };
    json *out;

    assert_true(model_from_json(vector_member(row, "json"), &m, &err));
    assert_int_equal(strlen(m.name), name.len);
    assert_memory_equal(m.name, name.data, name.len);
    out = model_to_json(&m);
    buf_init(&got);
    buf_init(&want);
    json_write(out, &got);
    json_write(vector_member(row, "json"), &want);
    assert_string_equal(buf_text(&got), buf_text(&want));
    assert_true(model_from_json(out, &again, &err));
    assert_true(model_same(&m, &again));
    again.registered_at_ms++;
    assert_false(model_same(&m, &again));
    buf_clear(&got);
    buf_clear(&want);
    buf_clear(&name);
    json_free(out);
}

#define A "\"0x00000000000000000000000000000000000000000000000000000000000000aa\""
#define B "\"0x00000000000000000000000000000000000000000000000000000000000000bb\""
#define C "\"0x00000000000000000000000000000000000000000000000000000000000000cc\""
#define CREATOR "\"creator\":\"0x6F06F89e438b982b0a422718E979e2DB75A4A495\""
#define SIGNATURE "\"signature\":\"0x0000000000000000000000000000000000000000000000000000000000000000" \
    "000000000000000000000000000000000000000000000000000000000000000000\""
#define MODEL(name, parents) "{\"model\":" A "," CREATOR ",\"name\":" name ",\"parents\":" parents ",\"registeredAt\":5," SIGNATURE "}"
#define PARENT(digest, share) "{\"parent\":" digest ",\"shareBps\":" share "}"
#define P5 "1,2,3,4,5"

static const struct reject_case { const char *name, *text, *says; } rejects[] = {
    { "a plain registration is taken",       MODEL("\"m\"", "[]"), NULL },
    { "two parents may take everything",     MODEL("\"m\"", "[" PARENT(B, "4000") "," PARENT(C, "6000") "]"), NULL },
    { "a share may be nothing",              MODEL("\"m\"", "[" PARENT(B, "0") "]"), NULL },
    { "shares sum to 10000 at most",         MODEL("\"m\"", "[" PARENT(B, "4000") "," PARENT(C, "6001") "]"), "sum to 10001" },
    { "one share is 10000 at most",          MODEL("\"m\"", "[" PARENT(B, "10001") "]"), "parents/0/shareBps" },
    { "a share is no string",                MODEL("\"m\"", "[" PARENT(B, "\"1\"") "]"), "parents/0/shareBps" },
    { "a share is not negative",             MODEL("\"m\"", "[" PARENT(B, "-1") "]"), "parents/0/shareBps" },
    { "no parent twice",                     MODEL("\"m\"", "[" PARENT(B, "1") "," PARENT(B, "2") "]"), "the same as parents/0" },
    { "no model is its own parent",          MODEL("\"m\"", "[" PARENT(A, "1") "]"), "not its own parent" },
    { "a parent is an object",               MODEL("\"m\"", "[1]"), "parents/0: missing or not an object" },
    { "a parent has no other member",        MODEL("\"m\"", "[{\"parent\":" B ",\"shareBps\":1,\"x\":1}]"), "x: unknown member" },
    { "16 parents at most",                  MODEL("\"m\"", "[" P5 "," P5 "," P5 "," "1,2]"), "at most 16" },
    { "parents are an array",                MODEL("\"m\"", "{}"), "parents: an array" },
    { "parents are not left out",            "{\"model\":" A "," CREATOR ",\"name\":\"m\",\"registeredAt\":5," SIGNATURE "}", "parents" },
    { "a name is not empty",                 MODEL("\"\"", "[]"), "name:" },
    { "a name has no control characters",    MODEL("\"a\\u0009\"", "[]"), "name:" },
    { "nor those above U+007F",              MODEL("\"a\\u0085\"", "[]"), "name:" },
    { "a name has 64 characters at most",    MODEL("\"" "0123456789012345678901234567890123456789012345678901234567890123X" "\"", "[]"), "name:" },
    { "unknown members are refused",         "{\"tip\":1}", "tip: unknown member" },
    { "a registration is an object",         "[]", "not an object" },
    { "the signature is not left out",       "{\"model\":" A "," CREATOR ",\"name\":\"m\",\"parents\":[],\"registeredAt\":5}", "signature:" },
    { "registeredAt is an integer",          "{\"model\":" A "," CREATOR ",\"name\":\"m\",\"parents\":[],\"registeredAt\":5.0," SIGNATURE "}", "registeredAt:" },
};

static void model_is_judged(void **state)
{
    const struct reject_case *c = *state;
    struct model m = { .registered_at_ms = 77 };
    struct err err = { 0 };
    json *object = NULL;

    assert_true(json_read(c->text, strlen(c->text), &object, &err));
    if (c->says == NULL) {
        assert_true(model_from_json(object, &m, &err));
        assert_int_equal(m.registered_at_ms, 5);
    } else {
        assert_false(model_from_json(object, &m, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.text, c->says));
        assert_int_equal(m.registered_at_ms, 77);     /* outputs change only on success */
    }
    json_free(object);
}

int main(void)
{
    FIXTURE_TESTS(tests, rejects, model_is_judged);

    return fixture_run("models", json_comes_back, NULL, NULL)
         + cmocka_run_group_tests_name("model_from_json", tests, NULL, NULL);
}

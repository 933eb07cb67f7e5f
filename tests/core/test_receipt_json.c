#include "tests/support/fixture.h"
#include "tests/support/libraries.h"

#include <stdio.h>

static void posted_text_gives_the_json_that_goes_out(void **state)
{
    const json *row = *state;
    const char *text = vector_text(row, "text");
    struct domain domain = fixture_domain(row);
    struct buf got, want;
    struct faults faults = { 0 };
    struct signed_receipt r;
    struct err err = { 0 };
    bool has_job_id;
    json *posted = NULL, *out;

    assert_true(json_read(text, strlen(text), &posted, &err));
    assert_int_equal(fixture_judge(posted, RECEIPT_SINGLE, &domain, vector_u64(row, "now"), &faults), CODE_ACCEPTED);
    receipt_from_json(posted, RECEIPT_SINGLE, &r, &has_job_id, &faults);
    assert_int_equal(faults.count, 0);
    assert_hash_is(typed_digest(&domain, receipt_struct_hash(&r.receipt)), vector_hash(row, "digest"));
    out = receipt_to_json(&r);
    buf_init(&got);
    buf_init(&want);
    json_write(out, &got);
    json_write(vector_member(row, "json"), &want);
    assert_string_equal(buf_text(&got), buf_text(&want));
    buf_clear(&got);
    buf_clear(&want);
    json_free(out);
    json_free(posted);
}

static bool is_among(const json *pointers, const char *pointer)
{
    for (size_t i = 0; i < json_count(pointers); i++) {
        const char *text;
        size_t len;

        if (json_get_text(json_at(pointers, i), &text, &len) && strcmp(text, pointer) == 0)
            return true;
    }
    return false;
}

static void a_bad_receipt_gets_code_and_pointers(void **state)
{
    const json *row = *state;
    const char *text = vector_text(row, "text");
    struct domain domain = fixture_domain(row);
    struct faults faults = { 0 };
    struct err err = { 0 };
    json *posted = NULL;
    enum receipt_code code;
    size_t named = 0;

    if (!json_read(text, strlen(text), &posted, &err)) {
        assert_int_equal(vector_u64(row, "http"), 400);
        return;
    }
    assert_int_equal(vector_u64(row, "http"), 422);
    code = fixture_judge(posted, RECEIPT_SINGLE, &domain, vector_u64(row, "now"), &faults);
    assert_string_equal(receipt_codes[code].name, vector_text(row, "code"));
    assert_int_equal(receipt_codes[code].status, ITEM_REJECTED);
    for (size_t i = 0; i < faults.count; i++) {
        if (faults.list[i].code != code)
            continue;
        if (!is_among(vector_member(row, "pointers"), faults.list[i].pointer))
            fail_msg("%s: %s", faults.list[i].pointer, faults.list[i].detail);
        named++;
    }
    assert_int_equal(named, json_count(vector_member(row, "pointers")));
    faults_clear(&faults);
    json_free(posted);
}

#define FIELDS "\"jobId\":\"01a0ee06-0be1-73e7-a944-7bca3b3e6b5a\",\"provider\":\"0x6F06F89e438b982b0a422718E979e2DB75A4A495\"," \
    "\"model\":\"0xf76bc23d38f20d5af031dc782f51806c3576c2667b3fb5a3ede7004acb926bc0\",\"startedAt\":1,\"finishedAt\":2"
#define SIGNATURE "\"0x0000000000000000000000000000000000000000000000000000000000000000" \
    "000000000000000000000000000000000000000000000000000000000000000000\""

static const struct form_case {
    const char *name, *text;
    enum receipt_form form;
    const char *pointer;             /* of the only fault; NULL: none */
    bool has_job_id;
} forms[] = {
    { "a single receipt must be signed", "{" FIELDS "}", RECEIPT_SINGLE, "/signature", true },
    { "a signed one is taken", "{" FIELDS ",\"signature\":" SIGNATURE "}", RECEIPT_SINGLE, NULL, true },
    { "in a bundle it is not signed", "{" FIELDS "}", RECEIPT_BUNDLED, NULL, true },
    { "in a bundle a signature is refused", "{" FIELDS ",\"signature\":" SIGNATURE "}", RECEIPT_BUNDLED, "/signature", true },
    { "in a bundle the consumer may sign", "{" FIELDS ",\"consumerSignature\":" SIGNATURE "}", RECEIPT_BUNDLED, NULL, true },
    { "unsigned work takes it with a signature", "{" FIELDS ",\"signature\":" SIGNATURE "}", RECEIPT_UNSIGNED, NULL, true },
    { "and without", "{" FIELDS "}", RECEIPT_UNSIGNED, NULL, true },
    { "an array is no receipt", "[]", RECEIPT_SINGLE, "", false },
    { "a number is no receipt", "5", RECEIPT_SINGLE, "", false },
    { "~ and / are escaped in a pointer", "{" FIELDS ",\"/~\":1}", RECEIPT_UNSIGNED, "/~1~0", true },
    { "an empty name is a pointer too", "{" FIELDS ",\"\":1}", RECEIPT_UNSIGNED, "/", true },
};

static void the_form_decides_about_signatures(void **state)
{
    const struct form_case *c = *state;
    struct faults faults = { 0 };
    struct signed_receipt r;
    struct err err = { 0 };
    bool has_job_id = false;
    json *object = NULL;

    assert_true(json_read(c->text, strlen(c->text), &object, &err));
    receipt_from_json(object, c->form, &r, &has_job_id, &faults);
    assert_int_equal(faults.count, c->pointer == NULL ? 0 : 1);
    if (c->pointer != NULL)
        assert_string_equal(faults.list[0].pointer, c->pointer);
    assert_int_equal(has_job_id, c->has_job_id);
    faults_clear(&faults);
    json_free(object);
}

static void a_long_member_name_is_cut_between_characters(void **state)
{
    char name[300], text[400];
    struct faults faults = { 0 };
    struct signed_receipt r;
    struct err err = { 0 };
    struct buf out;
    bool has_job_id;
    json *object = NULL, *errors;

    (void)state;
    for (size_t i = 0; i + 3 < sizeof name; i += 3)
        memcpy(name + i, "\xe2\x82\xac", 4);     /* the euro sign */
    snprintf(text, sizeof text, "{\"%s\":1}", name);
    assert_true(json_read(text, strlen(text), &object, &err));
    receipt_from_json(object, RECEIPT_UNSIGNED, &r, &has_job_id, &faults);
    errors = faults_to_json(&faults);
    buf_init(&out);
    json_write(errors, &out);
    assert_non_null(strstr(buf_text(&out), "\"detail\":\"unknown member\""));
    assert_non_null(strstr(buf_text(&out), "{\"code\":\"malformed\",\"pointer\":\"/jobId\",\"detail\":\"missing\"}"));
    buf_clear(&out);
    json_free(errors);
    json_free(object);
    faults_clear(&faults);
}

int main(void)
{
    FIXTURE_TESTS(tests, forms, the_form_decides_about_signatures);
    const struct CMUnitTest others[] = { cmocka_unit_test(a_long_member_name_is_cut_between_characters) };

    return fixture_run("receipts", posted_text_gives_the_json_that_goes_out, secp_setup, secp_teardown)
         + fixture_run("receiptRejects", a_bad_receipt_gets_code_and_pointers, secp_setup, secp_teardown)
         + cmocka_run_group_tests_name("receipt forms in JSON", tests, NULL, NULL)
         + cmocka_run_group_tests_name("faults in JSON", others, NULL, NULL);
}

/* POST and GET of receipts over HTTP, in all forms and with all statuses. */
#include "gateway/base/hex.h"
#include "gateway/lib/crypt.h"
#include "tests/api/service.h"

static void one_receipt_is_accepted_promised_and_read_back(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);
    struct answer a = post_receipt(s, &r);
    char path[200];

    assert_status(&a, 201);
    assert_text_at(&a, "status", "accepted");
    assert_text_at(&a, "amount", "20");
    assert_number_at(&a, "promise.count", 1);
    assert_int_equal(json_count(at(a.body, "promise.path")), 0);
    assert_null(at(a.body, "code"));
    answer_clear(&a);
    a = get(s, path_of("receipt", &r, path));
    assert_status(&a, 200);
    assert_text_at(&a, "state", "accepted");
    assert_text_at(&a, "amount", "20");
    assert_int_equal(json_count(at(a.body, "shares")), 3);      /* node 14, creator 5 less 10 %, floored; protocol 1 */
    assert_text_at(&a, "shares.0.amount", "14");
    assert_number_at(&a, "batch", 1);
    assert_non_null(at(a.body, "receipt.signature"));
    assert_non_null(at(a.body, "promise.signature"));
    assert_null(at(a.body, "settlement"));
    answer_clear(&a);
}

static void the_same_again_keeps_its_first_promise(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);
    struct answer first = post_receipt(s, &r), again = post_receipt(s, &r);

    assert_status(&first, 201);
    assert_status(&again, 200);
    assert_text_at(&again, "status", "duplicate");
    assert_text_at(&again, "state", "accepted");
    assert_hash_is(vector_hash(at(again.body, "promise"), "root"), vector_hash(at(first.body, "promise"), "root"));
    answer_clear(&first);
    answer_clear(&again);
}

static void other_content_for_a_job_is_a_conflict(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);
    struct answer a;

    expect(post_receipt(s, &r), 201);
    r.receipt.count[METER_INPUT] = 11;
    world_sign(s->w, &s->w->node, &r);
    a = post_receipt(s, &r);
    assert_problem(&a, 409, "conflicting-receipt");
    assert_number_at(&a, "index", 0);
    assert_non_null(at(a.body, "jobId"));
    assert_non_null(at(a.body, "receipt"));
    assert_int_equal(json_count(at(a.body, "errors")), 1);
    answer_clear(&a);
}

static void a_bad_receipt_says_why(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);
    struct answer a;

    r.signature.b[3] ^= 1;
    a = post_receipt(s, &r);
    assert_problem(&a, 422, "invalid-signature");
    assert_text_at(&a, "errors.0.pointer", "/signature");
    answer_clear(&a);
    a = post(s, "/v1/receipts", "application/json", "{\"tip\":1}");
    assert_problem(&a, 422, "malformed");
    assert_text_at(&a, "errors.0.pointer", "/tip");
    answer_clear(&a);
    expect_problem(post(s, "/v1/receipts", "application/json", "{"), 400, "malformed");
}

static void a_list(const struct signed_receipt *list, size_t count, const char *open, const char *between, const char *close, struct buf *out)
{
    buf_init(out);
    buf_add_text(out, open);
    for (size_t i = 0; i < count; i++) {
        buf_add_text(out, i > 0 ? between : "");
        receipt_text(&list[i], out);
    }
    buf_add_text(out, close);
}

static void assert_results(struct answer a, size_t count, const char *first_status)
{
    assert_status(&a, 200);
    assert_int_equal(json_count(at(a.body, "results")), count);
    assert_text_at(&a, "results.0.status", first_status);
    answer_clear(&a);
}

static void many_are_answered_one_by_one(void **state)
{
    struct service *s = *state;
    struct signed_receipt list[3];
    struct answer a;
    struct buf text;

    for (size_t i = 0; i < 3; i++)
        list[i] = world_receipt(s->w, i == 2 ? &s->w->stranger : &s->w->node, 10 + i);
    list[1].signature.b[0] ^= 1;
    a_list(list, 3, "[", ",", "]", &text);
    a = post(s, "/v1/receipts?paths=1", "application/json", buf_text(&text));
    assert_status(&a, 200);
    assert_text_at(&a, "results.0.status", "accepted");
    assert_number_at(&a, "results.0.promise.ref", 0);
    assert_number_at(&a, "results.0.promise.index", 0);
    assert_int_equal(json_count(at(a.body, "results.0.promise.path")), 0);
    assert_text_at(&a, "results.1.code", "invalid-signature");
    assert_null(at(a.body, "results.1.promise"));
    assert_text_at(&a, "results.2.status", "quarantined");
    assert_text_at(&a, "results.2.code", "unknown-provider");
    assert_int_equal(json_count(at(a.body, "promises")), 1);
    assert_null(at(a.body, "counts"));
    answer_clear(&a);
    a = ask(s, (struct asking){ .method = "POST", .path = "/v1/receipts", .type = "application/json", .body = text.data,
                                .len = text.len, .header = "Prefer: return=minimal" });
    assert_status(&a, 200);
    assert_int_equal(json_count(at(a.body, "results")), 3);      /* none is newly accepted this time */
    assert_number_at(&a, "counts.duplicate", 2);
    assert_number_at(&a, "counts.rejected", 1);
    answer_clear(&a);
    buf_clear(&text);
}

static void minimal_answers_leave_accepted_ones_out(void **state)
{
    struct service *s = *state;
    struct signed_receipt list[2] = { world_receipt(s->w, &s->w->node, 1), world_receipt(s->w, &s->w->stranger, 2) };
    struct answer a;
    struct buf text;

    a_list(list, 2, "", "\n", "\n", &text);
    a = ask(s, (struct asking){ .method = "POST", .path = "/v1/receipts", .type = "application/x-ndjson", .body = text.data,
                                .len = text.len, .header = "Prefer: return=minimal" });
    assert_status(&a, 200);
    assert_int_equal(json_count(at(a.body, "results")), 1);
    assert_number_at(&a, "results.0.index", 1);
    assert_number_at(&a, "counts.accepted", 1);
    assert_number_at(&a, "counts.quarantined", 1);
    assert_int_equal(json_count(at(a.body, "promises")), 1);
    answer_clear(&a);
    buf_clear(&text);
}

static void events_and_empty_lists(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 1);
    struct answer a;
    struct buf text;

    a_list(&r, 1, "{\"specversion\":\"1.0\",\"type\":\"network.quittance.receipt.v1\",\"id\":\"7\",\"source\":\"/node\",\"data\":", "",
           "}", &text);
    assert_results(post(s, "/v1/receipts", "application/cloudevents+json", buf_text(&text)), 1, "accepted");
    buf_clear(&text);
    a = post(s, "/v1/receipts", "application/json", "[]");
    assert_status(&a, 200);
    assert_int_equal(json_count(at(a.body, "results")), 0);
    assert_int_equal(json_count(at(a.body, "promises")), 0);
    answer_clear(&a);
}

/* Items of a bundle of `node`, in the form that submission signs. */
static void make_bundle(struct service *s, struct submission *sub, struct signed_receipt *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        list[i] = world_receipt(s->w, &s->w->node, 10 + i);
    world_submission(sub, list, count);
    world_bundle(s->w, &s->w->node, sub);
}

static void assert_path_leads_to_root(const struct signed_receipt *r, const json *tree)
{
    struct proof proof = fixture_proof(tree, "path");

    assert_hash_is(tree_fold(tree_promise_leaf(receipt_struct_hash(&r->receipt)), &proof), vector_hash(tree, "root"));
}

static void a_binary_bundle_is_read_back_with_its_path(void **state)
{
    struct service *s = *state;
    struct signed_receipt list[5];
    struct submission sub;
    struct answer a;
    struct buf body;
    char path[200];

    make_bundle(s, &sub, list, 5);
    buf_init(&body);
    buf_add(&body, sub.bundle_signature.b, 65);
    for (size_t i = 0; i < 5; i++)
        receipt_to_words(&list[i].receipt, buf_extend(&body, RECEIPT_WORDS));
    assert_results(ask(s, (struct asking){ .method = "POST", .path = "/v1/receipts", .type = "application/vnd.quittance.bundle",
                                           .body = body.data, .len = body.len }), 5, "accepted");
    a = get(s, path_of("receipt of provider", &list[4], path));
    assert_status(&a, 200);
    assert_number_at(&a, "receipt.bundle.index", 4);
    assert_number_at(&a, "receipt.bundle.count", 5);
    assert_int_equal(json_count(at(a.body, "receipt.bundle.path")), 1);      /* the odd one moves up */
    assert_null(at(a.body, "receipt.signature"));
    assert_path_leads_to_root(&list[4], at(a.body, "receipt.bundle"));
    assert_path_leads_to_root(&list[4], at(a.body, "promise"));
    answer_clear(&a);
    buf_clear(&body);
    submission_clear(&sub);
}

static void a_json_bundle_stands_or_falls_as_one(void **state)
{
    struct service *s = *state;
    struct signed_receipt list[2];
    char root[HASH_TEXT], signature[SIGNATURE_TEXT], provider[ADDRESS_TEXT], open[500];
    struct submission sub;
    struct buf text;

    make_bundle(s, &sub, list, 2);
    for (size_t i = 0; i < 2; i++)
        list[i].has_signature = false;
    hash_to_text(sub.bundle.root, root);
    signature_to_text(&sub.bundle_signature, signature);
    address_to_text(sub.bundle.provider, provider);
    for (unsigned count = 3; count >= 2; count--) {
        snprintf(open, sizeof open, "{\"bundle\":{\"provider\":\"%s\",\"root\":\"%s\",\"count\":%u,\"signature\":\"%s\"},\"receipts\":[",
                 provider, root, count, signature);
        a_list(list, 2, open, ",", "]}", &text);
        assert_results(post(s, "/v1/receipts", "application/json", buf_text(&text)), 2, count == 2 ? "accepted" : "rejected");
        buf_clear(&text);
    }
    submission_clear(&sub);
}

static void a_strangers_claim_does_not_hide_the_job(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10), other = r;
    struct answer a;
    char path[200];

    other.receipt.provider = s->w->other.address;
    world_sign(s->w, &s->w->other, &other);
    expect(post_receipt(s, &r), 201);
    expect(post_receipt(s, &other), 202);      /* duplicate-job */
    a = get(s, path_of("receipt", &r, path));
    assert_status(&a, 200);
    assert_address_is(vector_address(at(a.body, "receipt"), "provider"), s->w->node.address);
    answer_clear(&a);
    a = get(s, path_of("receipt of provider", &other, path));
    assert_text_at(&a, "state", "quarantined");
    assert_text_at(&a, "code", "duplicate-job");
    answer_clear(&a);
    /* An operator credits both: now the question has two answers. */
    expect(admin(s, "POST", path_of("release", &other, path), s->operator_.text, "{\"reason\":\"both worked\"}"), 200);
    a = get(s, path_of("receipt", &r, path));
    assert_status(&a, 300);
    assert_int_equal(json_count(at(a.body, "providers")), 2);
    answer_clear(&a);
}

static void what_was_never_posted_is_not_found(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);
    char path[200];

    expect_problem(get(s, path_of("receipt", &r, path)), 404, "not-found");
    expect_problem(get(s, path_of("receipt of provider", &r, path)), 404, "not-found");
    snprintf(path + strlen(path), 3, "x");
    expect_problem(get(s, path), 400, "malformed");
}

/* The tag is the first half of the body's SHA-256. */
static struct answer ask_unless(struct service *s, const char *path, const struct buf *known)
{
    struct hash digest = sha256(known->data, known->len);
    char header[128] = "If-None-Match: \"";
    size_t len = strlen(header);

    hex_encode_bare(digest.b, sizeof digest.b / 2, header + len);
    strcat(header, "\"");
    return ask(s, (struct asking){ .method = "GET", .path = path, .header = header });
}

static void what_a_reader_has_is_not_sent_again(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);
    struct answer a = post_receipt(s, &r), first, again;
    char path[200];

    assert_status(&a, 201);
    path_of("receipt", &r, path);
    first = get(s, path);
    assert_status(&first, 200);
    again = ask_unless(s, path, &first.text);
    assert_status(&again, 304);
    assert_int_equal(again.text.len, 0);
    answer_clear(&again);
    world_countersign(s->w, &s->w->consumer, &r);
    answer_clear(&a);
    a = post_receipt(s, &r);
    assert_status(&a, 200);
    again = ask_unless(s, path, &first.text);
    assert_status(&again, 200);
    assert_non_null(at(again.body, "receipt.consumerSignature"));
    answer_clear(&first);
    answer_clear(&again);
    answer_clear(&a);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, service_setup, service_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_receipt_is_accepted_promised_and_read_back), TEST(the_same_again_keeps_its_first_promise),
        TEST(other_content_for_a_job_is_a_conflict), TEST(a_bad_receipt_says_why), TEST(many_are_answered_one_by_one),
        TEST(minimal_answers_leave_accepted_ones_out), TEST(events_and_empty_lists),
        TEST(a_binary_bundle_is_read_back_with_its_path), TEST(a_json_bundle_stands_or_falls_as_one),
        TEST(a_strangers_claim_does_not_hide_the_job), TEST(what_a_reader_has_is_not_sent_again),
        TEST(what_was_never_posted_is_not_found),
    };

    return cmocka_run_group_tests_name("receipts", tests, NULL, NULL);
}

/* All posted forms, then every vector through decode and a real intake: status, code and pointers as a node sees them. */
#include "api/receipts_decode.h"

#include "api/receipts_post.h"
#include "gateway/base/mem.h"
#include "tests/support/world.h"

struct decoded { bool ok, single; struct submission s; struct reply reply; };

static struct decoded decode(const char *type, const void *bytes, size_t len)
{
    struct decoded d = { .ok = false };
    struct buf body;

    buf_init(&body);
    buf_add(&body, bytes, len);
    reply_init(&d.reply);
    d.ok = receipts_decode(type, &body, &d.s, &d.single, &d.reply);
    buf_clear(&body);
    return d;
}

static void forget(struct decoded *d)
{
    submission_clear(&d->s);
    reply_clear(&d->reply);
}

#define ITEM "{\"jobId\":\"01a0ee06-0be1-73e7-a944-7bca3b3e6b5a\"}"
#define EVENT(data) "{\"specversion\":\"1.0\",\"type\":\"network.quittance.receipt.v1\",\"id\":\"1\",\"source\":\"/n\",\"data\":" data "}"
#define SIG "\"0x" "1111111111111111111111111111111111111111111111111111111111111111" \
            "1111111111111111111111111111111111111111111111111111111111111111" "1b\""
#define ROOT "\"0x1111111111111111111111111111111111111111111111111111111111111111\""
#define NODE "\"0x1111111111111111111111111111111111111111\""
#define BUNDLE(members) "{\"bundle\":{\"provider\":" NODE ",\"root\":" ROOT ",\"count\":1,\"signature\":" SIG members "},\"receipts\":[" ITEM "]}"

/* status 0: decoded. */
static const struct form_case { const char *name, *type, *body; int status; size_t items; bool single; } cases[] = {
    { "one object",                      NULL,                     ITEM,                      0, 1, true },
    { "one object with a charset",       "application/json; charset=utf-8", ITEM,             0, 1, true },
    { "a text that is no object",        NULL,                     "7",                       0, 1, true },
    { "an array",                        "application/json",       " [" ITEM "," ITEM "]",    0, 2, false },
    { "an empty array",                  "application/json",       "[]",                      0, 0, false },
    { "lines",                           "application/x-ndjson",   ITEM "\n" ITEM,            0, 2, false },
    { "lines with blank ones",           "application/x-ndjson",   "\n" ITEM "\n \t\r\n\r\n" ITEM "\r\n", 0, 2, false },
    { "no lines",                        "application/x-ndjson",   "",                        0, 0, false },
    { "a bad line is an item",           "application/x-ndjson",   "{\n" ITEM,                0, 2, false },
    { "one event",                       "application/cloudevents+json", EVENT(ITEM),         0, 1, false },
    { "a batch of events",               "application/cloudevents-batch+json", "[" EVENT(ITEM) "," EVENT(ITEM) "]", 0, 2, false },
    { "a bundle",                        "application/json",       BUNDLE(""),                0, 1, false },
    { "a bundle with another member",    "application/json",       BUNDLE(",\"x\":1"),        400, 0, false },
    { "a bundle without receipts",       "application/json",       "{\"bundle\":{}}",         400, 0, false },
    { "no body",                         NULL,                     "",                        400, 0, false },
    { "a broken text",                   NULL,                     "{",                       400, 0, false },
    { "a broken array",                  NULL,                     "[" ITEM ",]",             400, 0, false },
    { "a binary bundle of no receipt",   "application/vnd.quittance.bundle", "",              400, 0, false },
    { "another type",                    "text/plain",             ITEM,                      415, 0, false },
    { "a form",                          "application/x-www-form-urlencoded", "a=b",          415, 0, false },
};

static void a_form_is_decoded(void **state)
{
    const struct form_case *c = *state;
    struct decoded d = decode(c->type, c->body, strlen(c->body));

    assert_int_equal(d.ok, c->status == 0);
    if (d.ok) {
        assert_int_equal(d.s.count, c->items);
        assert_int_equal(d.single, c->single);
    } else {
        assert_int_equal(d.reply.status, c->status);
    }
    forget(&d);
}

static void items_keep_their_place_and_their_own_faults(void **state)
{
    struct decoded d = decode("application/x-ndjson", "nonsense\n" ITEM "\n", strlen("nonsense\n" ITEM "\n"));

    (void)state;
    assert_true(d.ok);
    assert_false(d.s.items[0].has_job_id);
    assert_string_equal(d.s.items[0].faults.list[0].pointer, "");
    assert_true(d.s.items[1].has_job_id);
    assert_string_equal(d.s.items[1].faults.list[0].pointer, "/provider");
    forget(&d);
}

static void an_event_of_another_type_is_malformed(void **state)
{
    static const char text[] = "{\"specversion\":\"1.0\",\"type\":\"other\",\"id\":\"1\",\"source\":\"/n\",\"data\":" ITEM "}";
    struct decoded d = decode("application/cloudevents+json", text, strlen(text));
    bool seen = false;

    (void)state;
    assert_true(d.ok);
    for (size_t i = 0; i < d.s.items[0].faults.count; i++)
        seen = seen || strcmp(d.s.items[0].faults.list[i].pointer, "/type") == 0;
    assert_true(seen);
    forget(&d);
}

static void more_than_ten_thousand_are_refused(void **state)
{
    struct decoded d;
    struct buf body;

    (void)state;
    buf_init(&body);
    for (int i = 0; i <= RECEIPTS_ITEMS_MAX; i++)
        buf_add_text(&body, "1\n");
    d = decode("application/x-ndjson", body.data, body.len);
    assert_false(d.ok);
    assert_int_equal(d.reply.status, 413);
    forget(&d);
    d = decode("application/x-ndjson", body.data, body.len - 2);
    assert_true(d.ok);
    assert_int_equal(d.s.count, RECEIPTS_ITEMS_MAX);
    forget(&d);
    buf_clear(&body);
}

/* -- an array is read quickly where it can be, and gives what a tree of its values gives -- */

static void write_array(struct rng *rng, size_t count, struct buf *text)
{
    buf_init(text);
    for (size_t i = 0; i < count; i++) {
        struct signed_receipt r = { .receipt = rng_receipt(rng, FIXTURE_NOW), .has_signature = true };
        json *object = receipt_to_json(&r);

        buf_add_text(text, i == 0 ? " [" : ", ");
        json_write(object, text);
        json_free(object);
    }
    buf_add_text(text, "]\n");
}

static void change_a_byte(struct rng *rng, struct buf *text)
{
    static const char alphabet[] = "{}[]\",:0123456789abcdefx \n";

    text->data[rng_below(rng, text->len)] = (uint8_t)alphabet[rng_below(rng, sizeof alphabet - 1)];
}

static void check_item(const struct intake_item *item, const json *value)
{
    struct faults faults = { 0 };
    struct signed_receipt r;
    bool has_job_id;

    receipt_from_json(value, RECEIPT_SINGLE, &r, &has_job_id, &faults);
    assert_memory_equal(&item->signed_, &r, sizeof r);
    assert_int_equal(item->has_job_id, has_job_id);
    assert_int_equal(item->faults.count, faults.count);
    faults_clear(&faults);
}

static void an_array_with_a_changed_byte_is_read_as_its_tree_is(void **state)
{
    struct rng rng = { 91 };
    unsigned good = 0, faulty = 0, refused = 0;

    (void)state;
    for (unsigned i = 0; i < 6000; i++) {
        struct err err = { 0 };
        struct decoded d;
        struct buf text;
        json *array;

        write_array(&rng, 1 + i % 3, &text);
        if (i % 16 != 0)
            change_a_byte(&rng, &text);
        d = decode(NULL, text.data, text.len);
        if (!json_read(buf_text(&text), text.len, &array, &err)) {
            assert_false(d.ok);
            refused++;
        } else if (json_kind_of(array) == JSON_KIND_ARRAY) {
            assert_true(d.ok && !d.single);
            assert_int_equal(d.s.count, json_count(array));
            for (size_t k = 0; k < d.s.count; k++) {
                check_item(&d.s.items[k], json_at(array, k));
                *(d.s.items[k].faults.count == 0 ? &good : &faulty) += 1;
            }
            json_free(array);
        } else {
            json_free(array);
        }
        forget(&d);
        buf_clear(&text);
    }
    assert_true(good > 3000 && faulty > 300 && refused > 300);
}

/* -- vectors: a world of its own for each, with the domain and time of the row -- */

static struct world *world_of(void **state, const json *row)
{
    struct world *w;

    assert_int_equal(world_setup_empty(state), 0);
    w = *state;
    w->config.domain = fixture_domain(row);
    atomic_store(&w->now_ms, vector_u64(row, "now"));
    world_restart(w);
    return w;
}

static void post(struct world *w, struct decoded *d)
{
    struct err err = { 0 };

    if (!intake_submit_wait(w->intake, &d->s, &err))
        fail_msg("%s", err.text);
}

static bool is_expected(const json *pointers, const char *pointer)
{
    const char *text;
    size_t len;

    for (size_t i = 0; i < json_count(pointers); i++)
        if (json_get_text(json_at(pointers, i), &text, &len) && strcmp(text, pointer) == 0)
            return true;
    return false;
}

/* The pointers of the item's faults with its code, as a set. */
static void assert_pointers(const struct intake_item *item, const json *want)
{
    size_t seen = 0;

    for (size_t i = 0; i < item->faults.count; i++) {
        if (item->faults.list[i].code != item->code)
            continue;
        if (!is_expected(want, item->faults.list[i].pointer))
            fail_msg("unexpected pointer %s: %s", item->faults.list[i].pointer, item->faults.list[i].detail);
        seen++;
    }
    assert_int_equal(seen, json_count(want));
}

static void assert_code(const struct intake_item *item, const char *want)
{
    assert_string_equal(receipt_codes[item->code].name, want);
}

static void a_rejected_receipt(void **state)
{
    const json *row = *state;
    const char *text = vector_text(row, "text");
    struct world *w = world_of(state, row);
    struct decoded d = decode(NULL, text, strlen(text));

    if (vector_u64(row, "http") == 400) {
        assert_false(d.ok);
        assert_int_equal(d.reply.status, 400);
    } else {
        assert_true(d.ok && d.single);
        post(w, &d);
        assert_code(&d.s.items[0], vector_text(row, "code"));
        assert_int_equal(receipt_item_status(&d.s.items[0]), vector_u64(row, "http"));
        assert_pointers(&d.s.items[0], vector_member(row, "pointers"));
    }
    forget(&d);
    *state = w;
    world_teardown(state);
}

/* Nobody is admitted in this world, so the first rule behind the signatures is the stranger's. */
static void a_good_receipt(void **state)
{
    const json *row = *state;
    const char *text = vector_text(row, "text");
    struct world *w = world_of(state, row);
    struct decoded d = decode(NULL, text, strlen(text));

    assert_true(d.ok && d.single);
    post(w, &d);
    assert_int_equal(d.s.items[0].status, ITEM_QUARANTINED);
    assert_code(&d.s.items[0], "unknown-provider");
    assert_hash_is(d.s.items[0].hash, vector_hash(row, "structHash"));
    forget(&d);
    *state = w;
    world_teardown(state);
}

static struct decoded decode_bundle(const json *row)
{
    struct decoded d;
    struct buf body;

    if (!vector_has(row, "body")) {
        const char *text = vector_text(row, "text");

        return decode("application/json", text, strlen(text));
    }
    body = vector_bytes(row, "body");
    d = decode("application/vnd.quittance.bundle", body.data, body.len);
    buf_clear(&body);
    return d;
}

static void a_bundle_reject(void **state)
{
    const json *row = *state, *items;
    struct world *w = world_of(state, row);
    struct decoded d = decode_bundle(row);

    assert_int_equal(d.ok, vector_u64(row, "http") == 200);
    if (d.ok) {
        items = vector_member(row, "items");
        post(w, &d);
        assert_int_equal(d.s.count, json_count(items));
        for (size_t i = 0; i < d.s.count; i++) {
            const json *want = json_at(items, i);

            assert_code(&d.s.items[i], vector_has(want, "code") ? vector_text(want, "code") : "unknown-provider");
            if (vector_has(want, "pointers"))
                assert_pointers(&d.s.items[i], vector_member(want, "pointers"));
        }
    } else {
        assert_int_equal(d.reply.status, vector_u64(row, "http"));
    }
    forget(&d);
    *state = w;
    world_teardown(state);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(items_keep_their_place_and_their_own_faults),
        cmocka_unit_test(an_event_of_another_type_is_malformed),
        cmocka_unit_test(more_than_ten_thousand_are_refused),
        cmocka_unit_test(an_array_with_a_changed_byte_is_read_as_its_tree_is),
    };
    FIXTURE_TESTS(tests, cases, a_form_is_decoded);

    return cmocka_run_group_tests_name("forms", tests, NULL, NULL) + cmocka_run_group_tests_name("decode", others, NULL, NULL)
         + fixture_run("receiptRejects", a_rejected_receipt, NULL, NULL) + fixture_run("receipts", a_good_receipt, NULL, NULL)
         + fixture_run("bundleRejects", a_bundle_reject, NULL, NULL);
}

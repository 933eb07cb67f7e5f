/* Who may read about jobs where only parties may, and parts of published files. */
#include "api/access.h"
#include "gateway/core/seal.h"
#include "gateway/core/typed.h"
#include "gateway/lib/file.h"
#include "store/batches.h"
#include "tests/api/service.h"

/* A Quittance-Auth header: of `signer`, said to be of `account`. */
static void auth_header(const struct service *s, const struct party *signer, struct address account, uint64_t expires_ms, char header[300])
{
    struct signature sig = world_sign_hash(s->w, signer, access_struct_hash(&(struct access){ account, expires_ms }));
    char address[ADDRESS_TEXT], signature[SIGNATURE_TEXT];

    address_to_text(account, address);
    signature_to_text(&sig, signature);
    snprintf(header, 300, "Quittance-Auth: %s %llu %s", address, (unsigned long long)expires_ms, signature);
}

static int setup(void **state)
{
    struct service *s;

    service_setup(state);
    s = *state;
    s->config.parties_only = true;            /* borrowed by the service: in force at once */
    return 0;
}

enum asker { NOBODY, NODE, CONSUMER, CREATOR, ANCESTOR, OTHER, STRANGER };

static const struct access_case { const char *name; enum asker asker; int status; const char *code; } askers[] = {
    { "nobody",                        NOBODY,   401, "unauthorized" },
    { "its provider",                  NODE,     200, NULL },
    { "its consumer",                  CONSUMER, 200, NULL },
    { "the creator of its model",      CREATOR,  200, NULL },
    { "the creator of an ancestor",    ANCESTOR, 200, NULL },
    { "another provider",              OTHER,    403, "forbidden" },
    { "a stranger",                    STRANGER, 403, "forbidden" },
};

static const struct party *party_of(const struct world *w, enum asker asker)
{
    return asker == NODE ? &w->node : asker == CONSUMER ? &w->consumer : asker == CREATOR ? &w->creator
         : asker == ANCESTOR ? &w->ancestor : asker == OTHER ? &w->other : &w->stranger;
}

/* 2000 base units: enough for the ancestor's tenth of the creator's quarter. */
static struct signed_receipt posted(struct service *s)
{
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 1000000);
    struct answer a;
    char want[HASH_TEXT];

    r.receipt.consumer = s->w->consumer.address;
    world_sign(s->w, &s->w->node, &r);
    a = post_receipt(s, &r);
    assert_status(&a, 201);
    hash_to_text(seal_line_key(s->secret, r.receipt.job_id, r.receipt.provider), want);
    assert_text_at(&a, "key", want);
    answer_clear(&a);
    return r;
}

static struct answer read_as(struct service *s, const struct signed_receipt *r, const char *form, const char *header)
{
    char path[200];

    return ask(s, (struct asking){ .method = "GET", .path = path_of(form, r, path), .header = header });
}

static void each_asker_gets_what_is_due(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = posted(s);
    static const char *const forms[] = { "receipt", "receipt of provider" };

    for (size_t i = 0; i < ARRAY_LEN(askers); i++)
        for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
            const struct party *p = party_of(s->w, askers[i].asker);
            char header[300], key[HASH_TEXT];
            struct answer a;

            auth_header(s, p, p->address, s->w->now_ms + 1000, header);
            a = read_as(s, &r, forms[f], askers[i].asker == NOBODY ? NULL : header);
            if (a.status != askers[i].status)
                fail_msg("%s: %d %s", askers[i].name, a.status, buf_text(&a.text));
            hash_to_text(seal_line_key(s->secret, r.receipt.job_id, r.receipt.provider), key);
            if (a.status == 200)
                assert_text_at(&a, "key", key);
            else
                assert_problem(&a, askers[i].status, askers[i].code);
            assert_true(a.status == 200 || strstr(buf_text(&a.text), key) == NULL);
            answer_clear(&a);
        }
}

/* To a stranger a job that is there and one that is not look alike. */
static void a_stranger_does_not_learn_that_a_job_exists(void **state)
{
    struct service *s = *state;
    struct signed_receipt there = posted(s), absent = world_receipt(s->w, &s->w->node, 5);
    char header[300];
    struct answer a, b;

    auth_header(s, &s->w->stranger, s->w->stranger.address, s->w->now_ms + 1000, header);
    a = read_as(s, &there, "receipt", header);
    b = read_as(s, &absent, "receipt", header);
    assert_int_equal(a.status, b.status);
    assert_string_equal(strstr(buf_text(&a.text), "detail") == NULL ? "" : "detail", "detail");
    answer_clear(&a);
    answer_clear(&b);
    /* Its provider may know that it has not arrived. */
    auth_header(s, &s->w->node, s->w->node.address, s->w->now_ms + 1000, header);
    expect_problem(read_as(s, &absent, "receipt of provider", header), 404, "not-found");
    expect_problem(read_as(s, &absent, "receipt", header), 403, "forbidden");
}

static const struct header_case { const char *name; int64_t ahead_ms; bool others_name; const char *instead; int status; } headers[] = {
    { "that expires now",              0,               false, NULL, 200 },
    { "that expired",                  -1,              false, NULL, 401 },
    { "for a whole day",               86400000,        false, NULL, 200 },
    { "for longer than a day",         86400001,        false, NULL, 401 },
    { "signed by another",             1000,            true,  NULL, 401 },
    { "of nothing",                    0, false, "Quittance-Auth: ", 401 },
    { "of one word",                   0, false, "Quittance-Auth: 0x0101010101010101010101010101010101010101", 401 },
    { "without a signature",           0, false, "Quittance-Auth: 0x0101010101010101010101010101010101010101 1790718319139", 401 },
    { "with a number beyond 64 bits",  0, false,
      "Quittance-Auth: 0x0101010101010101010101010101010101010101 99999999999999999999999 0x00", 401 },
};

static void each_header_is_judged(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = posted(s);

    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        const struct header_case *c = &headers[i];
        char header[300];
        struct answer a;

        auth_header(s, c->others_name ? &s->w->stranger : &s->w->node, s->w->node.address,
                    s->w->now_ms + (uint64_t)c->ahead_ms, header);
        a = read_as(s, &r, "receipt", c->instead != NULL ? c->instead : header);
        if (a.status != c->status)
            fail_msg("a header %s: %d %s", c->name, a.status, buf_text(&a.text));
        answer_clear(&a);
    }
}

static void a_viewers_key_reads_on_both_listeners(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = posted(s);
    char header[160], path[200];

    expect(ask(s, (struct asking){ .method = "GET", .path = path_of("receipt", &r, path), .key = s->viewer.text }), 200);
    snprintf(header, sizeof header, "Authorization: Bearer %s", s->viewer.text);
    expect(read_as(s, &r, "receipt", header), 200);
    expect_problem(read_as(s, &r, "receipt", "Authorization: Bearer wrong"), 401, "unauthorized");
}

static void in_public_nothing_is_asked_and_no_key_told(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);
    struct answer a;

    s->config.parties_only = false;
    a = post_receipt(s, &r);
    assert_status(&a, 201);
    assert_null(at(a.body, "key"));
    answer_clear(&a);
    a = read_as(s, &r, "receipt", NULL);
    assert_status(&a, 200);
    assert_null(at(a.body, "key"));
    answer_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_asker_gets_what_is_due, setup, service_teardown),
        cmocka_unit_test_setup_teardown(a_stranger_does_not_learn_that_a_job_exists, setup, service_teardown),
        cmocka_unit_test_setup_teardown(each_header_is_judged, setup, service_teardown),
        cmocka_unit_test_setup_teardown(a_viewers_key_reads_on_both_listeners, setup, service_teardown),
        cmocka_unit_test_setup_teardown(in_public_nothing_is_asked_and_no_key_told, setup, service_teardown),
    };

    return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}

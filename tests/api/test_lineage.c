#include "tests/api/service.h"

static char *lineage_path(struct hash model, char path[200])
{
    char text[HASH_TEXT];

    hash_to_text(model, text);
    snprintf(path, 200, "/v1/models/%s/lineage", text);
    return path;
}

static void a_model_is_shown_among_its_relatives(void **state)
{
    struct service *s = *state;
    char path[200];
    struct answer a = get(s, lineage_path(s->w->model, path));

    assert_status(&a, 200);
    assert_int_equal(json_count(at(a.body, "nodes")), 2);
    assert_text_at(&a, "nodes.0.relation", "self");
    assert_text_at(&a, "nodes.0.state", "verified");
    assert_text_at(&a, "nodes.0.part", "0.9");
    assert_text_at(&a, "nodes.1.relation", "ancestor");
    assert_text_at(&a, "nodes.1.part", "0.1");
    assert_number_at(&a, "nodes.1.steps", 1);
    assert_number_at(&a, "edges.0.shareBps", 1000);
    answer_clear(&a);
    a = get(s, lineage_path(s->w->parent, path));
    assert_text_at(&a, "nodes.0.part", "1");
    assert_text_at(&a, "nodes.1.relation", "descendant");
    assert_null(at(a.body, "nodes.1.part"));
    answer_clear(&a);
}

static void it_has_a_tag_that_changes_with_its_relatives(void **state)
{
    struct service *s = *state;
    struct hash tuned = { { 0x99 } };
    char path[200], condition[96] = "If-None-Match: ", tag[40] = "";
    struct asking q = { .method = "GET", .path = lineage_path(s->w->model, path), .header = condition };
    struct answer a;
    struct buf head;
    char request[400];
    const char *found;

    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path);
    raw(s->address, request, &head);
    found = strstr(buf_text(&head), "ETag: ");
    assert_non_null(found);
    snprintf(tag, sizeof tag, "%.*s", 34, found + 6);
    strcat(condition, tag);
    buf_clear(&head);
    a = ask(s, q);
    assert_status(&a, 304);
    answer_clear(&a);
    world_claim(s->w, &s->w->creator, tuned, s->w->model, 100);
    a = ask(s, q);
    assert_status(&a, 200);
    assert_int_equal(json_count(at(a.body, "nodes")), 3);
    assert_text_at(&a, "nodes.2.state", "unverified");
    answer_clear(&a);
}

static void what_nobody_registered_has_none(void **state)
{
    struct service *s = *state;
    char path[200];

    expect_problem(get(s, lineage_path((struct hash){ { 0x77 } }, path)), 404, "not-found");
    expect_problem(get(s, "/v1/models/0x12/lineage"), 400, "malformed");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, service_setup, service_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_model_is_shown_among_its_relatives), TEST(it_has_a_tag_that_changes_with_its_relatives), TEST(what_nobody_registered_has_none),
    };

    return cmocka_run_group_tests_name("lineage", tests, NULL, NULL);
}

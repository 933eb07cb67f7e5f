/* What is told to whoever listens to an account: the kinds of change since the look before, and nothing of others. */
#include <stdlib.h>
#include <string.h>

#include "api/watched.h"
#include "gateway/base/mem.h"
#include "tests/support/world.h"

#define ALL "\"receipts\",\"settlement\",\"claim\""
struct looking { struct world *w; struct events *events; struct watched watched; };

static void pause_it(void *self) { (void)self; }
static bool is_gone(void *self) { (void)self; return false; }

static struct listener *listen_to(struct looking *l, struct address account)
{
    struct listener *listener = listener_new(l->events, &(struct listener_wants){ .account = &account });

    assert_non_null(listener);
    listener_attach(listener, &(struct listener_connection){ pause_it, pause_it, is_gone, NULL });
    return listener;
}

static void look(struct looking *l)
{
    struct err err = { 0 };

    if (!watched_look(&l->watched, l->events, l->w->db, l->w->now_ms, &err))
        fail_msg("%s", err.text);
}

/* The first look for whoever listens now. */
static void look_first(struct looking *l)
{
    watched_begin(&l->watched, l->events);
    look(l);
}

/* The list of kinds in the one event that there is; NULL: there is none. */
static void assert_told(struct listener *listener, const char *kinds)
{
    char bytes[EVENT_MAX + 1] = "", *at;
    size_t len = 0;
    ssize_t got;

    while ((got = listener_read(listener, bytes + len, EVENT_MAX - len)) > 0)
        len += (size_t)got;
    assert_int_equal(got, 0);
    at = strstr(bytes, "\"changed\":[");
    if (kinds == NULL) {
        assert_null(at);
        return;
    }
    assert_non_null(at);
    at += strlen("\"changed\":[");
    assert_int_equal(strncmp(at, kinds, strlen(kinds)), 0);
    assert_int_equal(at[strlen(kinds)], ']');
    assert_null(strstr(at, "event:"));
}

static void post(struct looking *l, const struct party *provider)
{
    struct signed_receipt r = world_receipt(l->w, provider, 1000);

    assert_int_equal(world_post_one(l->w, &r).status, ITEM_ACCEPTED);
}

static int setup(void **state)
{
    struct looking *l = mem_new(sizeof *l);

    world_setup((void **)&l->w);
    l->events = events_new((struct events_limits){ 8, 8 });
    *state = l;
    return 0;
}

static int teardown(void **state)
{
    struct looking *l = *state;

    events_free(l->events);
    world_teardown((void **)&l->w);
    free(l);
    return 0;
}

static void who_begins_to_listen_is_told_of_all_and_then_of_what_changed(void **state)
{
    struct looking *l = *state;
    struct listener *node = listen_to(l, l->w->node.address), *other = listen_to(l, l->w->other.address);

    look_first(l);
    assert_told(node, ALL);
    assert_told(other, ALL);
    look(l);
    assert_told(node, NULL);
    post(l, &l->w->node);
    look(l);
    assert_told(node, "\"receipts\"");
    assert_told(other, NULL);
    listener_free(node);
    listener_free(other);
}

static void a_settlement_is_told_to_all_and_a_payment_to_who_was_paid(void **state)
{
    struct looking *l = *state;
    struct listener *node = listen_to(l, l->w->node.address), *other = listen_to(l, l->w->other.address);

    look_first(l);
    assert_told(node, ALL);
    assert_told(other, ALL);
    watched_paid(&l->watched, l->w->node.address);
    watched_paid(&l->watched, l->w->stranger.address);
    look(l);
    assert_told(node, "\"claim\"");
    assert_told(other, NULL);
    watched_settled(&l->watched);
    look(l);
    assert_told(node, "\"settlement\",\"claim\"");
    assert_told(other, "\"settlement\",\"claim\"");
    listener_free(node);
    listener_free(other);
}

static void what_changed_while_nobody_listened_is_not_guessed(void **state)
{
    struct looking *l = *state;
    struct listener *node = listen_to(l, l->w->node.address);

    look_first(l);
    assert_told(node, ALL);
    listener_free(node);
    watched_begin(&l->watched, l->events);
    assert_int_equal(l->watched.count, 0);
    post(l, &l->w->node);
    look(l);
    node = listen_to(l, l->w->node.address);
    assert_told(node, NULL);
    look_first(l);
    assert_told(node, ALL);
    listener_free(node);
}

static void what_was_seen_is_kept_until_the_next_look(void **state)
{
    struct looking *l = *state;
    struct listener *node = listen_to(l, l->w->node.address);

    look_first(l);
    assert_told(node, ALL);
    watched_paid(&l->watched, l->w->node.address);
    watched_begin(&l->watched, l->events);      /* the store could not be asked in between */
    look(l);
    assert_told(node, "\"claim\"");
    listener_free(node);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(who_begins_to_listen_is_told_of_all_and_then_of_what_changed), TEST(a_settlement_is_told_to_all_and_a_payment_to_who_was_paid),
        TEST(what_changed_while_nobody_listened_is_not_guessed), TEST(what_was_seen_is_kept_until_the_next_look),
    };

    return cmocka_run_group_tests_name("watched", tests, NULL, NULL);
}

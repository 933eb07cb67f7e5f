/* Events: who listens reads them in order, whoever comes back misses none, who is too slow is cut off; samples of figures. */
#include <string.h>

#include "api/events.h"
#include "api/samples.h"
#include "tests/support/fixture.h"

#define NOW UINT64_C(1790718319139)
#define LISTENERS 8u
#define PER_SENDER 3u

/* A connection that is paused or not. */
struct connection { int paused, resumed; bool gone; };

static void pause_it(void *self) { ((struct connection *)self)->paused++; }
static void resume_it(void *self) { ((struct connection *)self)->resumed++; }

static bool is_gone(void *self) { return ((struct connection *)self)->gone; }

static json *data(uint64_t n)
{
    json *object = json_new_object();

    json_put_u64(object, "n", n);
    return object;
}

static struct listener *listen_to(struct events *e, const struct listener_wants *wants, struct connection *connection)
{
    struct listener *l = listener_new(e, wants);

    assert_non_null(l);
    *connection = (struct connection){ 0 };
    listener_attach(l, &(struct listener_connection){ pause_it, resume_it, is_gone, connection });
    return l;
}

static struct listener *listen_as(struct events *e, uint64_t last_id, struct connection *connection)
{
    return listen_to(e, &(struct listener_wants){ .last_id = last_id }, connection);
}

/* All there is, in pieces of any size. */
static void read_all(struct listener *l, size_t piece, struct buf *out)
{
    char bytes[EVENT_MAX];
    ssize_t got;

    buf_init(out);
    while ((got = listener_read(l, bytes, piece)) > 0)
        buf_add(out, bytes, (size_t)got);
}

static void assert_reads(struct listener *l, size_t piece, const char *want)
{
    struct buf out;

    read_all(l, piece, &out);
    assert_string_equal(buf_text(&out), want);
    buf_clear(&out);
}

static int setup(void **state)
{
    *state = events_new((struct events_limits){ LISTENERS, PER_SENDER });
    return 0;
}

static int teardown(void **state)
{
    events_free(*state);
    return 0;
}

static void an_event_reaches_who_listens(void **state)
{
    struct connection connection;
    struct listener *l = listen_as(*state, 0, &connection);

    assert_reads(l, 5, "retry: 2000\n\n");
    assert_int_equal(connection.paused, 1);
    events_add(*state, NOW, "receipt", data(1));
    assert_int_equal(connection.resumed, 1);
    assert_reads(l, 7, "id: 1790718319139\nevent: receipt\ndata: {\"n\":1}\n\n");
    assert_int_equal(connection.paused, 2);
    listener_free(l);
}

static void ids_grow_within_one_moment(void **state)
{
    struct connection connection;
    struct listener *l = listen_as(*state, 0, &connection);

    events_add(*state, NOW, "a", data(1));
    events_add(*state, NOW, "b", data(2));
    events_add(*state, NOW - 5, "c", data(3));
    assert_reads(l, EVENT_MAX, "retry: 2000\n\nid: 1790718319139\nevent: a\ndata: {\"n\":1}\n\n"
                               "id: 1790718319140\nevent: b\ndata: {\"n\":2}\n\nid: 1790718319141\nevent: c\ndata: {\"n\":3}\n\n");
    listener_free(l);
}

static void who_comes_back_gets_what_was_missed(void **state)
{
    struct connection connection;
    struct listener *l;

    for (uint64_t n = 1; n <= 3; n++)
        events_add(*state, NOW + n, "a", data(n));
    l = listen_as(*state, NOW + 2, &connection);
    assert_reads(l, EVENT_MAX, "retry: 2000\n\nid: 1790718319142\nevent: a\ndata: {\"n\":3}\n\n");
    listener_free(l);
    l = listen_as(*state, NOW + 3, &connection);
    assert_reads(l, EVENT_MAX, "retry: 2000\n\n");
    listener_free(l);
}

static void who_missed_what_is_gone_is_told_to_ask_anew(void **state)
{
    struct connection connection;
    struct listener *l;
    struct buf out;

    events_add(*state, NOW, "a", data(0));
    for (uint64_t n = 1; n <= EVENTS_KEPT; n++)
        events_add(*state, NOW + n, "a", data(n));
    l = listen_as(*state, NOW, &connection);
    read_all(l, EVENT_MAX, &out);
    assert_non_null(strstr(buf_text(&out), "event: reset\ndata: {}\n\nid: "));
    buf_clear(&out);
    listener_free(l);
}

static void who_falls_behind_is_cut_off(void **state)
{
    struct connection connection;
    struct listener *l = listen_as(*state, 0, &connection);
    char piece[8];

    assert_int_equal(listener_read(l, piece, sizeof piece), sizeof piece);
    for (uint64_t n = 0; n <= EVENTS_KEPT; n++)
        events_add(*state, NOW + n, "a", data(n));
    assert_int_equal(listener_read(l, piece, sizeof piece), -1);
    listener_free(l);
}

static void a_beat_is_a_comment(void **state)
{
    struct connection connection;
    struct listener *l = listen_as(*state, 0, &connection);

    assert_reads(l, EVENT_MAX, "retry: 2000\n\n");
    events_beat(*state);
    assert_int_equal(connection.resumed, 1);
    assert_reads(l, EVENT_MAX, ":\n\n");
    listener_free(l);
}

static struct listener *listen_from(struct events *e, const char *ip)
{
    struct listener_wants wants = { 0 };

    assert_true(ip_parse(ip, strlen(ip), &wants.client));
    return listener_new(e, &wants);
}

static void no_more_listen_than_may(void **state)
{
    static const char *const senders[] = { "192.0.2.1", "192.0.2.2", "192.0.2.3" };
    struct listener *all[LISTENERS];

    for (size_t i = 0; i < LISTENERS; i++)
        assert_non_null(all[i] = listen_from(*state, senders[i / PER_SENDER]));
    assert_null(listen_from(*state, "192.0.2.4"));
    listener_free(all[7]);
    assert_non_null(all[7] = listen_from(*state, "192.0.2.4"));
    for (size_t i = 0; i < LISTENERS; i++)
        listener_free(all[i]);
}

static void no_more_of_one_sender_listen_than_may(void **state)
{
    struct listener *all[PER_SENDER], *other;

    for (size_t i = 0; i < PER_SENDER; i++)
        assert_non_null(all[i] = listen_from(*state, i == 0 ? "2001:db8::1" : "2001:db8::2"));       /* of one /64 */
    assert_null(listen_from(*state, "2001:db8::3"));
    assert_non_null(other = listen_from(*state, "2001:db8:0:1::3"));
    listener_free(other);
    for (size_t i = 0; i < PER_SENDER; i++)
        listener_free(all[i]);
}

static void who_went_away_makes_room(void **state)
{
    struct connection connections[PER_SENDER];
    struct listener *all[PER_SENDER], *next;
    char piece[EVENT_MAX];

    for (size_t i = 0; i < PER_SENDER; i++) {
        all[i] = listen_as(*state, 0, &connections[i]);
        assert_reads(all[i], EVENT_MAX, "retry: 2000\n\n");
    }
    assert_null(listener_new(*state, &(struct listener_wants){ 0 }));
    connections[1].gone = true;
    assert_non_null(next = listener_new(*state, &(struct listener_wants){ 0 }));
    assert_int_equal(connections[1].resumed, 1);
    assert_int_equal(listener_read(all[1], piece, sizeof piece), -1);
    assert_null(listener_new(*state, &(struct listener_wants){ 0 }));
    for (size_t i = 0; i < PER_SENDER; i++)
        listener_free(all[i]);
    listener_free(next);
}

/* -- about one account -- */

static const struct address mine = { { 1 } }, yours = { { 2 } };

static void who_listens_to_an_account_hears_of_it_alone(void **state)
{
    struct connection connection;
    struct listener *l = listen_to(*state, &(struct listener_wants){ .account = &mine }, &connection);

    assert_reads(l, EVENT_MAX, "retry: 2000\n\n");
    events_add(*state, NOW, "a", data(1));
    events_add_about(*state, NOW + 1, yours, "a", data(2));
    assert_int_equal(connection.resumed, 0);
    events_add_about(*state, NOW + 2, mine, "a", data(3));
    assert_int_equal(connection.resumed, 1);
    events_add_about(*state, NOW + 3, yours, "a", data(4));
    assert_reads(l, EVENT_MAX, "id: 1790718319141\nevent: a\ndata: {\"n\":3}\n\n");
    listener_free(l);
}

static void nobody_falls_behind_by_what_others_hear(void **state)
{
    struct connection connection;
    struct listener *l = listen_to(*state, &(struct listener_wants){ .account = &mine }, &connection);

    assert_reads(l, EVENT_MAX, "retry: 2000\n\n");
    for (uint64_t n = 0; n <= EVENTS_KEPT; n++)
        events_add_about(*state, NOW + n, yours, "a", data(n));
    events_beat(*state);
    assert_reads(l, EVENT_MAX, ":\n\n");
    listener_free(l);
}

static void the_accounts_that_are_listened_to_are_named_once(void **state)
{
    struct address accounts[EVENTS_LISTENERS_MAX];
    struct connection connection;
    struct listener *all[] = {
        listen_as(*state, 0, &connection),
        listen_to(*state, &(struct listener_wants){ .account = &mine }, &connection),
        listen_to(*state, &(struct listener_wants){ .account = &mine }, &connection),
    };

    assert_int_equal(events_accounts(*state, accounts), 1);
    assert_memory_equal(accounts[0].b, mine.b, sizeof mine.b);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        listener_free(all[i]);
    assert_int_equal(events_accounts(*state, accounts), 0);
}

static void listeners_end_when_the_service_does(void **state)
{
    struct connection connection;
    struct listener *l = listen_as(*state, 0, &connection);
    char piece[64];

    assert_reads(l, EVENT_MAX, "retry: 2000\n\n");
    events_close(*state);
    assert_int_equal(connection.resumed, 1);
    assert_int_equal(listener_read(l, piece, sizeof piece), -1);
    assert_null(listener_new(*state, &(struct listener_wants){ 0 }));
    listener_free(l);
}

/* -- samples -- */

static uint64_t number_at(const json *object, const char *column, size_t i)
{
    uint64_t n = UINT64_MAX;

    assert_true(json_get_u64(json_at(json_member(object, column), i), &n));
    return n;
}

static void samples_hold_what_came_in_since_the_one_before(void **state)
{
    static struct samples samples;
    json *hour, *day;

    (void)state;
    memset(&samples, 0, sizeof samples);
    for (uint64_t s = 0; s <= 400; s++)
        samples_add(&samples, &(struct figures){ .at_ms = NOW + s * 1000, .accepted = 3 * s, .unsettled_since_ms = NOW });
    hour = samples_to_json(&samples, LIVE_HOUR);
    day = samples_to_json(&samples, LIVE_DAY);
    assert_int_equal(json_count(json_member(hour, "at")), 41);
    assert_int_equal(number_at(hour, "accepted", 1), 30);
    assert_int_equal(number_at(hour, "oldestUnsettled", 1), 10000);
    assert_int_equal(json_kind_of(json_at(json_member(hour, "gasBalance"), 1)), JSON_KIND_NULL);
    assert_int_equal(json_count(json_member(day, "at")), 2);
    assert_int_equal(number_at(day, "accepted", 1), 900);
    json_free(hour);
    json_free(day);
}

static void a_full_ring_forgets_the_oldest(void **state)
{
    static struct samples samples;
    json *hour;

    (void)state;
    memset(&samples, 0, sizeof samples);
    for (uint64_t s = 0; s < 500; s++)
        samples_add(&samples, &(struct figures){ .at_ms = NOW + s * 10000, .accepted = s });
    hour = samples_to_json(&samples, LIVE_HOUR);
    assert_int_equal(json_count(json_member(hour, "at")), 360);
    assert_int_equal(number_at(hour, "at", 0), NOW + 140 * 10000);
    assert_int_equal(number_at(hour, "at", 359), NOW + 499 * 10000);
    json_free(hour);
}

static void a_restart_keeps_what_was_stored_and_counts_on(void **state)
{
    static struct samples samples;
    json *day;

    (void)state;
    memset(&samples, 0, sizeof samples);
    for (uint64_t m = 0; m < 60; m += 5)
        samples_restore(&samples, &(struct figures){ .at_ms = NOW + m * 60000, .accepted = 7 });
    samples_begin(&samples, &(struct figures){ .at_ms = NOW + 70 * 60000, .accepted = 2 });
    samples_add(&samples, &(struct figures){ .at_ms = NOW + 75 * 60000, .accepted = 11 });
    day = samples_to_json(&samples, LIVE_DAY);
    assert_int_equal(json_count(json_member(day, "at")), 13);
    assert_int_equal(number_at(day, "accepted", 11), 7);
    assert_int_equal(number_at(day, "accepted", 12), 9);
    json_free(day);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_event_reaches_who_listens), TEST(ids_grow_within_one_moment), TEST(who_comes_back_gets_what_was_missed),
        TEST(who_missed_what_is_gone_is_told_to_ask_anew), TEST(who_falls_behind_is_cut_off), TEST(a_beat_is_a_comment),
        TEST(no_more_listen_than_may), TEST(no_more_of_one_sender_listen_than_may), TEST(who_went_away_makes_room), TEST(who_listens_to_an_account_hears_of_it_alone),
        TEST(nobody_falls_behind_by_what_others_hear), TEST(the_accounts_that_are_listened_to_are_named_once), TEST(listeners_end_when_the_service_does),
        cmocka_unit_test(samples_hold_what_came_in_since_the_one_before), cmocka_unit_test(a_full_ring_forgets_the_oldest),
        cmocka_unit_test(a_restart_keeps_what_was_stored_and_counts_on),
    };

    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}

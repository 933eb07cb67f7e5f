/* Whose request it is, behind reverse proxies. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "api/forwarded.h"
#include "gateway/base/types.h"

#define OURS "10.0.0.0/8, 192.0.2.7, fd00::/8"

static const struct client_case { const char *name, *peer, *forwarded, *list, *want; } clients[] = {
    { "a peer that is no proxy of ours is itself",          "203.0.113.9", "for=1.2.3.4", "1.2.3.4", "203.0.113.9" },
    { "a proxy that says nothing is itself",                "10.0.0.1", NULL, NULL, "10.0.0.1" },
    { "X-Forwarded-For names the client",                   "10.0.0.1", NULL, "203.0.113.9", "203.0.113.9" },
    { "what the client wrote before is not believed",       "10.0.0.1", NULL, "1.1.1.1, 203.0.113.9", "203.0.113.9" },
    { "proxies of ours are passed over",                    "10.0.0.1", NULL, "1.1.1.1, 203.0.113.9, 10.9.9.9,192.0.2.7", "203.0.113.9" },
    { "all are ours: the first of them",                    "10.0.0.1", NULL, "10.0.0.3, 10.0.0.2", "10.0.0.3" },
    { "an empty member hides those before it",              "10.0.0.1", NULL, "203.0.113.9,,10.0.0.2", "10.0.0.2" },
    { "nonsense hides those before it",                     "10.0.0.1", NULL, "203.0.113.9, (select 1), 10.0.0.2", "10.0.0.2" },
    { "nonsense alone leaves the proxy",                    "10.0.0.1", NULL, "localhost", "10.0.0.1" },
    { "a port is dropped",                                  "10.0.0.1", NULL, "203.0.113.9:4711", "203.0.113.9" },
    { "IPv6 with a port",                                   "10.0.0.1", NULL, "[2001:db8::1]:4711", "2001:db8::1" },
    { "bare IPv6",                                          "fd00::1",  NULL, "2001:db8::1", "2001:db8::1" },
    { "Forwarded names the client",                         "10.0.0.1", "for=203.0.113.9", NULL, "203.0.113.9" },
    { "in any case and with other pairs",                   "10.0.0.1", "By=10.0.0.1;FOR=203.0.113.9;proto=https", NULL, "203.0.113.9" },
    { "IPv6 is quoted and in brackets",                     "10.0.0.1", "for=\"[2001:db8:cafe::17]:4711\"", NULL, "2001:db8:cafe::17" },
    { "the last element counts",                            "10.0.0.1", "for=1.1.1.1, for=203.0.113.9", NULL, "203.0.113.9" },
    { "a comma within quotes divides nothing",              "10.0.0.1", "for=203.0.113.9;host=\"a,for=1.1.1.1\"", NULL, "203.0.113.9" },
    { "a quote that never ends divides nothing",            "10.0.0.1", "for=\"203.0.113.9, for=1.1.1.1", NULL, "10.0.0.1" },
    { "an open quote hides what stands before it too",      "10.0.0.1", "for=1.1.1.1;host=\", for=203.0.113.9", NULL, "10.0.0.1" },
    { "an escaped quote does not end it",                   "10.0.0.1", "for=203.0.113.9;host=\"\\\",for=1.1.1.1\"", NULL, "203.0.113.9" },
    { "unknown leaves the proxy",                           "10.0.0.1", "for=unknown", NULL, "10.0.0.1" },
    { "a hidden name leaves the proxy",                     "10.0.0.1", "for=1.1.1.1, for=_gazonk", NULL, "10.0.0.1" },
    { "an element without for leaves the proxy",            "10.0.0.1", "for=1.1.1.1, proto=https", NULL, "10.0.0.1" },
    { "both headers that agree",                            "10.0.0.1", "for=203.0.113.9", "203.0.113.9", "203.0.113.9" },
    { "both headers that differ: one of them is made up",   "10.0.0.1", "for=1.1.1.1", "203.0.113.9", "10.0.0.1" },
    { "IPv4 in IPv6 is IPv4",                               "::ffff:10.0.0.1", NULL, "::ffff:203.0.113.9", "203.0.113.9" },
    { "an IPv4 address in brackets is none",                "10.0.0.1", NULL, "[203.0.113.9]", "10.0.0.1" },
};

static struct ip ip(const char *text)
{
    struct ip out;

    assert_true(ip_parse(text, strlen(text), &out));
    return out;
}

static struct proxies ours(void)
{
    struct proxies p;
    struct err err = { 0 };

    assert_true(proxies_parse(OURS, &p, &err));
    return p;
}

static void each_request_has_its_client(void **state)
{
    struct proxies p = ours();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        const struct client_case *c = &clients[i];
        char got[IP_TEXT];

        ip_to_text(forwarded_client(&p, ip(c->peer), c->forwarded, c->list), got);
        if (strcmp(got, c->want) != 0)
            fail_msg("%s: %s, not %s", c->name, got, c->want);
    }
}

static const struct { const char *text; bool good; size_t count; } lists[] = {
    { "", true, 0 },           { "10.0.0.0/8", true, 1 },       { " ::1 , 127.0.0.1 ", true, 2 }, { "10.0.0.1,", true, 1 },
    { "0.0.0.0/0", true, 1 },  { "2001:db8::/32", true, 1 },    { "10.0.0.0/33", false, 0 },      { "::/129", false, 0 },
    { "10.0.0.0/", false, 0 }, { "10.0.0.0/8x", false, 0 },     { "proxy.example", false, 0 },    { "10.0.0.1 10.0.0.2", false, 0 },
    { "/8", false, 0 },        { "10.0.0.0/0008", false, 0 },
};

static void lists_of_proxies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct proxies p;
        struct err err = { 0 };
        bool good = proxies_parse(lists[i].text, &p, &err);

        if (good != lists[i].good || (good && p.count != lists[i].count))
            fail_msg("\"%s\": %s", lists[i].text, good ? "taken" : err.text);
        if (!good)
            assert_non_null(strstr(err.text, "[api] trusted_proxies"));
    }
}

static const struct { const char *address; bool trusted; } trusts[] = {
    { "10.255.255.255", true }, { "11.0.0.0", false }, { "192.0.2.7", true }, { "192.0.2.6", false },
    { "fdff::1", true },        { "fe00::1", false },  { "::a00:1", false },  { "::ffff:10.0.0.1", true },
};

static void prefixes_end_where_they_say(void **state)
{
    struct proxies p = ours();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(trusts); i++)
        if (proxies_trust(&p, ip(trusts[i].address)) != trusts[i].trusted)
            fail_msg("%s", trusts[i].address);
}

static void one_sender_holds_a_whole_64(void **state)
{
    (void)state;
    assert_true(ip_eq(ip_sender(ip("2001:db8:1:2:3:4:5:6")), ip_sender(ip("2001:db8:1:2::"))));
    assert_false(ip_eq(ip_sender(ip("2001:db8:1:3::")), ip_sender(ip("2001:db8:1:2::"))));
    assert_false(ip_eq(ip_sender(ip("192.0.2.1")), ip_sender(ip("192.0.2.2"))));
}

/* Whatever a client writes, a proxy that appends the truth is not talked out of it. */
static void nothing_before_the_last_hop_counts(void **state)
{
    static const char pieces[][16] = { "for=", "\"", ",", ";", "1.1.1.1", "[::1]", ":80", "\\", " ", "unknown", "=", "10.0.0.2", "host=", "\t", "[", "]" };
    struct proxies p = ours();
    uint64_t seed = 42;

    (void)state;
    for (unsigned round = 0; round < 200000; round++) {
        char list[600] = "", forwarded[600] = "";
        size_t at = 0, count = round % 40;

        for (size_t i = 0; i < count; i++) {
            const char *piece = pieces[(seed = seed * 6364136223846793005u + 1442695040888963407u) >> 60];

            memcpy(list + at, piece, strlen(piece) + 1);
            at += strlen(piece);
        }
        memcpy(forwarded, list, sizeof forwarded);
        memcpy(list + at, ",203.0.113.9", 13);
        assert_true(ip_eq(forwarded_client(&p, ip("10.0.0.1"), NULL, list), ip("203.0.113.9")));
        /* No quoting can be repaired by what is appended: then it is the proxy, never somebody made up. */
        memcpy(forwarded + at, ",for=203.0.113.9", 17);
        struct ip got = forwarded_client(&p, ip("10.0.0.1"), forwarded, NULL);
        if (!ip_eq(got, ip("203.0.113.9")) && !ip_eq(got, ip("10.0.0.1")))
            fail_msg("%s", forwarded);
        assert_false(ip_eq(forwarded_client(&p, ip("203.0.113.8"), forwarded, list), ip("203.0.113.9")));
    }
}

static void only_the_last_hops_are_read(void **state)
{
    struct proxies p = ours();
    char list[2000] = "203.0.113.9";

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        strncat(list, ",10.0.0.2", sizeof list - strlen(list) - 1);
    assert_true(ip_eq(forwarded_client(&p, ip("10.0.0.1"), NULL, list), ip("10.0.0.2")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_has_its_client), cmocka_unit_test(lists_of_proxies), cmocka_unit_test(prefixes_end_where_they_say),
        cmocka_unit_test(one_sender_holds_a_whole_64), cmocka_unit_test(nothing_before_the_last_hop_counts),
        cmocka_unit_test(only_the_last_hops_are_read),
    };

    return cmocka_run_group_tests_name("forwarded", tests, NULL, NULL);
}

#include "tests/support/quorum.h"

#include <stdio.h>
#include <string.h>

static uint64_t test_now(void *self)
{
    return ((struct quorum *)self)->now_ms;
}

static uint64_t test_random(void *self)
{
    return ((struct quorum *)self)->chance;
}

static void note(void *self, const struct rpc_health *health)
{
    struct quorum *q = self;

    q->told++;
    q->last = *health;
}

void quorum_open(struct quorum *q, size_t count)
{
    char urls[QUORUM_MAX * FAKE_URL_MAX] = "";

    *q = (struct quorum){ .count = count, .now_ms = 1000, .clock = { test_now, q } };
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(urls);

        fake_node_start(&q->nodes[i]);
        q->nodes[i].clock_ms = &q->now_ms;
        snprintf(urls + len, sizeof urls - len, "%s%s", i > 0 ? "," : "", fake_http_url(q->nodes[i].http));
    }
    if (!rpc_new(urls, &q->rpc, &q->err))
        fail_msg("%s", q->err.text);
    rpc_expect_chain(q->rpc, 31337);
    rpc_set_clock(q->rpc, &q->clock, test_random, q);
    rpc_set_listener(q->rpc, note, q);
}

void quorum_close(struct quorum *q)
{
    rpc_free(q->rpc);
    for (size_t i = 0; i < q->count; i++)
        fake_node_stop(&q->nodes[i]);
}

struct rpc_health quorum_health(struct quorum *q, size_t node)
{
    struct rpc_health list[RPC_URLS_MAX];

    assert_int_equal(rpc_health(q->rpc, list), q->count);
    return list[node];
}

void quorum_later(struct quorum *q, uint64_t ms)
{
    q->now_ms += ms;
    q->err = (struct err){ 0 };
}

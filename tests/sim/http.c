/* chain/http.h without a network: exchanges with simulated nodes, and all that goes wrong on the way. */
#include "chain/http.h"

#include <stdlib.h>

#include "gateway/base/mem.h"
#include "tests/sim/node.h"

#define PATIENCE_MS 20000u

struct http_client { bool unused; };

bool http_start(struct err *err)
{
    (void)err;
    return true;
}

void http_stop(void)
{
}

struct http_client *http_new(void)
{
    return mem_new(sizeof(struct http_client));
}

void http_free(struct http_client *client)
{
    free(client);
}

void http_set_stop(struct http_client *client, const atomic_bool *stop)
{
    (void)client;
    (void)stop;
}

void http_answer_clear(struct http_answer *answer)
{
    buf_clear(&answer->body);
}

struct exchange { struct sim *sim; struct node *node; unsigned n; const json *request; size_t tx; const char *method; };

static bool lost(struct exchange *e, enum err_code code, uint64_t ms, const char *words, struct err *err)
{
    e->node->fresh[sim_number(e->sim)] = true;
    sim_say(e->sim, "  node %u: %s", e->n, words);
    sim_advance(e->sim, ms);
    return err_set(err, code, "%s", words);
}

static bool died(struct exchange *e, struct err *err)
{
    sim_say(e->sim, "the process ends at event %llu", (unsigned long long)e->sim->events);
    return err_set(err, ERR_UNKNOWN, "the process has ended");
}

/* Never arrives, or later. */
static bool fails_before(struct exchange *e, struct err *err)
{
    struct sim *s = e->sim;

    if (e->node->down_until > s->chain.blocks[s->chain.head].number || sim_fault(s, FAULT_REFUSED)) {
        lost(e, ERR_AGAIN, 1, "connection refused", err);
        return true;
    }
    if (sim_fault(s, FAULT_TIMEOUT_UNSENT)) {
        lost(e, ERR_UNKNOWN, PATIENCE_MS, "no answer in time", err);
        return true;
    }
    if (e->tx != SIZE_MAX && s->late_count < SIM_LATE && sim_fault(s, FAULT_ARRIVES_LATE)) {
        s->late[s->late_count++] = (struct late){ s->now_ms + sim_between(s, 100, 120000), e->n, e->tx };
        lost(e, ERR_UNKNOWN, 3000, "connection reset", err);
        return true;
    }
    return false;
}

static void page(struct http_answer *answer, int status)
{
    answer->status = status;
    buf_reset(&answer->body);
    buf_add_text(&answer->body, "<html>no</html>");
}

static void unknown_words(struct exchange *e, struct http_answer *answer)
{
    int code;
    json *words = json_new_text(words_for(e->sim, RPC_UNKNOWN, &code));

    buf_reset(&answer->body);
    buf_printf(&answer->body, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":%d,\"message\":", code);
    json_write(words, &answer->body);
    buf_add_text(&answer->body, "}}");
    json_free(words);
}

/* Executed, and answered badly. */
static void spoil(struct exchange *e, struct http_answer *answer)
{
    struct sim *s = e->sim;

    if (sim_fault(s, FAULT_HTTP_502)) {
        page(answer, 502);
    } else if (sim_fault(s, FAULT_NOT_JSON)) {
        answer->body.len /= 2;
    } else if (sim_fault(s, FAULT_WRONG_ID)) {
        buf_reset(&answer->body);
        buf_add_text(&answer->body, "{\"jsonrpc\":\"2.0\",\"id\":4294967296,\"result\":\"0x1\"}");
    } else if (sim_fault(s, FAULT_UNKNOWN_WORDS)) {
        unknown_words(e, answer);
    }
}

static bool exchange(struct exchange *e, struct http_answer *answer, struct err *err)
{
    struct sim *s = e->sim;

    if (fails_before(e, err))
        return false;
    answer->status = 200;
    answer->connected = e->node->fresh[sim_number(e->sim)];
    e->node->fresh[sim_number(e->sim)] = false;
    if (sim_fault(s, FAULT_HTTP_429)) {
        page(answer, 429);
        return true;
    }
    node_answer(s, e->n, e->request, &answer->body);
    if (sim_crash(s, true))
        return died(e, err);
    if (sim_fault(s, FAULT_REPLY_LOST))
        return lost(e, ERR_UNKNOWN, PATIENCE_MS, "the answer is lost", err);
    spoil(e, answer);
    return true;
}

static const char *method_of(const json *request)
{
    const json *one = json_kind_of(request) == JSON_KIND_ARRAY ? json_at(request, 0) : request;
    const char *method;
    size_t len;

    return json_get_text(json_member(one, "method"), &method, &len) ? method : "?";
}

bool http_do(struct http_client *client, const struct http_request *request, struct http_answer *answer, struct err *err)
{
    struct sim *s = sim_here;
    struct exchange e = { .sim = s, .n = (unsigned)(request->url[strlen("http://node")] - '0'), .tx = SIZE_MAX };
    json *parsed;
    bool ok;

    (void)client;
    if (s->crashed)
        return err_set(err, ERR_AGAIN, "the process has ended");
    replicas_stop_here(s);
    e.node = &s->nodes[e.n];
    if (!json_read(request->body, request->body_len, &parsed, err))
        bug("a request that is no JSON: %s", err->text);
    e.request = parsed;
    e.method = method_of(parsed);
    s->events++;
    sim_say(s, "node %u: %s", e.n, e.method);
    sim_advance(s, sim_between(s, 1, 40));
    if (sim_crash(s, false)) {
        json_free(parsed);
        return died(&e, err);
    }
    if (strcmp(e.method, "eth_sendRawTransaction") == 0) {
        e.tx = node_decode(s, parsed);
        check_sent(s, &s->chain.txs[e.tx]);
    }
    *answer = (struct http_answer){ 0 };
    buf_init(&answer->body);
    ok = exchange(&e, answer, err);
    if (!ok)
        http_answer_clear(answer);
    json_free(parsed);
    replicas_stop_here(s);
    return ok;
}

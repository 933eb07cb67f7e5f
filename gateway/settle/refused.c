/* Accounts that the token refuses to pay: found by a call before anything is sent, so that no gas is spent on them.
 *
 * Kept in memory for one settlement: after a restart they are found again, and the next settlement tries them anew. */
#include "gateway/settle/distribution.h"

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

#include <stdlib.h>

bool is_left_out(const struct settle *s, uint64_t sequence, struct address account)
{
    if (s->left_out_sequence != sequence)
        return false;
    for (size_t i = 0; i < s->left_out_count; i++)
        if (address_eq(s->left_out[i], account))
            return true;
    return false;
}

void leave_out(struct settle *s, uint64_t sequence, struct address account, const struct err *why)
{
    if (s->left_out_sequence != sequence) {
        s->left_out_sequence = sequence;
        s->left_out_count = 0;
    }
    s->left_out = mem_grow(s->left_out, s->left_out_count + 1, sizeof *s->left_out);
    s->left_out[s->left_out_count++] = account;
    log_event(LOG_NOTICE_LEVEL, "account_left_out", KV_U64("sequence", sequence), KV_ADDRESS("account", &account),
              KV_TEXT("error", why->text));
}

void left_out_clear(struct settle *s)
{
    s->left_out_count = 0;
}

void distribution_take_out_left_out(struct distribution *d)
{
    size_t kept = 0;

    for (size_t i = 0; i < d->dues.count; i++)
        if (!is_left_out(d->settle, d->sequence, d->leaves.list[d->dues.list[i].leaf].account))
            d->dues.list[kept++] = d->dues.list[i];
    d->dues.count = kept;
}

void distribution_leave_out(struct distribution *d, size_t due, const struct err *why)
{
    leave_out(d->settle, d->sequence, d->leaves.list[d->dues.list[due].leaf].account, why);
    distribution_take_out_left_out(d);
}

static bool read_answer(const struct buf *answer, struct amount *skipped, struct err *err)
{
    struct amount paid;

    return settlement_distributed(answer, &paid, skipped)
        || err_set(err, ERR_AGAIN, "distribute gives no usable answer");
}

/* Each alone, in batches of requests: the answer to a whole set does not tell who. */
static bool find_refused(struct distribution *d, size_t count, struct buf *calls, struct buf *answers, struct err *err)
{
    struct settle *s = d->settle;
    struct amount *skipped = mem_array(count, sizeof *skipped);
    struct err why = { 0 };
    bool ok = true;

    err_set(&why, ERR_CHAIN, "the token refuses to pay it");
    for (size_t i = 0; ok && i < count; i++)
        ok = set_call(&d->leaves, d->tree, &d->dues.list[i], 1, &calls[i], err);
    ok = ok && rpc_call_many(s->rpc, s->config.contract, calls, count, answers, err);
    for (size_t i = 0; ok && i < count; i++)
        ok = read_answer(&answers[i], &skipped[i], err);
    for (size_t i = 0; ok && i < count; i++)
        if (!amount_is_zero(skipped[i]))
            leave_out(s, d->sequence, d->leaves.list[d->dues.list[i].leaf].account, &why);
    free(skipped);
    return ok;
}

static bool leave_refused_out(struct distribution *d, size_t count, struct err *err)
{
    struct buf *calls = mem_array(count, sizeof *calls), *answers = mem_array(count, sizeof *answers);
    size_t before = d->dues.count;
    bool ok;

    for (size_t i = 0; i < count; i++) {
        buf_init(&calls[i]);
        buf_init(&answers[i]);
    }
    ok = find_refused(d, count, calls, answers, err);
    for (size_t i = 0; i < count; i++) {
        buf_clear(&calls[i]);
        buf_clear(&answers[i]);
    }
    free(calls);
    free(answers);
    if (!ok)
        return false;
    distribution_take_out_left_out(d);
    /* Together they are refused and alone they are not: nothing is sent on such a word. */
    return d->dues.count < before || err_set(err, ERR_AGAIN, "the token refuses some of %zu accounts, but none alone",
                                             count);
}

bool distribution_preview(struct distribution *d, size_t count, const struct buf *data, bool *refused, struct err *err)
{
    struct settle *s = d->settle;
    struct amount skipped;
    struct buf answer;
    bool ok;

    buf_init(&answer);
    ok = rpc_call(s->rpc, &s->account, s->config.contract, data, &answer, err) || explain_revert(s, err);
    ok = ok && read_answer(&answer, &skipped, err);
    buf_clear(&answer);
    if (!ok)
        return false;
    *refused = !amount_is_zero(skipped);
    return !*refused || leave_refused_out(d, count, err);
}

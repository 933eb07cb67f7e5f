#include "gateway/node/sign.h"

#include <pthread.h>
#include <unistd.h>

#define THREADS_MAX 64

struct share {
    const struct signer *signer;
    const struct domain *domain;
    struct address provider;
    bool as_consumer, ok;
    struct signed_receipt *receipts;
    size_t from, to, failed;
    struct err err;
};

static bool sign_one(const struct share *s, struct signed_receipt *r, struct err *err)
{
    struct address who = s->as_consumer ? r->receipt.consumer : r->receipt.provider;
    struct signature *at = s->as_consumer ? &r->consumer_signature : &r->signature;

    if (!address_eq(who, s->as_consumer ? signer_address(s->signer) : s->provider))
        return err_set(err, ERR_INVALID, "a receipt names another %s than the key's address%s", s->as_consumer ? "consumer" : "provider",
                       s->as_consumer ? "" : ", or than --provider where that one lent the key");
    if (!signer_sign_digest(s->signer, typed_digest(s->domain, receipt_struct_hash(&r->receipt)), at, err))
        return false;
    if (s->as_consumer)
        r->has_consumer_signature = true;
    else
        r->has_signature = true;
    return true;
}

static void *sign_share(void *self)
{
    struct share *s = self;

    s->ok = true;
    for (size_t i = s->from; s->ok && i < s->to; i++) {
        s->ok = sign_one(s, &s->receipts[i], &s->err);
        s->failed = i;
    }
    return NULL;
}

static size_t count_cores(size_t receipts)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t useful = receipts / SIGN_A_CORE + 1, n = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (size_t)cores;

    return n < useful ? n : useful;
}

bool sign_receipts(const struct signer *signer, const struct domain *domain, struct address provider, bool as_consumer,
                   struct signed_receipt *receipts, size_t count, size_t *failed, struct err *err)
{
    struct share shares[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    bool started[THREADS_MAX] = { false };
    size_t n = count_cores(count);

    for (size_t i = 0; i < n; i++) {
        shares[i] = (struct share){ .signer = signer, .domain = domain, .provider = provider, .as_consumer = as_consumer, .receipts = receipts,
                                    .from = count * i / n, .to = count * (i + 1) / n };
        started[i] = i > 0 && pthread_create(&threads[i], NULL, sign_share, &shares[i]) == 0;
    }
    /* This thread takes the first share, and those for which there was no thread. */
    for (size_t i = 0; i < n; i++)
        if (!started[i])
            sign_share(&shares[i]);
    for (size_t i = 0; i < n; i++)
        if (started[i])
            pthread_join(threads[i], NULL);
    for (size_t i = 0; i < n; i++)
        if (!shares[i].ok) {
            *failed = shares[i].failed;
            *err = shares[i].err;
            return false;
        }
    return true;
}

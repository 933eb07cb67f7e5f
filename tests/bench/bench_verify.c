/* The physical limit of single receipts: signatures a second that libsecp256k1 verifies on all cores, against keys that are parsed
 * already.  Nothing of the product takes part but the door that recovers, shown beside it.
 *
 *     scripts/bench verify        build/tests/bench/bench_verify [SECONDS]
 *
 * "verify" is by the clock, "verify, CPU" by CPU time: what the machine would give if nobody else were on it. */
#include <pthread.h>
#include <secp256k1.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/lib/secp.h"
#include "tests/bench/figure.h"

#define CORES_MAX 64
#define SIGNATURES 256u

struct measure {
    bool recover;
    uint64_t end_ms;
    _Atomic uint64_t done;
    double seconds, cpu;
};

static double cpu_seconds(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static struct hash digest_of(unsigned i)
{
    return (struct hash){ { 1, (uint8_t)i, (uint8_t)(i >> 8) } };
}

static void recover_all(const struct signature *signatures)
{
    struct address signer;
    struct err err = { 0 };

    for (unsigned i = 0; i < SIGNATURES; i++)
        if (!secp_recover(&signatures[i], digest_of(i), &signer, &err))
            exit(1);
}

static void verify_all(const secp256k1_context *context, const secp256k1_pubkey *key, const struct signature *signatures)
{
    for (unsigned i = 0; i < SIGNATURES; i++) {
        secp256k1_ecdsa_signature sig;
        struct hash digest = digest_of(i);

        if (!secp256k1_ecdsa_signature_parse_compact(context, &sig, signatures[i].b)
            || !secp256k1_ecdsa_verify(context, &sig, digest.b, key))
            exit(1);
    }
}

static void parse_key(const secp256k1_context *context, struct signature sig, struct hash digest, secp256k1_pubkey *key)
{
    uint8_t bytes[65] = { 4 };
    struct public_key pub;
    struct err err = { 0 };

    if (!secp_recover_key(&sig, digest, &pub, &err))
        exit(1);
    memcpy(bytes + 1, pub.b, sizeof pub.b);
    if (!secp256k1_ec_pubkey_parse(context, key, bytes, sizeof bytes))
        exit(1);
}

static void *worker(void *self)
{
    struct measure *m = self;
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    struct signature signatures[SIGNATURES];
    secp256k1_pubkey key;
    struct err err = { 0 };

    for (unsigned i = 0; i < SIGNATURES; i++)
        if (!secp_sign(&(struct secret_key){ { [31] = 7 } }, digest_of(i), &signatures[i], &err))
            exit(1);
    parse_key(context, signatures[0], digest_of(0), &key);
    for (; clock_monotonic_ms() < m->end_ms; atomic_fetch_add(&m->done, SIGNATURES)) {
        if (m->recover)
            recover_all(signatures);
        else
            verify_all(context, &key, signatures);
    }
    secp256k1_context_destroy(context);
    return NULL;
}

static void run(struct measure *m, long cores, double seconds)
{
    pthread_t threads[CORES_MAX];
    uint64_t began_ms = clock_monotonic_ms();
    double cpu = cpu_seconds();

    m->end_ms = began_ms + (uint64_t)(seconds * 1000);
    for (long i = 0; i < cores; i++)
        if (pthread_create(&threads[i], NULL, worker, m) != 0)
            exit(1);
    for (long i = 0; i < cores; i++)
        pthread_join(threads[i], NULL);
    m->seconds = (double)(clock_monotonic_ms() - began_ms) / 1000;
    m->cpu = cpu_seconds() - cpu;
}

int main(int argc, char **argv)
{
    struct measure verify = { .recover = false }, recover = { .recover = true };
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
    struct err err = { 0 };
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    cores = cores > CORES_MAX ? CORES_MAX : cores;
    if (seconds <= 0 || !secp_start(&err))
        return 64;
    run(&verify, cores, seconds);
    run(&recover, cores, seconds / 2);
    figure_info("verify, all cores", (double)verify.done / verify.seconds, "signatures/s");
    figure_info("verify, CPU time of all cores", (double)verify.done / verify.cpu * (double)cores, "signatures/s");
    figure_info("recover, CPU time of all cores", (double)recover.done / recover.cpu * (double)cores, "signatures/s");
    secp_stop();
    return 0;
}

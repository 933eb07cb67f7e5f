/* The physical limit of single receipts: signatures a second that libsecp256k1 verifies on all cores, against keys that are parsed
 * already.  Nothing of the product takes part but the door that recovers, shown beside it.
 *
 *     scripts/bench verify        build/tests/bench/bench_verify [SECONDS [RATE PER_REQUEST]]
 *
 * "verify" is by the clock, "verify, CPU" by CPU time: what the machine would give if nobody else were on it.  With RATE: how late
 * a thread a core is done with requests of so many signatures that fall due at this rate a second, and with nothing else: no service on
 * this machine, at this time, answers sooner. */
#include <secp256k1.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "gateway/base/mem.h"
#include "gateway/lib/secp.h"
#include "tests/bench/figure.h"
#include "tests/bench/measure.h"

#define SIGNATURES 256u
#define REQUESTS_MAX 10000000u

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

static void verify_all(const secp256k1_context *context, const secp256k1_pubkey *key, const struct signature *signatures, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
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

static void make_signatures(struct signature *signatures)
{
    struct err err = { 0 };

    for (unsigned i = 0; i < SIGNATURES; i++)
        if (!secp_sign(&(struct secret_key){ { [31] = 7 } }, digest_of(i), &signatures[i], &err))
            exit(1);
}

static void *verify_main(void *self)
{
    struct measure *m = self;
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    struct signature signatures[SIGNATURES];
    secp256k1_pubkey key;

    make_signatures(signatures);
    parse_key(context, signatures[0], digest_of(0), &key);
    for (; clock_monotonic_ms() < m->end_ms; m->done += SIGNATURES)
        verify_all(context, &key, signatures, SIGNATURES);
    secp256k1_context_destroy(context);
    return NULL;
}

static void *recover_main(void *self)
{
    struct measure *m = self;
    struct signature signatures[SIGNATURES];

    make_signatures(signatures);
    for (; clock_monotonic_ms() < m->end_ms; m->done += SIGNATURES)
        recover_all(signatures);
    return NULL;
}

/* ---- requests that fall due one after another ---- */

static struct {
    double rate;                              /* signatures a second */
    unsigned per_request;
    uint64_t began_us, count;
    atomic_uint_fast64_t next;
    uint32_t *late_us;
} arrivals;

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void *arrivals_main(void *self)
{
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    struct signature signatures[SIGNATURES];
    secp256k1_pubkey key;
    uint64_t number;

    make_signatures(signatures);
    parse_key(context, signatures[0], digest_of(0), &key);
    while ((number = atomic_fetch_add(&arrivals.next, 1)) < arrivals.count) {
        uint64_t due_us = arrivals.began_us + (uint64_t)((double)number * arrivals.per_request * 1e6 / arrivals.rate), now = now_us();

        if (now < due_us)
            nanosleep(&(struct timespec){ (time_t)((due_us - now) / 1000000), (long)((due_us - now) % 1000000 * 1000) }, NULL);
        verify_all(context, &key, signatures, arrivals.per_request);
        now = now_us();
        arrivals.late_us[number] = now > due_us ? (uint32_t)(now - due_us) : 0;
    }
    secp256k1_context_destroy(context);
    return self;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static bool measure_arrivals(double seconds, double rate, unsigned long per_request)
{
    struct measure m = { .worker = arrivals_main };

    if (rate < 1 || per_request < 1 || per_request > SIGNATURES || seconds * rate / (double)per_request > REQUESTS_MAX)
        return false;
    arrivals.rate = rate;
    arrivals.per_request = (unsigned)per_request;
    arrivals.count = (uint64_t)(seconds * rate / (double)per_request) + 1;
    arrivals.late_us = mem_array(arrivals.count, sizeof *arrivals.late_us);
    arrivals.began_us = now_us() + 100000;    /* until the threads have made their signatures */
    measure_all_cores(&m, seconds);
    qsort(arrivals.late_us, arrivals.count, sizeof *arrivals.late_us, by_size);
    figure_info("verify, as requests fall due, p50", arrivals.late_us[arrivals.count / 2] / 1000.0, "ms");
    figure_info("verify, as requests fall due, p99", arrivals.late_us[(arrivals.count * 99 + 99) / 100 - 1] / 1000.0, "ms");
    free(arrivals.late_us);
    return true;
}

static void measure_peak(double seconds)
{
    struct measure verify = { .worker = verify_main }, recover = { .worker = recover_main };

    measure_all_cores(&verify, seconds);
    measure_all_cores(&recover, seconds / 2);
    figure_info("verify, all cores", verify.clock, "signatures/s");
    figure_info("verify, CPU time of all cores", verify.cpu, "signatures/s");
    figure_info("recover, CPU time of all cores", recover.cpu, "signatures/s");
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
    bool ok = true;
    struct err err = { 0 };

    if (seconds <= 0 || seconds > 3600 || argc == 3 || !secp_start(&err))
        return 64;
    if (argc > 3)
        ok = measure_arrivals(seconds, strtod(argv[2], NULL), strtoul(argv[3], NULL, 10));
    else
        measure_peak(seconds);
    secp_stop();
    return ok ? 0 : 64;
}

/* The physical limit of single receipts: signatures a second that libsecp256k1 verifies on all cores, against keys that are parsed
 * already.  Nothing of the product takes part but the door that recovers, shown beside it.
 *
 *     scripts/bench verify        build/tests/bench/bench_verify [SECONDS]
 *
 * "verify" is by the clock, "verify, CPU" by CPU time: what the machine would give if nobody else were on it. */
#include <secp256k1.h>
#include <string.h>

#include "gateway/lib/secp.h"
#include "tests/bench/figure.h"
#include "tests/bench/measure.h"

#define SIGNATURES 256u

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
        verify_all(context, &key, signatures);
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

int main(int argc, char **argv)
{
    struct measure verify = { .worker = verify_main }, recover = { .worker = recover_main };
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
    struct err err = { 0 };

    if (seconds <= 0 || !secp_start(&err))
        return 64;
    measure_all_cores(&verify, seconds);
    measure_all_cores(&recover, seconds / 2);
    figure_info("verify, all cores", verify.clock, "signatures/s");
    figure_info("verify, CPU time of all cores", verify.cpu, "signatures/s");
    figure_info("recover, CPU time of all cores", recover.cpu, "signatures/s");
    secp_stop();
    return 0;
}

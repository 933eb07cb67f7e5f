#include "gateway/lib/secp.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "gateway/base/mem.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/keccak.h"

#define COMPACT 64            /* r || s */
#define SERIALIZED 65         /* 4 || x || y */
#define V_BASE 27             /* v is 27 + the parity of R's y */
#define SIDE_BY_SIDE 32u      /* keys hashed together */

static secp256k1_context *context;

bool secp_start(struct err *err)
{
    uint8_t seed[32];
    int ok;

    if (context != NULL)
        return err_set(err, ERR_BUG, "secp_start called twice");
    context = secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
    /* Blinds signing against timing and power side channels. */
    crypt_random(seed, sizeof seed);
    ok = secp256k1_context_randomize(context, seed);
    mem_wipe(seed, sizeof seed);
    if (!ok)
        return err_set(err, ERR_BUG, "libsecp256k1 does not take a random seed");
    return true;
}

void secp_stop(void)
{
    secp256k1_context_destroy(context);
    context = NULL;
}

static void serialize(const secp256k1_pubkey *key, struct public_key *pub)
{
    uint8_t bytes[SERIALIZED];
    size_t len = sizeof bytes;

    secp256k1_ec_pubkey_serialize(context, bytes, &len, key, SECP256K1_EC_UNCOMPRESSED);
    memcpy(pub->b, bytes + 1, sizeof pub->b);
}

bool secp_public_key(const struct secret_key *key, struct public_key *pub, struct err *err)
{
    secp256k1_pubkey parsed;

    if (!secp256k1_ec_pubkey_create(context, &parsed, key->b))
        return err_set(err, ERR_INVALID, "a private key is zero or not below the group order");
    serialize(&parsed, pub);
    return true;
}

static struct address address_of(const struct hash *h)
{
    struct address a;

    memcpy(a.b, h->b + sizeof h->b - sizeof a.b, sizeof a.b);
    return a;
}

struct address secp_address(const struct public_key *pub)
{
    struct hash h = keccak256(pub->b, sizeof pub->b);

    return address_of(&h);
}

void secp_addresses(const struct public_key *keys, size_t count, struct address *addresses)
{
    struct hash hashes[SIDE_BY_SIDE];

    for (size_t part; count > 0; count -= part, keys += part, addresses += part) {
        part = count < SIDE_BY_SIDE ? count : SIDE_BY_SIDE;
        keccak256_many(keys, sizeof *keys, sizeof *keys, part, hashes);
        for (size_t i = 0; i < part; i++)
            addresses[i] = address_of(&hashes[i]);
    }
}

bool secp_sign(const struct secret_key *key, struct hash digest, struct signature *sig, struct err *err)
{
    secp256k1_ecdsa_recoverable_signature recoverable;
    struct signature made;
    int recovery_id;

    if (!secp256k1_ecdsa_sign_recoverable(context, &recoverable, digest.b, key->b, NULL, NULL))
        return err_set(err, ERR_INVALID, "a private key is zero or not below the group order");
    secp256k1_ecdsa_recoverable_signature_serialize_compact(context, made.b, &recovery_id, &recoverable);
    /* 2 and 3 mean that R's x was not below the group order: about one in 2^127, and v has no room for it. */
    if (recovery_id > 1)
        return err_set(err, ERR_BUG, "recovery id %d", recovery_id);
    made.b[COMPACT] = (uint8_t)(V_BASE + recovery_id);
    *sig = made;
    return true;
}

bool secp_recover_key(const struct signature *sig, struct hash digest, struct public_key *pub, struct err *err)
{
    secp256k1_ecdsa_recoverable_signature recoverable;
    secp256k1_ecdsa_signature plain;
    secp256k1_pubkey key;
    uint8_t v = sig->b[COMPACT];

    if (v != V_BASE && v != V_BASE + 1)
        return err_set(err, ERR_AUTH, "a signature's v is %u, not 27 or 28", v);
    if (!secp256k1_ecdsa_recoverable_signature_parse_compact(context, &recoverable, sig->b, v - V_BASE))
        return err_set(err, ERR_AUTH, "a signature's r or s is not below the group order");
    secp256k1_ecdsa_recoverable_signature_convert(context, &plain, &recoverable);
    if (secp256k1_ecdsa_signature_normalize(context, NULL, &plain))
        return err_set(err, ERR_AUTH, "a signature has a high s");
    if (!secp256k1_ecdsa_recover(context, &key, &recoverable, digest.b))
        return err_set(err, ERR_AUTH, "a signature fits no key");
    serialize(&key, pub);
    return true;
}

bool secp_recover(const struct signature *sig, struct hash digest, struct address *signer, struct err *err)
{
    struct public_key pub;

    if (!secp_recover_key(sig, digest, &pub, err))
        return false;
    *signer = secp_address(&pub);
    return true;
}

void secp_new_key(struct secret_key *key)
{
    /* One in 2^128 is refused; then the next one is fine. */
    do
        crypt_random(key->b, sizeof key->b);
    while (!secp256k1_ec_seckey_verify(context, key->b));
}

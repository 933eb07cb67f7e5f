#include "tests/support/fixture.h"

#include "gateway/lib/secp.h"

#include <stdio.h>

struct receipt rng_receipt(struct rng *r, uint64_t now_ms)
{
    struct receipt receipt = { .provider = rng_address(r), .model = rng_hash(r), .consumer = rng_address(r),
                               .quote = rng_hash(r), .evidence = rng_hash(r) };
    uint64_t job_ms;

    for (size_t i = 0; i < METER_COUNT; i++)
        receipt.count[i] = rng_below(r, RECEIPT_COUNT_MAX + 1);
    receipt.count[METER_CACHED] = rng_below(r, receipt.count[METER_INPUT] + 1);
    receipt.finished_at_ms = now_ms - rng_below(r, 3600000);
    receipt.started_at_ms = receipt.finished_at_ms - rng_below(r, 60000);
    rng_bytes(r, receipt.job_id.b, sizeof receipt.job_id.b);
    job_ms = receipt.started_at_ms - rng_below(r, 60000);
    for (size_t i = 0; i < 6; i++)
        receipt.job_id.b[i] = (uint8_t)(job_ms >> (40 - 8 * i));
    receipt.job_id.b[6] = (uint8_t)(0x70 | (receipt.job_id.b[6] & 0x0f));
    receipt.job_id.b[8] = (uint8_t)(0x80 | (receipt.job_id.b[8] & 0x3f));
    return receipt;
}

bool fixture_signed_by(const struct signature *sig, struct hash digest, struct address signer)
{
    struct address recovered;
    struct err err = { 0 };

    return secp_recover(sig, digest, &recovered, &err) && address_eq(recovered, signer);
}

struct domain fixture_domain(const json *row)
{
    struct domain d;

    domain_init(&d, vector_u64(row, "chainId"), vector_address(row, "contract"));
    return d;
}

struct signed_receipt fixture_receipt(const json *object)
{
    struct signed_receipt r;
    struct faults faults = { 0 };
    bool has_job_id;

    receipt_from_json(object, RECEIPT_UNSIGNED, &r, &has_job_id, &faults);
    if (faults.count > 0)
        fail_msg("%s %s", faults.list[0].pointer, faults.list[0].detail);
    assert_true(has_job_id);
    return r;
}

struct model fixture_model(const json *object, uint64_t verified_at_ms)
{
    const json *parents = vector_member(object, "parents");
    struct model m = { .model = vector_hash(object, "model"), .creator = vector_address(object, "creator"),
                       .parent_count = json_count(parents), .verified_at_ms = verified_at_ms };

    assert_in_range(m.parent_count, 0, MODEL_PARENTS_MAX);
    for (size_t i = 0; i < m.parent_count; i++)
        m.parents[i] = (struct lineage_parent){ vector_hash(json_at(parents, i), "parent"),
                                                (uint16_t)vector_u64(json_at(parents, i), "shareBps") };
    return m;
}

struct price_version fixture_price(const json *object)
{
    static const char *const parts[SPLIT_PARTS] = { "provider", "creator", "protocol" };
    struct price_version p = { 0 };

    if (vector_has(object, "version"))
        p.version = vector_u64(object, "version");
    if (vector_has(object, "model"))
        p.any_model = strcmp(vector_text(object, "model"), "*") == 0;
    if (vector_has(object, "model") && !p.any_model)
        p.model = vector_hash(object, "model");
    if (vector_has(object, "effectiveFrom"))
        p.effective_from_ms = vector_u64(object, "effectiveFrom");
    if (vector_has(object, "recordedAt"))
        p.recorded_at_ms = vector_u64(object, "recordedAt");
    for (size_t i = 0; vector_has(object, "perMillion") && i < METER_COUNT; i++)
        p.per_million[i] = vector_amount(vector_member(object, "perMillion"), meter_names[i]);
    for (size_t i = 0; vector_has(object, "split") && i < SPLIT_PARTS; i++)
        p.split_bps[i] = (uint16_t)vector_u64(vector_member(object, "split"), parts[i]);
    return p;
}

struct hash fixture_hash_at(const json *array, size_t index)
{
    struct hash h;

    if (!json_get_hash(json_at(array, index), &h))
        fail_msg("no hash at %zu", index);
    return h;
}

struct proof fixture_proof(const json *row, const char *key)
{
    const json *path = vector_member(row, key);
    struct proof proof = { .len = json_count(path) };

    assert_in_range(proof.len, 0, TREE_DEPTH_MAX);
    for (size_t i = 0; i < proof.len; i++)
        proof.path[i] = fixture_hash_at(path, i);
    return proof;
}

enum receipt_code fixture_judge(const json *object, enum receipt_form form, const struct domain *domain, uint64_t now_ms,
                                struct faults *faults)
{
    struct signed_receipt r;
    struct hash digest;
    bool has_job_id;

    receipt_from_json(object, form, &r, &has_job_id, faults);
    receipt_check(&r.receipt, now_ms, faults);
    if (faults->count > 0)
        return faults_first(faults);
    digest = typed_digest(domain, receipt_struct_hash(&r.receipt));
    if (r.has_signature && !fixture_signed_by(&r.signature, digest, r.receipt.provider))
        faults_add(faults, CODE_INVALID_SIGNATURE, "/signature", "not the provider's");
    if (r.has_consumer_signature && (address_is_zero(r.receipt.consumer)
                                     || !fixture_signed_by(&r.consumer_signature, digest, r.receipt.consumer)))
        faults_add(faults, CODE_INVALID_CONSUMER_SIGNATURE, "/consumerSignature", "not the consumer's");
    return faults_first(faults);
}

int fixture_run(const char *group, CMUnitTestFunction row, CMFixtureFunction setup, CMFixtureFunction teardown)
{
    char *name = NULL;
    int result;

    if (asprintf(&name, "quittance/%s", group) < 0)
        bug("no memory");
    result = vectors_run(name, &(struct vector_group){ group, row }, 1, setup, teardown);
    /* name stays: the vectors are kept under it until the program ends. */
    return result;
}

void *fixture_state(const void *row)
{
    union { const void *in; void *out; } u = { .in = row };

    return u.out;
}

/* A charge statement by itself: its lines, their sum, who signed it. */
#include "gateway/audit/verify_parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/base/hex.h"
#include "gateway/lib/crypt.h"

struct signed_by { struct signature signature; struct address signer; };

static bool read_statement(struct verification *v, const json *answer, struct charge_statement *c, uint64_t *receipts, struct signed_by *by)
{
    return verify_shape(v, "charges", "consumer", json_get_address(json_member(answer, "consumer"), &c->consumer))
        && verify_shape(v, "charges", "from", json_get_u64(json_member(answer, "from"), &c->from_ms))
        && verify_shape(v, "charges", "until", json_get_u64(json_member(answer, "until"), &c->until_ms))
        && verify_shape(v, "charges", "charged", json_get_amount(json_member(answer, "charged"), &c->charged))
        && verify_shape(v, "charges", "receipts", json_get_u64(json_member(answer, "receipts"), receipts))
        && verify_shape(v, "charges", "digest", json_get_hash(json_member(answer, "digest"), &c->digest))
        && verify_shape(v, "charges", "signature", json_get_signature(json_member(answer, "signature"), &by->signature))
        && verify_shape(v, "charges", "signer", json_get_address(json_member(answer, "signer"), &by->signer));
}

static bool read_lines(struct verification *v, const json *answer, struct charges *charges)
{
    struct err err = { 0 };
    const char *csv;
    size_t len;

    if (!verify_shape(v, "charges", "csv", json_get_text(json_member(answer, "csv"), &csv, &len)))
        return false;
    verify_hash(v, "charges-digest", "SHA-256 of the lines", sha256(csv, len), charges->statement.digest);
    return charge_lines_parse(csv, len, &charges->lines, &charges->count, &err) || verify_note(v, "charges-lines", false, "%s", err.text);
}

static void check_period(struct verification *v, const struct charges *charges)
{
    const struct charge_statement *c = &charges->statement;
    char job[JOB_ID_TEXT];

    for (size_t i = 0; i < charges->count; i++)
        if (charges->lines[i].at_ms < c->from_ms || charges->lines[i].at_ms >= c->until_ms) {
            job_id_to_text(charges->lines[i].job_id, job);
            verify_note(v, "charges-period", false, "job %s was accepted at %" PRIu64 ", outside of the period", job, charges->lines[i].at_ms);
            return;
        }
    verify_note(v, "charges-period", c->from_ms < c->until_ms, "each job once, from %" PRIu64 " on and before %" PRIu64, c->from_ms, c->until_ms);
}

static void check_sum(struct verification *v, const struct charges *charges, uint64_t receipts)
{
    char computed[U256_DECIMAL_MAX], found[U256_DECIMAL_MAX];
    struct amount sum = AMOUNT_ZERO;
    bool ok = true;

    for (size_t i = 0; ok && i < charges->count; i++)
        ok = amount_add(sum, charges->lines[i].share, &sum);
    u256_to_decimal(sum.base_units, computed);
    u256_to_decimal(charges->statement.charged.base_units, found);
    verify_note(v, "charges-sum", ok && amount_cmp(sum, charges->statement.charged) == 0, "the lines sum to %s, charged is %s", computed, found);
    verify_note(v, "charges-count", receipts == charges->count, "%zu lines, receipts is %" PRIu64, charges->count, receipts);
}

bool verify_charge_statement(struct verification *v, const json *answer, struct charges *charges)
{
    struct signed_by by;
    uint64_t receipts;

    if (!read_statement(v, answer, &charges->statement, &receipts, &by) || !read_lines(v, answer, charges))
        return false;
    check_period(v, charges);
    check_sum(v, charges, receipts);
    verify_signature(v, "charges-signature", &by.signature, charge_struct_hash(&charges->statement), by.signer);
    verify_signer_since(v, "charges", by.signer, charges->statement.until_ms);
    return true;
}

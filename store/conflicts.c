/* Other content that a provider signed for a job of its own: evidence, so each row proves itself.
 *
 * One that was signed alone has a signature.  One out of a bundle has instead, in `bundle`: root 32 bytes, count 8
 * (big-endian), the bundle's signature 65, index 8, then the path, 32 bytes a step. */
#include <string.h>

#include "gateway/core/word.h"
#include "store/receipts.h"

#define PROOF_HEAD (32 + 8 + 65 + 8)

static size_t pack_proof(const struct bundle_proof *p, uint8_t *out)
{
    memcpy(out, p->bundle.root.b, 32);
    be64_put(out + 32, p->bundle.count);
    memcpy(out + 40, p->signature.b, 65);
    be64_put(out + 105, p->index);
    for (size_t i = 0; i < p->path.len; i++)
        memcpy(out + PROOF_HEAD + 32 * i, p->path.path[i].b, 32);
    return PROOF_HEAD + 32 * p->path.len;
}

/* false: no bytes of ours. */
static bool unpack_proof(const uint8_t *in, size_t len, struct bundle_proof *p)
{
    if (len < PROOF_HEAD || (len - PROOF_HEAD) % 32 != 0 || (len - PROOF_HEAD) / 32 > TREE_DEPTH_MAX)
        return false;
    memcpy(p->bundle.root.b, in, 32);
    p->bundle.count = be64_get(in + 32);
    memcpy(p->signature.b, in + 40, 65);
    p->index = be64_get(in + 105);
    p->path.len = (len - PROOF_HEAD) / 32;
    for (size_t i = 0; i < p->path.len; i++)
        memcpy(p->path.path[i].b, in + PROOF_HEAD + 32 * i, 32);
    return true;
}

bool store_conflict_add(struct db *db, const struct receipt_row *other, const struct bundle_proof *proof, unsigned keep,
                        struct err *err)
{
    const struct signed_receipt *r = &other->signed_;
    uint8_t packed[RECEIPT_PACKED], bundle[PROOF_HEAD + 32 * TREE_DEPTH_MAX];
    struct stmt st;

    /* The same content again, or one too many, changes nothing. */
    if (!db_prepare(db, "INSERT INTO conflicts (job_id, provider, hash, packed, signature, received_at, bundle)"
                        " SELECT ?, ?, ?, ?, ?, ?, ? WHERE (SELECT COUNT(*) FROM conflicts WHERE job_id = ? AND"
                        " provider = ?) < ?"
                        " ON CONFLICT (job_id, provider, hash) DO NOTHING", &st, err))
        return false;
    receipt_pack(&r->receipt, packed);
    stmt_bind_job_id(&st, &r->receipt.job_id);
    stmt_bind_address(&st, &r->receipt.provider);
    stmt_bind_hash(&st, &other->hash);
    stmt_bind_blob(&st, packed, sizeof packed);
    if (proof == NULL && r->has_signature)
        stmt_bind_signature(&st, &r->signature);
    else
        stmt_bind_null(&st);
    stmt_bind_u64(&st, other->received_at_ms);
    if (proof != NULL)
        stmt_bind_blob(&st, bundle, pack_proof(proof, bundle));
    else
        stmt_bind_null(&st);
    stmt_bind_job_id(&st, &r->receipt.job_id);
    stmt_bind_address(&st, &r->receipt.provider);
    stmt_bind_u64(&st, keep);
    return stmt_exec(&st, NULL, err);
}

/* *in_bundle false: it was signed alone. */
static bool read_conflict(struct stmt *st, struct address provider, struct receipt_row *row, struct bundle_proof *proof,
                          bool *in_bundle, struct err *err)
{
    uint8_t packed[RECEIPT_PACKED];
    const void *bytes;
    size_t len;

    *row = (struct receipt_row){ .hash = stmt_hash(st) };
    stmt_bytes(st, packed, sizeof packed);
    receipt_unpack(packed, &row->signed_.receipt);
    row->signed_.has_signature = !stmt_null(st);
    row->signed_.signature = stmt_signature(st);
    row->received_at_ms = stmt_u64(st);
    *in_bundle = !stmt_null(st);
    stmt_blob(st, &bytes, &len);
    *proof = (struct bundle_proof){ .bundle.provider = provider };
    return stmt_ok(st, err)
        && (!*in_bundle || unpack_proof(bytes, len, proof) || err_set(err, ERR_STORE, "evidence of %zu bytes", len));
}

bool store_conflicts_of(struct db *db, struct job_id job, struct address provider, conflict_fn *visit, void *self, struct err *err)
{
    struct bundle_proof proof;
    struct receipt_row row;
    struct stmt st;
    bool any, in_bundle;

    err->code = ERR_NONE;
    if (!db_prepare(db, "SELECT hash, packed, signature, received_at, bundle FROM conflicts WHERE job_id = ? AND provider = ?"
                        " ORDER BY received_at, hash", &st, err))
        return false;
    stmt_bind_job_id(&st, &job);
    stmt_bind_address(&st, &provider);
    while (stmt_step(&st, &any, err)) {
        if (!any)
            return true;
        if (!read_conflict(&st, provider, &row, &proof, &in_bundle, err)
            || !visit(self, &row, in_bundle ? &proof : NULL, err)) {
            stmt_end(&st);
            return err->code == ERR_NONE;
        }
    }
    return false;
}

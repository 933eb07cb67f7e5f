/* The lines of a charge statement against published archives: that each was billed so, and that none is missing. */
#include "gateway/audit/verify_parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/core/archive.h"
#include "gateway/lib/secp.h"

#define INFO_MAX (1 * MIB)

/* Countersigned by the consumer in the statement's time, and not on it: right only where the consumer was not enrolled. */
struct absent { struct job_id job_id; uint64_t at_ms, sequence; };
struct archives {
    struct verification *v;
    const struct charges *charges;
    struct catalog *catalog;                  /* owned: prices, and the consumer's revisions */
    bool *found;                              /* owned; of each line */
    struct absent *absent;                    /* owned */
    size_t absent_count;
    uint64_t sequence, sealed;
    bool differs;                             /* told already */
};

static void billed_otherwise(struct archives *a, const struct charge_line *line, const char *what)
{
    char job[JOB_ID_TEXT];

    job_id_to_text(line->job_id, job);
    a->differs = true;
    verify_note(a->v, "charges-archived", false, "job %s: %s is not as in the archive of settlement %" PRIu64, job, what, a->sequence);
}

static bool is_countersigned(const struct archives *a, const struct signed_receipt *r, struct hash hash)
{
    struct err ignored = { 0 };
    struct address signer;

    return r->has_consumer_signature
        && secp_recover(&r->consumer_signature, typed_digest(&a->v->config->domain, hash), &signer, &ignored)
        && address_eq(signer, a->charges->statement.consumer);
}

static void hold_against(struct archives *a, const struct charge_line *line, const struct archive_receipt *r)
{
    const struct receipt *receipt = &r->receipt.receipt;
    struct hash hash = receipt_struct_hash(receipt);

    a->found[line - a->charges->lines] = true;
    if (!hash_eq(hash, line->receipt))
        billed_otherwise(a, line, "receipt");
    else if (!hash_eq(receipt->model, line->model))
        billed_otherwise(a, line, "model");
    else if (memcmp(receipt->count, line->count, sizeof line->count) != 0)
        billed_otherwise(a, line, "what was metered");
    else if (r->accepted_at_ms != line->at_ms)
        billed_otherwise(a, line, "at");
    else if (r->price_version != line->price_version)
        billed_otherwise(a, line, "priceVersion");
    else if (amount_cmp(r->amount, line->share) != 0)
        billed_otherwise(a, line, "share");
    else if (!address_eq(receipt->consumer, a->charges->statement.consumer) || !is_countersigned(a, &r->receipt, hash))
        billed_otherwise(a, line, "the consumer's signature");
}

static void take_receipt(struct archives *a, const struct archive_receipt *r)
{
    const struct charge_statement *c = &a->charges->statement;
    const struct receipt *receipt = &r->receipt.receipt;
    const struct charge_line *line = charge_line_find(a->charges->lines, a->charges->count, receipt->job_id, receipt->provider);

    if (line != NULL) {
        hold_against(a, line, r);
    } else if (address_eq(receipt->consumer, c->consumer) && r->receipt.has_consumer_signature && r->accepted_at_ms >= c->from_ms
               && r->accepted_at_ms < c->until_ms) {
        a->absent = mem_grow(a->absent, a->absent_count + 1, sizeof *a->absent);
        a->absent[a->absent_count++] = (struct absent){ receipt->job_id, r->accepted_at_ms, a->sequence };
    }
}

static bool take_line(void *self, const char *text, size_t len, struct err *err)
{
    struct archives *a = self;
    struct archive_line line;

    if (!archive_read_line(text, len, &line, err))
        return false;
    if (line.type == ARCHIVE_PRICE)
        catalog_add_price(a->catalog, &line.of.price);
    else if (line.type == ARCHIVE_CONSUMER && address_eq(line.of.consumer.address, a->charges->statement.consumer))
        catalog_add_consumer(a->catalog, &line.of.consumer);
    else if (line.type == ARCHIVE_RECEIPT)
        take_receipt(a, &line.of.receipt);
    else if (line.type == ARCHIVE_SEALED)
        a->sealed++;
    archive_line_clear(&line);
    return true;
}

/* 0: not told; then archives are read while there are some. */
static bool read_last(struct verification *v, uint64_t *last, struct err *err)
{
    json *info = NULL;
    struct buf text;
    bool ok;

    *last = 0;
    buf_init_max(&text, INFO_MAX);
    ok = source_document(v->config->published, "info", "info.json", INFO_MAX, &text, err);
    if (ok && json_read(text.data, text.len, &info, err)) {
        if (!json_get_u64(json_member(info, "sequence"), last))
            *last = 0;
        json_free(info);
    }
    buf_clear(&text);
    return ok || err->code == ERR_NOT_FOUND;
}

static bool read_archives(struct archives *a, struct err *err)
{
    uint64_t last;

    if (!read_last(a->v, &last, err))
        return false;
    for (a->sequence = 1;; a->sequence++) {
        struct hash ignored;

        if (source_archive(a->v->config->published, a->sequence, take_line, a, &ignored, err))
            continue;
        if (err->code == ERR_INVALID) {
            a->differs = true;
            verify_note(a->v, "charges-archived", false, "the archive of settlement %" PRIu64 ": %s", a->sequence, err->text);
        } else if (err->code != ERR_NOT_FOUND) {
            return false;
        } else if (a->sequence > last) {
            return true;
        } else {
            verify_unchecked(a->v, "the archive of settlement %" PRIu64 ", which is not published there", a->sequence);
        }
    }
}

static void judge_prices(struct archives *a)
{
    for (size_t i = 0; i < a->charges->count; i++) {
        const struct charge_line *line = &a->charges->lines[i];
        const struct price_version *price = catalog_price_version(a->catalog, line->price_version);
        struct err err = { 0 };
        struct amount amount;

        if (!a->found[i])
            continue;
        if (price == NULL || !price_receipt(price, line->count, &amount, &err) || amount_cmp(amount, line->share) != 0) {
            billed_otherwise(a, line, "its price, computed anew from the published version,");
            return;
        }
    }
}

static void judge_absent(struct archives *a)
{
    char job[JOB_ID_TEXT];

    for (size_t i = 0; i < a->absent_count; i++)
        if (catalog_consumer(a->catalog, a->charges->statement.consumer, a->absent[i].at_ms) != NULL) {
            job_id_to_text(a->absent[i].job_id, job);
            verify_note(a->v, "charges-complete", false, "job %s, billed in settlement %" PRIu64 ", is not on the statement", job,
                        a->absent[i].sequence);
            return;
        }
    verify_note(a->v, "charges-complete", true, "no job billed in an archive is missing");
}

static void tell(struct archives *a)
{
    size_t found = 0;

    for (size_t i = 0; i < a->charges->count; i++)
        found += a->found[i];
    if (!a->differs)
        verify_note(a->v, "charges-archived", true, "%zu of %zu lines stand in archives, countersigned and priced so", found, a->charges->count);
    if (found < a->charges->count)
        verify_unchecked(a->v, "%zu lines that stand in no archive yet", a->charges->count - found);
    if (a->sealed > 0)
        verify_unchecked(a->v, "%" PRIu64 " sealed receipts, which only parties can open", a->sealed);
    verify_unchecked(a->v, "that the archives are those on the chain: `quittance audit` does that");
}

bool verify_archived(struct verification *v, const struct charges *charges, struct err *err)
{
    struct archives a = { .v = v, .charges = charges };
    bool ok;

    if (v->config->published == NULL) {
        verify_unchecked(v, "without --published: the lines against the archives");
        return true;
    }
    a.catalog = catalog_new();
    a.found = mem_array(charges->count + 1, sizeof *a.found);
    ok = read_archives(&a, err);
    if (ok) {
        catalog_seal(a.catalog);
        judge_prices(&a);
        judge_absent(&a);
        tell(&a);
    }
    catalog_free(a.catalog);
    free(a.found);
    free(a.absent);
    return ok;
}

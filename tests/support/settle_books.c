#include "tests/support/settle_books.h"

#include <stdio.h>

#include "gateway/core/word.h"
#include "gateway/lib/keccak.h"
#include "store/batches.h"
#include "store/catalog.h"
#include "store/ledger.h"

#define PARENT_BPS 2000

struct address books_account(enum books_kind kind, unsigned number)
{
    uint8_t name[9] = { (uint8_t)kind };
    struct address a;
    struct hash h;

    be64_put(name + 1, number);
    h = keccak256(name, sizeof name);
    memcpy(a.b, h.b, sizeof a.b);
    return a;
}

struct hash books_model(void)
{
    return keccak256("model", 5);
}

static struct hash parent_model(void)
{
    return keccak256("parent", 6);
}

static struct model model_named(const char *name, struct hash digest, struct address creator)
{
    struct model m = { .model = digest, .creator = creator, .registered_at_ms = 1, .signature = { { 27 } } };

    snprintf(m.name, sizeof m.name, "%s", name);
    return m;
}

bool books_open(struct group *group, unsigned providers, struct err *err)
{
    struct model parent = model_named("parent", parent_model(), books_account(BOOKS_CREATOR, 1));
    struct model model = model_named("model", books_model(), books_account(BOOKS_CREATOR, 0));
    struct price_version price = { .any_model = true, .effective_from_ms = 1, .recorded_at_ms = group->now_ms,
                                   .split_bps = { 7000, 2000, 1000 } };

    model.parent_count = 1;
    model.parents[0] = (struct lineage_parent){ parent_model(), PARENT_BPS };
    price.per_million[METER_OUTPUT] = amount_from_u64(1000000);
    for (unsigned i = 0; i < providers; i++) {
        struct address account = books_account(BOOKS_PROVIDER, i);
        struct provider p = { .address = account, .payout = account, .since_ms = group->now_ms, .admitted = true };

        snprintf(p.name, sizeof p.name, "node %u", i);
        if (!store_provider_add(group->db, &p, err))
            return false;
    }
    return store_model_add(group->db, &parent, group->now_ms, err)
        && store_model_set_verified(group->db, parent.model, parent.creator, group->now_ms, err)
        && store_model_add(group->db, &model, group->now_ms, err)
        && store_model_set_verified(group->db, model.model, model.creator, group->now_ms, err)
        && store_price_add(group->db, &price, err)
        && store_batch_set_protocol_account(group->db, books_account(BOOKS_PROTOCOL, 0), err);
}

struct receipt books_receipt(unsigned provider, uint64_t job, uint64_t output_tokens, uint64_t now_ms)
{
    struct receipt r = { .provider = books_account(BOOKS_PROVIDER, provider), .model = books_model(),
                         .started_at_ms = now_ms, .finished_at_ms = now_ms };

    r.count[METER_OUTPUT] = output_tokens;
    be64_put(r.job_id.b, now_ms << 16 | 0x7000);
    be64_put(r.job_id.b + 8, UINT64_C(1) << 63 | job);
    return r;
}

bool books_accept(const struct catalog *catalog, struct group *group, struct receipt_row *row, struct err *err)
{
    const struct price_version *price = catalog_price_version(catalog, 1);
    struct receipt *r = &row->signed_.receipt;
    struct shares credits = { 0 };
    struct share charge;
    struct batch_row open;
    bool ok;

    row->hash = receipt_struct_hash(r);
    row->state = RECEIPT_ACCEPTED;
    row->received_at_ms = row->accepted_at_ms = group->now_ms;
    row->price_version = 1;
    ok = price_receipt(price, r->count, &row->amount, err) && store_batch_open(group->db, &open, err);
    row->batch = ok ? open.number : 0;
    charge = ledger_charge(catalog, &row->signed_, row->amount, group->now_ms);
    ok = ok && store_receipt_insert(group->db, row, err)
      && ledger_split(catalog, r, price, row->amount, open.protocol_account, group->now_ms, &credits, err)
      && store_batch_add(group->db, open.number, 1, row->amount, err)
      && store_posting_add(group->db, open.number, &charge, 1, err);
    for (size_t i = 0; ok && i < credits.count; i++)
        ok = store_posting_add(group->db, open.number, &credits.list[i], 1, err);
    shares_clear(&credits);
    return ok;
}

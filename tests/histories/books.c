/* What stands in the books, and what strangers make of the published files. */
#include "tests/histories/driver.h"

#include "gateway/audit/audit.h"
#include "gateway/audit/replay.h"
#include "store/catalog.h"
#include "tests/histories/chain.h"

#define PRICES 10000u                         /* more than a history can make */

static bool add_posting(void *self, const struct posting *p, struct err *err)
{
    json *row = json_new_object();

    (void)err;
    json_put_u64(row, "batch", p->batch);
    json_put_address(row, "account", p->share.account);
    json_put_text(row, "role", role_name(p->share.role));
    json_put_hash(row, "model", p->share.model);
    json_put_amount(row, "amount", p->share.amount);
    json_add(self, row);
    return true;
}

json *postings_to_json(struct db *db, uint64_t last, struct err *err)
{
    json *postings = json_new_array();

    for (uint64_t i = 1; i <= last; i++)
        if (!store_postings_of_batch(db, i, add_posting, postings, err)) {
            json_free(postings);
            return NULL;
        }
    return postings;
}

json *billed_to_json(struct db *db, struct err *err)
{
    json *billed = json_new_array();
    struct stmt st;
    bool row;

    if (db_prepare(db, "SELECT consumer, day, amount FROM consumer_days ORDER BY consumer, day", &st, err))
        while (stmt_step(&st, &row, err)) {
            json *line;

            if (!row)
                return billed;
            line = json_new_object();
            json_put_address(line, "consumer", stmt_address(&st));
            json_put_u64(line, "day", stmt_u64(&st));
            json_put_amount(line, "amount", stmt_amount(&st));
            json_add(billed, line);
        }
    json_free(billed);
    return NULL;
}

static bool add_price_row(void *self, const struct price_version *p)
{
    json_add(self, price_to_json(p));
    return true;
}

bool do_books(const json *in, json *out, struct err *err)
{
    json *postings, *billed, *prices = json_new_array();
    struct batch_row open;
    uint64_t released;

    (void)in;
    json_put(out, "prices", prices);
    /* A group more, as the ticker brings one: windows have ended since the last. */
    if (!release_waiting(here.world->intake, &released, err) || !store_batch_open(here.world->db, &open, err) || !store_prices(here.world->db, 0, PRICES, add_price_row, prices, err))
        return false;
    postings = postings_to_json(here.world->db, open.number, err);
    if (postings == NULL)
        return false;
    json_put(out, "postings", postings);
    billed = billed_to_json(here.world->db, err);
    if (billed == NULL)
        return false;
    json_put(out, "billed", billed);
    return true;
}

/* The published files against the headers, by the code that strangers run. */
bool do_audit(const json *in, json *out, struct err *err)
{
    struct audit_config config = { 0 };
    struct audit_report report = { 0 };
    struct chain_view view = *chain_now();
    struct source *source;
    struct replay replay;
    json *leaves = json_new_array(), *debts = json_new_array();
    bool ok;

    (void)in;
    json_put(out, "leaves", leaves);
    json_put(out, "debts", debts);
    if (!source_open(here.archive.path, &source, err))
        return false;
    replay_init(&replay, &view);
    ok = audit_files(&config, &view, source, &replay, &report, err);
    for (size_t i = 0; ok && i < replay.leaves.count; i++) {
        json *row = json_new_object();

        json_put_address(row, "account", replay.leaves.list[i].account);
        json_put_amount(row, "claimable", replay.leaves.list[i].amount);
        json_add(leaves, row);
    }
    for (size_t i = 0; ok && i < replay.corrections.owed.count; i++) {
        json *row = json_new_object();

        json_put_address(row, "account", replay.corrections.owed.list[i].account);
        json_put_amount(row, "owed", replay.corrections.owed.list[i].amount);
        json_add(debts, row);
    }
    replay_clear(&replay);
    source_free(source);
    return ok;
}

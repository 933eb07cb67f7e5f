/* A lost disk: a new store from the published archives and the chain of chain.h, by the code that a restored backup runs. */
#include "tests/histories/driver.h"

#include "gateway/rebuild/catch_up.h"
#include "store/adjustments.h"

static bool go_on(void *self, uint64_t sequence, uint64_t last, const struct err *lost)
{
    (void)self, (void)sequence, (void)last, (void)lost;
    return true;
}

static json *amounts_row(struct address account, const char *name, struct amount amount)
{
    json *row = json_new_object();

    json_put_address(row, "account", account);
    json_put_amount(row, name, amount);
    return row;
}

/* Whom the store would pay, and who owes. */
static bool put_ends(struct db *db, json *out, struct err *err)
{
    json *leaves = json_new_array(), *owed = json_new_array();
    struct reward_leaves kept = { 0 };
    struct debts debts = { 0 };
    struct settlement_row last;
    bool found, ok;

    json_put(out, "leaves", leaves);
    json_put(out, "debts", owed);
    if (!store_settlement_last_valid(db, &last, &found, err))
        return false;
    if (!found)
        return true;
    ok = store_leaves_load(db, last.sequence, &kept, err) && store_debts_load(db, last.sequence, &debts, err);
    for (size_t i = 0; ok && i < kept.count; i++)
        json_add(leaves, amounts_row(kept.list[i].account, "claimable", kept.list[i].claimable));
    for (size_t i = 0; ok && i < debts.count; i++)
        json_add(owed, amounts_row(debts.list[i].account, "owed", debts.list[i].amount));
    reward_leaves_clear(&kept);
    debts_clear(&debts);
    return ok;
}

static bool put_store(struct db *db, json *out, struct err *err)
{
    struct batch_row open;
    json *postings, *billed;

    if (!store_batch_open(db, &open, err))
        return false;
    postings = postings_to_json(db, open.number, err);
    if (postings == NULL)
        return false;
    json_put(out, "postings", postings);
    billed = billed_to_json(db, err);
    if (billed == NULL)
        return false;
    json_put(out, "billed", billed);
    return put_ends(db, out, err);
}

bool do_rebuild(const json *in, json *out, struct err *err)
{
    struct settle_config config = settle_config_here();
    struct catch_up_report report;
    struct folder folder = folder_new();
    struct writer *writer = NULL;
    struct db *db = NULL;
    char path[FOLDER_PATH], url[STORE_URL];
    bool ok;

    (void)in;
    folder_path(&folder, "rebuilt.db", path);
    store_place_new(path, url);
    ok = writer_open(url, &here.world->clock, &writer, err) && db_open(url, DB_READ, &db, err)
      && catch_up(&config, writer, db, NULL, here.archive.path, go_on, NULL, &report, err) && put_store(db, out, err);
    db_close(db);
    writer_close(writer);
    store_place_gone(url);
    folder_free(&folder);
    return ok;
}

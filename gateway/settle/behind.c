#include "gateway/settle/behind.h"

#include <inttypes.h>
#include <stdio.h>

#include "gateway/base/hex.h"
#include "gateway/lib/file.h"
#include "gateway/settle/archive.h"

#define PATH_SIZE 4096

/* The header that the contract must hold at the last settlement that it has had its word about; each header binds all
 * before it. */
static bool check_history(const struct settle_config *config, struct rpc *rpc, struct db *db, uint64_t used, struct err *err)
{
    char ours[HASH_TEXT], theirs[HASH_TEXT];
    struct hash expected, header;
    struct settlement_row row = { 0 };
    bool found;

    if (!store_settlement_decided(db, &row, &found, err))
        return false;
    if (row.sequence > used)                   /* a node that is behind, or a chain that went back: not told here */
        return true;
    expected = !found ? header_first(config->chain_id, config->contract, config->token)
             : row.state == BATCH_CANCELLED ? header_cancelled(row.header) : row.header;
    if (!settlement_header(rpc, config->contract, row.sequence, &header, err))
        return false;
    if (hash_eq(header, expected))
        return true;
    hash_to_text(expected, ours);
    hash_to_text(header, theirs);
    return err_set(err, ERR_HALT, "header %" PRIu64 " of the contract is %s, the store's is %s: this store is of another history"
                   " and cannot go on with this contract", row.sequence, theirs, ours);
}

static bool archive_is_here(const struct settle_config *config, const struct behind *b)
{
    static const char *const names[] = { ".archive.ndjson", ".archive.ndjson.zst" };
    char path[PATH_SIZE];

    for (uint64_t sequence = b->known + 1; sequence <= b->used; sequence++)
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            archive_path(config->archive_dir, sequence, names[i], path, sizeof path);
            if (file_exists(path))
                return true;
        }
    return false;
}

bool behind_look(const struct settle_config *config, struct rpc *rpc, struct db *db, struct behind *behind, struct err *err)
{
    struct settlement_row last = { 0 }, valid = { 0 };
    struct behind b = { 0 };
    struct settlement_view view;
    bool found;

    if (!settlement_read(rpc, config->contract, &view, err))
        return false;
    if (!address_eq(view.token, config->token))
        return err_set(err, ERR_CONFIG, "the contract pays another token than the configured one");
    if (!check_history(config, rpc, db, view.sequence, err) || !store_settlement_last(db, &last, &found, err)
        || !store_settlement_last_valid(db, &valid, &found, err))
        return false;
    b.known = last.sequence;
    b.used = view.sequence;
    if (b.used > b.known) {
        /* Where what is active is still ours, the others are pending or were cancelled. */
        b.is_active = !hash_eq(view.active_root, valid.content.rewards_root) || amount_cmp(view.total, valid.content.total) != 0;
        b.is_behind = b.is_active || view.has_pending || archive_is_here(config, &b);
    }
    *behind = b;
    return true;
}

bool behind_say(const struct behind *b, struct err *err)
{
    char missing[80];

    if (b->used == b->known + 1)
        snprintf(missing, sizeof missing, "settlement %" PRIu64, b->used);
    else
        snprintf(missing, sizeof missing, "settlements %" PRIu64 " to %" PRIu64, b->known + 1, b->used);
    /* Short: who committed it is named before. */
    if (b->is_active)
        return err_set(err, ERR_HALT, "the chain has %s, which this store does not know: a restored backup must catch up"
                       " (quittance store catch-up)", missing);
    return err_set(err, ERR_AGAIN, "the chain has %s, which this store does not know: a restored backup must catch up"
                   " (quittance store catch-up); else cancel it when it is false (quittance watch --cancel)", missing);
}

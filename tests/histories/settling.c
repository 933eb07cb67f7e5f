/* Corrections, and batches closed, prepared, committed to the chain of chain.h, and paid or cancelled. */
#include "tests/histories/driver.h"

#include "gateway/settle/parts.h"
#include "tests/histories/chain.h"

static const uint8_t secret[32] = "of thirty-two bytes, for salts";

bool do_adjust(const json *in, json *out, struct err *err)
{
    struct adjustment a;

    (void)out;
    return adjustment_from_json(json_member(in, "adjustment"), &a, err) && adjust_account(here.world->intake, WHO, &a, NULL, NULL, err);
}

struct move { struct settlement_row row; bool cancel; };

/* Paid to the end, or cancelled and carried. */
static bool move_on(void *self, struct group *group, struct err *err)
{
    static const enum batch_state stages[] = { BATCH_PREPARED, BATCH_COMMITTED, BATCH_ACTIVE, BATCH_DISTRIBUTED, BATCH_FINAL };
    struct move *m = self;
    bool ok = store_settlement_committed(group->db, &m->row, err);

    for (size_t i = 0; ok && i + 1 < (m->cancel ? 2 : ARRAY_LEN(stages)); i++)
        ok = store_batch_move(group->db, m->row.batch, stages[i], stages[i + 1], err);
    if (!m->cancel)
        return ok;
    return ok && store_batch_move(group->db, m->row.batch, BATCH_COMMITTED, BATCH_CANCELLED, err)
        && store_batch_carry(group->db, m->row.sequence, err);
}

struct settle_config settle_config_here(void)
{
    const struct intake_config *c = &here.world->config;

    return (struct settle_config){ .chain_id = c->domain.chain_id, .contract = c->domain.contract, .token = here.token,
                                   .protocol_account = c->protocol_account, .archive_dir = here.archive.path, .secret = secret };
}

/* Closes the open batch, or takes the one that was carried; prepares and commits it.  cancel: and the guardian cancels it. */
bool do_settle(const json *in, json *out, struct err *err)
{
    struct world *world = here.world;
    struct settle settle = { .config = settle_config_here(), .db = world->db, .writer = world->writer, .clock = &world->clock };
    struct move m = { .cancel = flag(in, "cancel") };
    struct batch_row batch;
    bool closed, found, moved = false;

    if (!settle_close(&settle, &closed, err) || !store_batch_unfinished(world->db, &batch, &found, err))
        return false;
    json_put_bool(out, "nothing", !found);
    if (!found)
        return true;
    if (!prepare_batch(&settle, &batch, &moved, err) || !store_settlement_last(world->db, &m.row, &found, err))
        return false;
    chain_commit(&m.row, atomic_load(&world->now_ms) / 1000);
    if (m.cancel)
        chain_cancel_last();
    json_put_u64(out, "sequence", m.row.sequence);
    json_put_u64(out, "receipts", m.row.content.receipts);
    json_put_amount(out, "total", m.row.content.total);
    json_put_hash(out, "rewardsRoot", m.row.content.rewards_root);
    return writer_do(world->writer, move_on, &m, err);
}

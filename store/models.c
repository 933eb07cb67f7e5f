#include "store/catalog.h"

#include "store/meta.h"

#define PARENT_SIZE 34                        /* digest, share in basis points big-endian */

static size_t pack_parents(const struct model *m, uint8_t bytes[MODEL_PARENTS_MAX * PARENT_SIZE])
{
    for (size_t i = 0; i < m->parent_count; i++) {
        uint8_t *at = bytes + i * PARENT_SIZE;

        memcpy(at, m->parents[i].model.b, 32);
        at[32] = (uint8_t)(m->parents[i].share_bps >> 8);
        at[33] = (uint8_t)m->parents[i].share_bps;
    }
    return m->parent_count * PARENT_SIZE;
}

static void read_parents(struct stmt *st, struct model *m)
{
    const uint8_t *at;
    const void *bytes;
    size_t len;

    stmt_blob(st, &bytes, &len);
    m->parent_count = 0;
    if (len % PARENT_SIZE != 0 || len / PARENT_SIZE > MODEL_PARENTS_MAX) {
        st->failed = true;
        return;
    }
    at = bytes;
    for (; m->parent_count < len / PARENT_SIZE; m->parent_count++, at += PARENT_SIZE) {
        struct lineage_parent *parent = &m->parents[m->parent_count];

        memcpy(parent->model.b, at, 32);
        parent->share_bps = (uint16_t)(at[32] << 8 | at[33]);
    }
}

bool store_model_add(struct db *db, const struct model *m, uint64_t now_ms, struct err *err)
{
    uint8_t parents[MODEL_PARENTS_MAX * PARENT_SIZE];
    size_t parents_len = pack_parents(m, parents);
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO models (model, creator, name, parents, registered_at, signature, received_at,"
                        " verified_at, contract)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", &st, err))
        return false;
    stmt_bind_hash(&st, &m->model);
    stmt_bind_address(&st, &m->creator);
    stmt_bind_text(&st, m->name);
    stmt_bind_blob(&st, parents, parents_len);
    stmt_bind_u64(&st, m->registered_at_ms);
    stmt_bind_signature(&st, &m->signature);
    stmt_bind_u64(&st, now_ms);
    if (m->verified_at_ms != 0)
        stmt_bind_u64(&st, m->verified_at_ms);
    else
        stmt_bind_null(&st);
    if (!address_is_zero(m->contract))
        stmt_bind_address(&st, &m->contract);
    else
        stmt_bind_null(&st);
    return stmt_exec_one(&st, err) && store_settings_changed(db, err);
}

#define COLUMNS "model, creator, name, parents, registered_at, signature, verified_at, contract"

static void read_model(struct stmt *st, struct model *m)
{
    memset(m, 0, sizeof *m);                  /* unused parents are zero */
    m->model = stmt_hash(st);
    m->creator = stmt_address(st);
    stmt_text(st, m->name, sizeof m->name);
    read_parents(st, m);
    m->registered_at_ms = stmt_u64(st);
    m->signature = stmt_signature(st);
    m->verified_at_ms = stmt_u64(st);
    m->contract = stmt_address(st);
}

/* Ends st. */
static bool read_one(struct stmt *st, struct model *m, bool *found, struct err *err)
{
    struct model got;
    bool row;

    if (!stmt_step(st, &row, err))
        return false;
    if (row)
        read_model(st, &got);
    stmt_end(st);
    if (!stmt_ok(st, err))
        return false;
    if (row)
        *m = got;
    *found = row;
    return true;
}

bool store_model_find(struct db *db, struct hash model, struct address creator, struct model *m, bool *found,
                      struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM models WHERE model = ? AND creator = ?", &st, err))
        return false;
    stmt_bind_hash(&st, &model);
    stmt_bind_address(&st, &creator);
    return read_one(&st, m, found, err);
}

bool store_model_verified(struct db *db, struct hash model, struct model *m, bool *found, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM models WHERE model = ? AND verified_at IS NOT NULL", &st, err))
        return false;
    stmt_bind_hash(&st, &model);
    return read_one(&st, m, found, err);
}

bool store_model_set_verified(struct db *db, struct hash model, struct address creator, uint64_t now_ms,
                              struct err *err)
{
    struct stmt st;

    /* One creator a model, for ever; that it is the first is the caller's answer to give, ours only to guard. */
    if (!db_prepare(db, "UPDATE models SET verified_at = ? WHERE model = ? AND creator = ?"
                        " AND NOT EXISTS (SELECT 1 FROM models o WHERE o.model = models.model AND o.verified_at IS"
                        " NOT NULL)", &st, err))
        return false;
    stmt_bind_u64(&st, now_ms);
    stmt_bind_hash(&st, &model);
    stmt_bind_address(&st, &creator);
    return stmt_exec_one(&st, err) && store_settings_changed(db, err);
}

bool store_models(struct db *db, const struct hash *after_model, const struct address *after_creator, unsigned limit,
                  model_fn *visit, void *self, struct err *err)
{
    struct model m;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM models WHERE (model, creator) > (?, ?) ORDER BY model, creator"
                        " LIMIT ?", &st, err))
        return false;
    /* No bytes sort before every key. */
    stmt_bind_blob(&st, after_model, after_model != NULL ? sizeof *after_model : 0);
    stmt_bind_blob(&st, after_creator, after_creator != NULL ? sizeof *after_creator : 0);
    stmt_bind_u64(&st, limit);
    while (stmt_step(&st, &row, err)) {
        if (!row)
            return true;
        read_model(&st, &m);
        if (!stmt_ok(&st, err) || !visit(self, &m)) {
            bool ok = !st.failed;

            stmt_end(&st);
            return ok;
        }
    }
    return false;
}

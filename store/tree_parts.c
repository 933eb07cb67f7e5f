#include "store/tree_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

static bool insert_nodes(struct db *db, const char *literal_sql, uint64_t id, const struct tree *tree, struct err *err)
{
    struct stmt st;
    struct buf nodes;
    bool ok;

    buf_init(&nodes);
    tree_upper(tree, &nodes);
    ok = !nodes.failed || err_set(err, ERR_LIMIT, "the upper nodes of a tree");
    if (ok && nodes.len > sizeof(struct hash)) {
        ok = db_prepare(db, literal_sql, &st, err);
        if (ok) {
            stmt_bind_u64(&st, id);
            stmt_bind_blob(&st, nodes.data, nodes.len);
            ok = stmt_exec_later(&st, 1, err);
        }
    }
    buf_clear(&nodes);
    return ok;
}

bool store_bundle_nodes_insert(struct db *db, uint64_t bundle, const struct tree *tree, struct err *err)
{
    return insert_nodes(db, "INSERT INTO bundle_nodes (id, nodes) VALUES (?, ?)", bundle, tree, err);
}

bool store_promise_nodes_insert(struct db *db, uint64_t promise, const struct tree *tree, struct err *err)
{
    return insert_nodes(db, "INSERT INTO promise_nodes (id, nodes) VALUES (?, ?)", promise, tree, err);
}

/* What a path is made of: some leaves from `first` on, and the nodes above them. */
struct part { struct buf leaves, nodes; };

static void part_init(struct part *part)
{
    buf_init(&part->leaves);
    buf_init(&part->nodes);
}

static void part_clear(struct part *part)
{
    buf_clear(&part->leaves);
    buf_clear(&part->nodes);
}

/* substr counts from 1; all leaves where the nodes above a part are not kept. */
static void bind_part(struct stmt *st, uint64_t index)
{
    stmt_bind_u64(st, (index - index % TREE_PART) * sizeof(struct hash) + 1);
    stmt_bind_u64(st, TREE_PART * sizeof(struct hash));
}

#define PART_OF(leaves) "CASE WHEN nodes IS NULL THEN " leaves " ELSE substr(" leaves ", ?, ?) END, nodes"

static void read_part(struct stmt *st, struct part *part)
{
    stmt_buf(st, &part->leaves);
    if (!stmt_null(st))
        stmt_buf(st, &part->nodes);
}

/* hashed: they are leaves; else struct hashes, whose leaves are made here. */
static bool prove(const struct part *part, bool hashed, uint64_t count, uint64_t index, struct proof *path)
{
    uint64_t first = part->nodes.len > 0 ? index - index % TREE_PART : 0;
    size_t here = part->leaves.len / sizeof(struct hash);
    struct hash *list = mem_array(here + 1, sizeof *list);
    bool ok = index < count && index - first < here && (part->nodes.len > 0 || here == count);

    if (here > 0)
        memcpy(list, part->leaves.data, here * sizeof *list);
    if (ok && !hashed)
        tree_promise_leaves(list, here, list);
    if (ok && part->nodes.len == 0)
        tree_proof(list, here, (size_t)index, path);
    else
        ok = ok && tree_prove_part(list, count, &part->nodes, index, path);
    free(list);
    return ok;
}

static bool find_bundle(struct db *db, uint64_t bundle, uint64_t index, struct bundle_row *row, struct part *part, struct err *err)
{
    struct stmt st;
    bool any;

    if (!db_prepare(db, "SELECT provider, root, count, signature, " PART_OF("leaves") " FROM bundles LEFT JOIN bundle_nodes"
                        " ON bundle_nodes.id = bundles.id WHERE bundles.id = ?", &st, err))
        return false;
    bind_part(&st, index);
    stmt_bind_u64(&st, bundle);
    if (!stmt_step(&st, &any, err))
        return false;
    if (!any)
        return err_set(err, ERR_NOT_FOUND, "there is no bundle %" PRIu64, bundle);
    *row = (struct bundle_row){ .id = bundle };
    row->bundle.provider = stmt_address(&st);
    row->bundle.root = stmt_hash(&st);
    row->bundle.count = stmt_u64(&st);
    row->signature = stmt_signature(&st);
    read_part(&st, part);
    stmt_end(&st);
    return stmt_ok(&st, err);
}

bool store_bundle_path(struct db *db, uint64_t bundle, uint64_t index, struct bundle_row *row, struct proof *path, bool *found,
                       struct err *err)
{
    struct part part;
    bool ok;

    part_init(&part);
    ok = find_bundle(db, bundle, index, row, &part, err);
    *found = ok && prove(&part, true, row->bundle.count, index, path);
    part_clear(&part);
    return ok;
}

static bool find_promise(struct db *db, uint64_t promise, uint64_t index, struct promise_row *row, struct part *part, struct err *err)
{
    struct stmt st;
    bool any;

    if (!db_prepare(db, "SELECT root, count, accepted_at, settle_by, signature, signer, " PART_OF("leaves") " FROM promises LEFT JOIN"
                        " promise_nodes ON promise_nodes.id = promises.id WHERE promises.id = ?", &st, err))
        return false;
    bind_part(&st, index);
    stmt_bind_u64(&st, promise);
    if (!stmt_step(&st, &any, err))
        return false;
    if (!any)
        return err_set(err, ERR_NOT_FOUND, "there is no promise %" PRIu64, promise);
    *row = (struct promise_row){ .id = promise };
    row->promise.root = stmt_hash(&st);
    row->promise.count = stmt_u64(&st);
    row->promise.accepted_at_ms = stmt_u64(&st);
    row->promise.settle_by_ms = stmt_u64(&st);
    row->signature = stmt_signature(&st);
    row->signer = stmt_address(&st);
    read_part(&st, part);
    stmt_end(&st);
    return stmt_ok(&st, err);
}

bool store_promise_path(struct db *db, uint64_t promise, uint64_t index, struct promise_row *row, struct proof *path, bool *found,
                        struct err *err)
{
    struct part part;
    bool ok;

    part_init(&part);
    ok = find_promise(db, promise, index, row, &part, err);
    *found = ok && prove(&part, false, row->promise.count, index, path);
    part_clear(&part);
    return ok;
}

/* rewards.json of a settlement (archive.h), written leaf by leaf: with all its proofs it may be larger than memory. */
#include "gateway/settle/archive.h"

#include "gateway/lib/address_text.h"
#include "gateway/lib/file.h"
#include "gateway/lib/json.h"
#include "gateway/settle/rewards.h"

#include <inttypes.h>
#include <stdio.h>

#define PATH_SIZE 4096

static json *metadata(const struct archive_batch *b)
{
    json *m = json_new_object();

    json_put_u64(m, "chainId", b->chain_id);
    json_put_address(m, "contract", b->contract);
    json_put_address(m, "token", b->token);
    json_put_u64(m, "sequence", b->content.sequence);
    json_put_amount(m, "total", b->content.total);
    return m;
}

/* {"id":..,"metadata":..,"root":..,"tree":[ */
static void write_head(const struct archive_batch *b, struct buf *out)
{
    char contract[ADDRESS_TEXT], id[128];
    json *head = json_new_object();

    address_to_text(b->contract, contract);
    snprintf(id, sizeof id, "quittance-%" PRIu64 "-%s-%" PRIu64, b->chain_id, contract, b->content.sequence);
    json_put_text(head, "id", id);
    json_put(head, "metadata", metadata(b));
    json_put_hash(head, "root", b->content.rewards_root);
    json_write(head, out);
    json_free(head);
    if (!out->failed)
        out->len--;                           /* the closing brace comes last */
    buf_add_text(out, ",\"tree\":[");
}

static void write_leaf(const struct archive_batch *b, const struct reward_leaf *leaf, const struct tree *tree,
                       size_t index, struct buf *out)
{
    json *row = json_new_object(), *path = json_new_array();
    struct proof proof;

    tree_prove(tree, index, &proof);
    for (size_t i = 0; i < proof.len; i++)
        json_add(path, json_new_hash(proof.path[i]));
    json_put_address(row, "account", leaf->account);
    json_put_address(row, "reward", b->token);
    json_put_amount(row, "claimable", leaf->claimable);
    json_put(row, "proof", path);
    if (index > 0)
        buf_add_byte(out, ',');
    json_write(row, out);
    json_free(row);
}

static bool flush(struct file_out *file, struct buf *out, struct err *err)
{
    if (out->failed)
        return err_set(err, ERR_LIMIT, "a part of rewards.json is too long");
    if (!file_add(file, out->data, out->len, err))
        return false;
    buf_reset(out);
    return true;
}

static bool write_all(const struct published *p, const struct tree *tree, struct file_out *file, struct buf *out,
                      struct err *err)
{
    write_head(&p->batch, out);
    for (size_t i = 0; i < p->after->count; i++) {
        write_leaf(&p->batch, &p->after->list[i], tree, i, out);
        if (out->len >= 64 * KIB && !flush(file, out, err))
            return false;
    }
    buf_add_text(out, "]}\n");
    return flush(file, out, err);
}

bool rewards_write(const char *dir, const struct published *p, struct err *err)
{
    struct tree *tree = rewards_tree(p->after, p->batch.token);
    struct file_out *file;
    char path[PATH_SIZE];
    struct buf out;
    bool ok = false;

    buf_init(&out);
    archive_path(dir, p->batch.content.sequence, ".rewards.json", path, sizeof path);
    if (!file_begin(path, &file, err))
        goto out;
    ok = write_all(p, tree, file, &out, err);
    if (ok)
        ok = file_commit_free(file, err);
    else
        file_abandon_free(file);
out:
    buf_clear(&out);
    tree_free(tree);
    return ok;
}

#include "gateway/core/model.h"

#include "gateway/core/members.h"
#include "gateway/core/text.h"

static const char *const model_members[] = { "model", "creator", "name", "parents", "registeredAt", "signature" };
static const char *const parent_members[] = { "parent", "shareBps" };

static bool read_name(const json *object, struct model *m, struct err *err)
{
    const char *text;
    size_t len;

    if (!json_get_text(json_member(object, "name"), &text, &len) || !text_is_plain(text, len, 1, MODEL_NAME_MAX))
        return err_set(err, ERR_INVALID, "name: a string of 1 to %d characters without control characters", MODEL_NAME_MAX);
    memcpy(m->name, text, len);     /* a character takes 4 bytes at most */
    m->name[len] = '\0';
    return true;
}

static bool read_parent(const json *value, size_t index, struct model *m, struct err *err)
{
    struct lineage_parent *parent = &m->parents[index];
    uint64_t share_bps;

    if (!members_known(value, parent_members, ARRAY_LEN(parent_members), err))
        return err_prefix(err, "parents/%zu", index);
    if (!json_get_hash(json_member(value, "parent"), &parent->model))
        return err_set(err, ERR_INVALID, "parents/%zu/parent: a string of 0x and 64 hex digits", index);
    if (!json_get_u64(json_member(value, "shareBps"), &share_bps) || share_bps > BPS)
        return err_set(err, ERR_INVALID, "parents/%zu/shareBps: an integer from 0 to %d", index, BPS);
    if (hash_eq(parent->model, m->model))
        return err_set(err, ERR_INVALID, "parents/%zu/parent: a model is not its own parent", index);
    for (size_t i = 0; i < index; i++)
        if (hash_eq(parent->model, m->parents[i].model))
            return err_set(err, ERR_INVALID, "parents/%zu/parent: the same as parents/%zu", index, i);
    parent->share_bps = (uint16_t)share_bps;
    return true;
}

static bool read_parents(const json *object, struct model *m, struct err *err)
{
    const json *parents = json_member(object, "parents");
    unsigned sum = 0;

    if (parents == NULL || json_kind_of(parents) != JSON_KIND_ARRAY || json_count(parents) > MODEL_PARENTS_MAX)
        return err_set(err, ERR_INVALID, "parents: an array of at most %d objects", MODEL_PARENTS_MAX);
    m->parent_count = json_count(parents);
    for (size_t i = 0; i < m->parent_count; i++) {
        if (!read_parent(json_at(parents, i), i, m, err))
            return false;
        sum += m->parents[i].share_bps;
    }
    if (sum > BPS)
        return err_set(err, ERR_INVALID, "parents: the shares sum to %u, at most %d", sum, BPS);
    return true;
}

bool model_from_json(const json *object, struct model *m, struct err *err)
{
    struct model read = { 0 };

    if (!members_known(object, model_members, ARRAY_LEN(model_members), err))
        return false;
    if (!json_get_hash(json_member(object, "model"), &read.model))
        return err_set(err, ERR_INVALID, "model: a string of 0x and 64 hex digits");
    if (!json_get_address(json_member(object, "creator"), &read.creator))
        return err_set(err, ERR_INVALID, "creator: a string of 0x and 40 hex digits");
    if (!read_name(object, &read, err) || !read_parents(object, &read, err))
        return false;
    if (!json_get_u64(json_member(object, "registeredAt"), &read.registered_at_ms))
        return err_set(err, ERR_INVALID, "registeredAt: an integer of Unix milliseconds");
    if (!json_get_signature(json_member(object, "signature"), &read.signature))
        return err_set(err, ERR_INVALID, "signature: a string of 0x and 130 hex digits");
    *m = read;
    return true;
}

json *model_parents_to_json(const struct model *m)
{
    json *parents = json_new_array();

    for (size_t i = 0; i < m->parent_count; i++) {
        json *parent = json_new_object();

        json_put_hash(parent, "parent", m->parents[i].model);
        json_put_u64(parent, "shareBps", m->parents[i].share_bps);
        json_add(parents, parent);
    }
    return parents;
}

json *model_to_json(const struct model *m)
{
    json *object = json_new_object();

    json_put_hash(object, "model", m->model);
    json_put_address(object, "creator", m->creator);
    json_put_text(object, "name", m->name);
    json_put(object, "parents", model_parents_to_json(m));
    json_put_u64(object, "registeredAt", m->registered_at_ms);
    json_put_signature(object, "signature", &m->signature);
    return object;
}

bool model_same(const struct model *a, const struct model *b)
{
    if (!hash_eq(a->model, b->model) || !address_eq(a->creator, b->creator) || strcmp(a->name, b->name) != 0
        || a->registered_at_ms != b->registered_at_ms || a->parent_count != b->parent_count)
        return false;
    for (size_t i = 0; i < a->parent_count; i++)
        if (!hash_eq(a->parents[i].model, b->parents[i].model) || a->parents[i].share_bps != b->parents[i].share_bps)
            return false;
    return true;
}

#include "gateway/audit/sealed.h"

#include <stdio.h>

#include "gateway/audit/differs.h"
#include "gateway/audit/recompute.h"
#include "gateway/core/tree.h"
#include "gateway/core/typed.h"
#include "gateway/lib/address_text.h"

bool sealed_open(struct sealed *s, struct audit_keys *keys, struct archive_line *line, struct err *err)
{
    struct err why = { 0 };

    s->was_sealed = line->type == ARCHIVE_SEALED;
    if (s->was_sealed)
        s->leaf = line->of.sealed.leaf;
    return audit_keys_open(keys, s->sequence, line, &why)
        || differs(err, DIFFERS_ARCHIVE, (struct place){ s->sequence, "sealed line" }, "a line of the published form", why.text);
}

bool sealed_leaf_fits(const struct sealed *s, uint64_t index, const struct archive_receipt *line, struct err *err)
{
    const struct receipt *r = &line->receipt.receipt;
    char name[RECEIPT_NAME];
    struct hash leaf;

    if (!s->was_sealed)
        return true;
    leaf = tree_receipts_leaf(index, r->job_id, r->provider, line->salt, receipt_struct_hash(r));
    receipt_name(r, name);
    return hash_eq(leaf, s->leaf)
        || differs_hash(err, DIFFERS_RECEIPT, (struct place){ s->sequence, name }, leaf, s->leaf);
}

bool sealed_hides(const struct sealed *s, const struct archive_receipt *line)
{
    return s->was_sealed && line->has_bundle && s->bundles > 0;
}

bool sealed_reward(struct sealed *s, const struct totals *leaves, const struct archive_reward *line,
                   struct totals *credits, struct err *err)
{
    struct amount before = totals_of(leaves, line->account), growth;
    char address[ADDRESS_TEXT], name[64];
    struct place at = { s->sequence, name };

    address_to_text(line->account, address);
    snprintf(name, sizeof name, "account %s", address);
    if (credits->count > 0 && address_cmp(&s->last, &line->account) >= 0)
        return differs(err, DIFFERS_REWARD, at, "reward lines by account, each once", "one before it");
    s->last = line->account;
    if (amount_cmp(line->after, line->before) < 0)
        return differs_amount(err, DIFFERS_LEAF_FELL, at, line->before, line->after);
    if (amount_cmp(before, line->before) != 0)
        return differs_amount(err, DIFFERS_REWARD, at, before, line->before);
    if (!amount_sub(line->after, before, &growth) || amount_is_zero(growth))
        return differs(err, DIFFERS_REWARD, at, "a leaf that grew", "one that did not");
    return totals_add(credits, line->account, growth, err);
}

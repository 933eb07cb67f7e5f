#include "gateway/node/group.h"

#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/core/tree.h"
#include "gateway/node/line.h"

/* ---- the request ---- */

static bool sign_bundle(const struct signer *signer, const struct domain *domain, const struct spool_item *items, size_t count,
                        const uint8_t *words, struct receipt_bundle *b, struct signature *sig, struct err *err)
{
    struct hash *leaves = mem_array(count, sizeof *leaves);

    receipt_words_hashes(words, count, leaves);
    tree_promise_leaves(leaves, count, leaves);
    *b = (struct receipt_bundle){ items[0].receipt.receipt.provider, tree_root(leaves, count), count };
    free(leaves);
    return signer_sign_digest(signer, typed_digest(domain, bundle_struct_hash(b)), sig, err);
}

static void write_list(const struct spool_item *items, size_t count, bool signatures, struct buf *body)
{
    buf_add_byte(body, '[');
    for (size_t i = 0; i < count; i++) {
        struct signed_receipt r = items[i].receipt;

        r.has_signature = r.has_signature && signatures;
        if (i > 0)
            buf_add_byte(body, ',');
        line_write(&r, body);
    }
    buf_add_byte(body, ']');
}

static void write_bundle(const struct receipt_bundle *b, const struct signature *sig, const struct spool_item *items, size_t count,
                         struct buf *body)
{
    json *bundle = json_new_object();

    json_put_address(bundle, "provider", b->provider);
    json_put_hash(bundle, "root", b->root);
    json_put_u64(bundle, "count", b->count);
    json_put_signature(bundle, "signature", sig);
    buf_add_text(body, "{\"bundle\":");
    json_write(bundle, body);
    buf_add_text(body, ",\"receipts\":");
    write_list(items, count, false, body);
    buf_add_byte(body, '}');
    json_free(bundle);
}

static bool check_items(enum group_form form, struct address provider, const struct spool_item *items, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (form == GROUP_ARRAY && !items[i].receipt.has_signature)
            return err_set(err, ERR_CONFIG, "a receipt without signature waits: post it with --bundle and --key");
        if (form != GROUP_ARRAY && !address_eq(items[i].receipt.receipt.provider, provider))
            return err_set(err, ERR_CONFIG, "a receipt of another provider than --provider or --key waits: post it with that one's");
    }
    return true;
}

bool group_encode(enum group_form form, const struct signer *signer, struct address provider, const struct domain *domain,
                  const struct spool_item *items, size_t count, struct buf *body, const char **type, struct err *err)
{
    struct receipt_bundle bundle;
    struct signature sig;
    uint8_t *words;
    bool binary = form == GROUP_BINARY;

    if (!check_items(form, provider, items, count, err))
        return false;
    *type = "Content-Type: application/json";
    if (form == GROUP_ARRAY) {
        write_list(items, count, true, body);
        return !body->failed || err_set(err, ERR_LIMIT, "the request is too large: post fewer at once");
    }
    words = mem_array(count, RECEIPT_WORDS);
    for (size_t i = 0; i < count; i++) {
        receipt_to_words(&items[i].receipt.receipt, words + i * RECEIPT_WORDS);
        binary = binary && !items[i].receipt.has_consumer_signature;
    }
    bool ok = sign_bundle(signer, domain, items, count, words, &bundle, &sig, err);
    if (ok && binary) {
        *type = "Content-Type: application/vnd.quittance.bundle";
        buf_add(body, sig.b, sizeof sig.b);
        buf_add(body, words, count * RECEIPT_WORDS);
    } else if (ok) {
        write_bundle(&bundle, &sig, items, count, body);
    }
    free(words);
    return ok && (!body->failed || err_set(err, ERR_LIMIT, "the request is too large: post fewer at once"));
}

/* ---- the answer ---- */

static const char *text_of(const json *v)
{
    const char *text;
    size_t len;

    return json_get_text(v, &text, &len) ? text : "";
}

static bool read_kind(const json *item, enum outcome_kind *kind)
{
    static const enum outcome_kind kinds[] = {
        [ITEM_ACCEPTED] = OUTCOME_ACCEPTED, [ITEM_DUPLICATE] = OUTCOME_DUPLICATE, [ITEM_QUARANTINED] = OUTCOME_QUARANTINED,
        [ITEM_REJECTED] = OUTCOME_REJECTED,
    };
    const char *status = text_of(json_member(item, "status"));

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(status, item_status_name((enum item_status)i)) != 0)
            continue;
        *kind = kinds[i];
        /* An operator's no to what was quarantined is as final as the rules'. */
        if (*kind == OUTCOME_DUPLICATE && strcmp(text_of(json_member(item, "state")), "refused") == 0)
            *kind = OUTCOME_REJECTED;
        else if (*kind == OUTCOME_REJECTED && strcmp(text_of(json_member(item, "code")), receipt_codes[CODE_TOO_MANY].name) == 0)
            *kind = OUTCOME_LATER;
        return true;
    }
    return false;
}

static bool read_item(const json *item, const struct spool_item *items, size_t count, struct outcome *outcomes, struct err *err)
{
    struct job_id job_id;
    uint64_t index;
    enum outcome_kind kind;

    if (!json_get_u64(json_member(item, "index"), &index) || index >= count || outcomes[index].item != NULL || !read_kind(item, &kind))
        return err_set(err, ERR_AGAIN, "the answer has an item that none of the receipts can be");
    if (json_get_job_id(json_member(item, "jobId"), &job_id) && !job_id_eq(job_id, items[index].receipt.receipt.job_id))
        return err_set(err, ERR_AGAIN, "the answer's item %zu is of another job", (size_t)index);
    outcomes[index] = (struct outcome){ kind, item };
    return true;
}

/* The promises of an answer cover whole commit groups: at least as many receipts as were accepted. */
static uint64_t promised(const json *answer)
{
    const json *promises = json_member(answer, "promises");
    struct signature sig;
    uint64_t sum = 0, count;

    for (size_t i = 0; i < json_count(promises); i++) {
        const json *promise = json_at(promises, i);

        if (json_get_signature(json_member(promise, "signature"), &sig) && json_get_u64(json_member(promise, "count"), &count))
            sum += count;
    }
    return sum;
}

bool group_outcomes(const json *answer, const struct spool_item *items, size_t count, struct outcome *outcomes, struct err *err)
{
    const json *results = json_member(answer, "results");
    uint64_t accepted = 0, told;

    for (size_t i = 0; i < count; i++)
        outcomes[i] = (struct outcome){ OUTCOME_ACCEPTED, NULL };
    for (size_t i = 0; i < json_count(results); i++)
        if (!read_item(json_at(results, i), items, count, outcomes, err))
            return false;
    for (size_t i = 0; i < count; i++)
        accepted += outcomes[i].kind == OUTCOME_ACCEPTED;
    /* Silence is acceptance only where counts say the same. */
    if (json_count(results) < count && (!json_get_u64(json_member(json_member(answer, "counts"), "accepted"), &told) || told != accepted))
        return err_set(err, ERR_AGAIN, "the answer lists %zu of %zu receipts and does not count %zu accepted", json_count(results), count,
                       (size_t)accepted);
    return promised(answer) >= accepted || err_set(err, ERR_AGAIN, "the answer accepts receipts without a promise for each");
}

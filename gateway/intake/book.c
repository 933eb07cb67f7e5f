/* One receipt judged and booked: what submitting, completing and releasing have in common. */
#include "gateway/intake/inside.h"

#include <stdio.h>

#include "gateway/core/receipt_json.h"
#include "gateway/lib/secp.h"
#include "store/quotes.h"

static struct tally_key day_key(const struct group *group, struct address provider)
{
    return (struct tally_key){ .number = group->clock_ms / DAY_MS, .account = provider };
}

/* What the provider earned this day, this group included; the first question of a group brings it from the store. */
static bool provider_day(struct intake *intake, struct group *group, struct address provider, struct amount *earned, struct err *err)
{
    struct tally *days = &intake->gathered.days;
    struct tally_key key = day_key(group, provider);
    const struct tally_row *sum = tally_find(days, &key);

    if (sum != NULL) {
        *earned = sum->amount;
        return true;
    }
    return (foresee_day(intake, group, provider, earned) || store_provider_day(group->db, provider, key.number, earned, err))
        && beside_base(intake, group, BASE_DAY, &key, *earned, err) && tally_add(days, &key, *earned, err);
}

bool book_judge(struct intake *intake, struct group *group, const struct signed_receipt *r, uint64_t received_at_ms,
                enum judging judging, struct verdict *verdict, struct err *err)
{
    struct gathered *g = &intake->gathered;
    struct rule_limits limits = intake->config.limits;
    const struct provider *provider = parties_provider(g, r->receipt.provider);
    struct rule_facts facts = {
        .catalog = g->snapshot->catalog, .limits = &limits, .receipt = r, .now_ms = group->now_ms, .clock_ms = group->clock_ms,
        .provider = provider, .model = parties_model(g, r->receipt.model), .operator_released = judging == JUDGE_RELEASED,
    };
    struct issued_quote quote;
    bool issued = false;
    uint64_t waited_ms = group->clock_ms > received_at_ms ? group->clock_ms - received_at_ms : 0;

    limits.receipt_max = g->batch_amount_max;
    /* Late is who came late, not who was kept waiting by us: the time in quarantine does not count. */
    if (limits.max_age_ms <= UINT64_MAX - waited_ms)
        limits.max_age_ms += waited_ms;
    if (judging != JUDGE_NEW_JOB
        && !store_receipt_job_billed(group->db, r->receipt.job_id, r->receipt.provider, &facts.job_billed_by_other, err))
        return false;
    if ((!facts.job_billed_by_other && !pair_job_billed(intake, &r->receipt, &facts.job_billed_by_other, err)))
        return false;
    if (!hash_is_zero(r->receipt.quote) && !store_quote_find(group->db, r->receipt.quote, &quote, &issued, err))
        return false;
    facts.quote = issued ? &quote.quote : NULL;
    /* Strangers earn nothing, and asking about each would only fill the table. */
    facts.usage.received_at_ms = received_at_ms;
    if (provider != NULL && (!provider_day(intake, group, provider->address, &facts.provider_day, err)
                             || !measure_facts(intake, group, provider, &r->receipt, &facts.usage, err)))
        return false;
    return credit_used(intake, group, r, group->now_ms, &facts.consumer_period, err) && rules_judge(&facts, verdict, err);
}

/* Goes on with the next batch where this receipt would take it over a bound.  While no batch ever held a reward none is closed:
 * a settlement with an empty rewards tree cannot be committed, so it would block all after it.  The seal closes and opens
 * the rows: until then the sums of the batch that is full are not in it. */
static bool make_room(struct intake *intake, struct group *group, struct amount amount, struct err *err)
{
    const struct intake_config *config = &intake->config;
    struct amount max = intake->gathered.batch_amount_max;
    struct batch_row *open = &intake->gathered.batch;
    bool worthless = amount_is_zero(open->amount), full, over;
    struct amount sum;

    full = config->batch_receipts_max != 0 && open->receipts >= config->batch_receipts_max
        && !(open->number == 1 && worthless);
    over = !worthless && !amount_is_zero(max) && (!amount_add(open->amount, amount, &sum) || amount_cmp(sum, max) > 0);
    if (full || over) {
        if (!in_turn(group, "the batch is full", err))
            return false;
        *open = (struct batch_row){ .number = open->number + 1, .state = BATCH_OPEN, .protocol_account = config->protocol_account };
        return true;
    }
    /* The account may have been configured anew since the batch opened; once it holds something it is fixed. */
    if (open->receipts == 0 && worthless && !address_eq(open->protocol_account, config->protocol_account)) {
        if (!in_turn(group, "the batch takes another protocol account", err)
            || !store_batch_set_protocol_account(group->db, config->protocol_account, err))
            return false;
        open->protocol_account = config->protocol_account;
        intake->gathered.stored.protocol_account = config->protocol_account;
    }
    return true;
}

static bool post(struct intake *intake, const struct share *share, struct err *err)
{
    struct tally_key key = { intake->gathered.batch.number, share->account, (int)share->role, share->model };

    return amount_is_zero(share->amount) || tally_add(&intake->gathered.postings, &key, share->amount, err);
}

static struct popularity_fee fee_of(const struct price_version *price, const struct share *charge)
{
    return (struct popularity_fee){ charge->model, charge->account, popularity_fee_of(price, charge->amount) };
}

/* What a consumer is billed for makes the model popular; what the treasury pays does not. */
static bool count_fee(struct gathered *g, const struct price_version *price, const struct share *charge, struct err *err)
{
    struct tally_key key = { .number = g->batch.number, .account = charge->account, .model = charge->model };
    struct amount fees;

    if (!g->epoch_running || charge->role != ROLE_CONSUMER)
        return true;
    fees = popularity_fee_of(price, charge->amount);
    return amount_is_zero(fees) || tally_add(&g->fees, &key, fees, err);
}

/* Both sides of the entry, and the sums kept beside them. */
static bool enter(struct intake *intake, struct group *group, const struct verdict *verdict, const struct signed_receipt *r,
                  const struct share *charge, struct err *err)
{
    struct gathered *g = &intake->gathered;
    struct tally_key day = day_key(group, r->receipt.provider);
    struct shares *credits = &g->credits;
    bool ok;

    credits->count = 0;
    ok = ledger_split(g->snapshot->catalog, &r->receipt, verdict->price, verdict->amount, g->batch.protocol_account,
                      group->now_ms, credits, err);
    for (size_t i = 0; ok && i < credits->count; i++)
        ok = post(intake, &credits->list[i], err);
    return ok && credit_use(intake, group, charge, group->now_ms, err) && post(intake, charge, err)
        && count_fee(g, verdict->price, charge, err)
        && tally_add(&g->batches, &(struct tally_key){ .number = g->batch.number }, verdict->amount, err)
        && tally_add(&g->days, &day, verdict->amount, err)
        && measure_accepted(intake, group, &r->receipt, err)
        && market_count(intake, verdict->price, &r->receipt, err)
        && (!verdict->quoted || store_quote_use(group->db, r->receipt.quote, err));
}

bool book_accept(struct intake *intake, struct group *group, const struct verdict *verdict, struct receipt_row *row, struct err *err)
{
    struct gathered *g = &intake->gathered;
    struct share charge = ledger_charge(g->snapshot->catalog, &row->signed_, verdict->amount, group->now_ms);

    if (!make_room(intake, group, verdict->amount, err)
        || !enter(intake, group, verdict, &row->signed_, &charge, err)
        || !amount_add(g->batch.amount, verdict->amount, &g->batch.amount))
        return false;
    g->batch.receipts++;
    if (!beside_fits(intake, group, &row->signed_.receipt, &charge, err))
        return false;
    row->state = RECEIPT_ACCEPTED;
    row->code = CODE_ACCEPTED;
    row->accepted_at_ms = group->now_ms;
    row->batch = g->batch.number;
    row->price_version = verdict->price->version;
    row->amount = verdict->amount;
    row->has_charged = charge.role == ROLE_CONSUMER;
    row->charged = charge.account;
    return true;
}

void book_promise(struct intake *intake, struct receipt_row *row, struct hash leaf)
{
    row->promise = intake->gathered.number;
    row->promise_index = intake->gathered.leaf_count;
    gather_leaf(intake, row->hash, leaf);
}

static bool note_price(const struct verdict *verdict, struct receipt_row *row)
{
    uint64_t version = verdict->price != NULL ? verdict->price->version : 0;
    bool changed = version != row->price_version;

    row->price_version = version;
    row->amount = verdict->amount;
    return changed;
}

bool book_reprice(struct intake *intake, struct group *group, struct receipt_row *row, struct err *err)
{
    struct verdict verdict = { 0 };
    bool ok = book_judge(intake, group, &row->signed_, row->received_at_ms, JUDGE_NORMAL, &verdict, err);

    faults_clear(&verdict.faults);
    return ok && (!note_price(&verdict, row) || store_receipt_requeue(group->db, row, err));
}

/* A limit is no less of one because the signature comes second: then the treasury goes on to pay. */
static bool is_over_credit(struct intake *intake, struct group *group, const struct receipt_row *row, const struct price_version *price,
                           struct faults *faults, bool *over, struct err *err)
{
    struct rule_facts facts = { .catalog = intake->gathered.snapshot->catalog, .limits = &intake->config.limits,
                                .receipt = &row->signed_, .now_ms = group->now_ms };
    struct verdict verdict = { .price = price, .amount = row->amount };

    if (!credit_used(intake, group, &row->signed_, row->accepted_at_ms, &facts.consumer_period, err))
        return false;
    rules_judge_credit(&facts, &verdict);
    *over = verdict.faults.count > 0;
    *faults = verdict.faults;                 /* taken over: it had none */
    return true;
}

bool book_recharge(struct intake *intake, struct group *group, struct receipt_row *row, struct faults *faults, bool *over, struct err *err)
{
    const struct catalog *catalog = intake->gathered.snapshot->catalog;
    struct signed_receipt before = row->signed_;
    const struct price_version *price = catalog_price_version(catalog, row->price_version);
    struct recharge r = { .batch = row->batch, .accepted_at_ms = row->accepted_at_ms };

    before.has_consumer_signature = false;
    r.from = ledger_charge(catalog, &before, row->amount, row->accepted_at_ms);
    r.to = ledger_charge(catalog, &row->signed_, row->amount, row->accepted_at_ms);
    *over = false;
    if (r.to.role != ROLE_CONSUMER)
        return true;
    if (price == NULL)
        bug("a receipt was accepted under a price that is not there");
    if (!is_over_credit(intake, group, row, price, faults, over, err))
        return false;
    if (*over)
        return true;
    row->has_charged = true;
    row->charged = r.to.account;
    r.fee = fee_of(price, &r.to);
    if (amount_is_zero(row->amount))
        return true;
    gather_recharge(intake, &r);
    return credit_use(intake, group, &r.to, row->accepted_at_ms, err);
}

/* Who signed a held receipt is not kept beside it: its signature says. */
static bool key_of_held(const struct intake *intake, struct group *group, const struct receipt_row *row, struct address *key, struct err *err)
{
    struct signature signature = row->signed_.signature;
    struct hash message = row->hash;
    struct bundle_row bundle;

    if (row->has_bundle) {
        if (!store_bundle_find(group->db, row->bundle, &bundle, err))
            return false;
        signature = bundle.signature;
        message = bundle_struct_hash(&bundle.bundle);
        buf_clear(&bundle.leaves);
    }
    return secp_recover(&signature, typed_digest(&intake->config.domain, message), key, err);
}

/* A key that was revoked while its receipt was held signs it no more. */
static bool held_standing(const struct intake *intake, struct group *group, const struct receipt_row *row, enum key_standing *standing,
                          struct err *err)
{
    const struct keyring *keys = catalog_keys(intake->gathered.snapshot->catalog);
    const struct receipt *r = &row->signed_.receipt;
    const struct delegation *by;
    struct address key;

    *standing = KEY_VALID;
    if (!keyring_has(keys, r->provider))
        return true;
    if (!key_of_held(intake, group, row, &key, err))
        return false;
    if (!address_eq(key, r->provider))
        *standing = keyring_standing(keys, r->provider, key, r->finished_at_ms, group->now_ms, &by);
    return true;
}

bool book_again(struct intake *intake, struct group *group, bool operator_released, struct receipt_row *row,
                struct verdict *verdict, struct err *err)
{
    enum receipt_code before = row->code;
    enum key_standing standing;
    bool changed;

    if (atomic_load(&intake->closed))
        return !operator_released
            || err_set(err, ERR_CONFLICT, "the contract takes no more batches: what is released now would never be paid");
    if (!held_standing(intake, group, row, &standing, err))
        return false;
    if (standing != KEY_VALID)
        return !operator_released || err_set(err, ERR_CONFLICT, "it stays held: its signature %s", key_standing_text(standing));
    if (!book_judge(intake, group, &row->signed_, row->received_at_ms, operator_released ? JUDGE_RELEASED : JUDGE_NORMAL, verdict, err))
        return false;
    if (verdict->code == CODE_ACCEPTED) {
        row->faults[0] = '\0';
        if (!book_accept(intake, group, verdict, row, err))
            return false;
        book_promise(intake, row, tree_promise_leaf(row->hash));
        if (!store_receipt_accept(group->db, row, err))
            return false;
    } else if (!operator_released) {
        changed = note_price(verdict, row) || verdict->code != before;
        row->code = verdict->code;
        book_faults_text(&verdict->faults, row->faults, sizeof row->faults);
        if (changed && !store_receipt_requeue(group->db, row, err))
            return false;
    }
    gather_let_go(intake, row, before, row->code);
    return true;
}

void book_faults_text(const struct faults *faults, char *text, size_t size)
{
    struct buf out;

    /* A JSON text cannot be cut: leave out faults from the end until it fits. */
    for (size_t count = faults->count; ; count--) {
        json *list = faults_to_json(&(struct faults){ faults->list, count });

        buf_init(&out);
        json_write(list, &out);
        json_free(list);
        if (out.len < size || count == 0)
            break;
        buf_clear(&out);
    }
    snprintf(text, size, "%s", buf_text(&out));
    buf_clear(&out);
}

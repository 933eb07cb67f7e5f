/* Corrections: both postings go into the open batch at once, against its protocol account. */
#include "gateway/intake/admit.h"

#include "gateway/base/log.h"
#include "gateway/intake/inside.h"

struct adjusting { const char *who; struct adjustment *a; adjustment_also_fn *also; void *self; };

/* An open batch that holds nothing may still have the account of an older configuration; with this it is in use. */
static bool choose_account(struct intake *intake, struct group *group, struct batch_row *open, struct err *err)
{
    struct amount up;
    uint64_t count;

    if (!store_batch_open(group->db, open, err) || !store_adjusted(group->db, open->number, &up, &count, err))
        return false;
    if (open->receipts > 0 || count > 0 || !amount_is_zero(open->amount)
        || address_eq(open->protocol_account, intake->config.protocol_account))
        return true;
    open->protocol_account = intake->config.protocol_account;
    return store_batch_set_protocol_account(group->db, open->protocol_account, err);
}

/* What corrections add on top of receipts has the same bound as these, so that one settlement may always pay both. */
static bool fits_cap(struct intake *intake, struct group *group, const struct adjustment *a, struct err *err)
{
    struct amount max = intake->gathered.batch_amount_max, up, sum;
    char text[U256_DECIMAL_MAX];
    uint64_t count;

    if (!a->up || amount_is_zero(max))
        return true;
    if (!store_adjusted(group->db, a->batch, &up, &count, err))
        return false;
    if (amount_add(up, a->amount, &sum) && amount_cmp(sum, max) <= 0)
        return true;
    u256_to_decimal(max.base_units, text);
    return err_set(err, ERR_CONFLICT, "amount: a batch's corrections upwards may not be over %s, a quarter of the contract's cap", text);
}

static bool put_adjustment(void *self, struct intake *intake, struct group *group, struct err *err)
{
    const struct adjusting *c = self;
    struct batch_row open;

    if (atomic_load(&intake->closed))
        return err_set(err, ERR_CONFLICT, "the contract takes no more batches: nobody would be paid by it");
    if (!choose_account(intake, group, &open, err))
        return false;
    if (address_eq(open.protocol_account, c->a->account))
        return err_set(err, ERR_INVALID, "account: corrections stand against the protocol account, which this is");
    c->a->id = 0;
    c->a->batch = open.number;
    c->a->counter_account = open.protocol_account;
    c->a->recorded_at_ms = group->now_ms;
    return fits_cap(intake, group, c->a, err) && store_adjustment_add(group->db, c->a, err)
        && change_record(group, c->who, "adjust", adjustment_to_json(c->a), err)
        && (c->also == NULL || c->also(c->self, group, c->a, err));
}

bool adjust_account(struct intake *intake, const char *who, struct adjustment *a, adjustment_also_fn *also, void *self, struct err *err)
{
    if (!intake_change(intake, put_adjustment, &(struct adjusting){ who, a, also, self }, 1, true, err))
        return false;
    log_event(LOG_NOTICE_LEVEL, "account_adjusted", KV_U64("id", a->id), KV_ADDRESS("account", &a->account),
              KV_TEXT("sign", a->up ? "+" : "-"), KV_AMOUNT("amount", &a->amount), KV_TEXT("who", who));
    return true;
}

/* Providers and consumers: admitted, changed and expelled by revisions. */
#include "gateway/intake/admit.h"

#include "gateway/base/log.h"
#include "gateway/core/text.h"
#include "gateway/intake/inside.h"
#include "store/catalog.h"
#include "store/market.h"

struct provider_change { const char *who; struct provider *p; bool patch; enum admit_result result; };
struct consumer_change { const char *who; struct consumer *c; bool patch; enum admit_result result; };

static bool check_account(struct address address, const char *name, struct err *err)
{
    if (address_is_zero(address))
        return err_set(err, ERR_INVALID, "address: zero is nobody");
    if (!text_is_plain(name, strlen(name), 1, ACCOUNT_NAME_MAX))
        return err_set(err, ERR_INVALID, "name: 1 to %d characters without control characters", ACCOUNT_NAME_MAX);
    return true;
}

static bool same_limit(bool has_a, struct amount a, bool has_b, struct amount b)
{
    return has_a == has_b && (!has_a || amount_cmp(a, b) == 0);
}

/* What a POST or PATCH is, given what stands: NULL is nothing admitted. */
static bool decide(bool patch, bool admitted, bool same, enum admit_result *result, struct err *err)
{
    if (patch && !admitted)
        return err_set(err, ERR_NOT_FOUND, "this address is not admitted");
    if (!patch && admitted && !same)
        return err_set(err, ERR_CONFLICT, "this address is admitted with other content");
    *result = admitted && same ? ADMIT_SAME : patch ? ADMIT_CHANGED : ADMIT_CREATED;
    return true;
}

static bool same_class(const struct provider_class *a, const struct provider_class *b)
{
    return a->has_tokens_per_second == b->has_tokens_per_second && a->tokens_per_second == b->tokens_per_second
        && a->has_parallelism == b->has_parallelism && a->parallelism == b->parallelism;
}

static json *account_detail(struct address address, const char *name, bool has_limit, const char *limit_name, struct amount limit)
{
    json *detail = json_new_object();

    json_put_address(detail, "address", address);
    json_put_text(detail, "name", name);
    if (has_limit)
        json_put_amount(detail, limit_name, limit);
    return detail;
}

static void put_class(json *detail, const struct provider_class *c)
{
    if (c->has_tokens_per_second)
        json_put_u64(detail, "maxTokensPerSecond", c->tokens_per_second);
    if (c->has_parallelism)
        json_put_u64(detail, "parallelism", c->parallelism);
}

static bool put_provider(void *self, struct intake *intake, struct group *group, struct err *err)
{
    struct provider_change *change = self;
    struct provider *p = change->p, old;
    json *detail;
    bool known, found, same;

    if (!store_provider_latest(group->db, p->address, &old, &known, err))
        return false;
    found = known && old.admitted;
    same = found && address_eq(old.payout, p->payout) && strcmp(old.name, p->name) == 0
        && same_limit(old.has_daily_limit, old.daily_limit, p->has_daily_limit, p->daily_limit)
        && same_class(&old.class_, &p->class_);
    if (!decide(change->patch, found, same, &change->result, err))
        return false;
    p->admitted = true;
    p->since_ms = change->result == ADMIT_SAME ? old.since_ms : group->now_ms;
    if (change->result == ADMIT_SAME)
        return true;
    if (!payout_agreed(&intake->config.domain, group->clock_ms, known ? &old : NULL, p, err))
        return false;
    detail = account_detail(p->address, p->name, p->has_daily_limit, "dailyLimit", p->daily_limit);
    put_class(detail, &p->class_);
    json_put_address(detail, "payout", p->payout);
    return change_record(group, change->who, change->patch ? "provider-change" : "provider-admit", detail, err)
        && store_provider_add(group->db, p, err);
}

static bool after_change(struct intake *intake, const char *event, struct address account, const char *who, struct err *err)
{
    uint64_t released;

    if (event != NULL)
        log_event(LOG_NOTICE_LEVEL, event, KV_ADDRESS("account", &account), KV_TEXT("who", who));
    /* Also when nothing changed: the run after the change itself may have been cut short. */
    return release_waiting(intake, &released, err);
}

bool admit_provider(struct intake *intake, const char *who, struct provider *p, bool patch, enum admit_result *result, struct err *err)
{
    struct provider_change change = { .who = who, .p = p, .patch = patch };

    if (!check_account(p->address, p->name, err))
        return false;
    if (address_is_zero(p->payout))
        p->payout = p->address;
    if (!intake_change(intake, put_provider, &change, 1, true, err)
        || !after_change(intake, change.result == ADMIT_SAME ? NULL : "provider_admitted", p->address, who, err))
        return false;
    *result = change.result;
    return true;
}

struct expulsion { const char *who; struct address address; };

static bool drop_provider(void *self, struct intake *intake, struct group *group, struct err *err)
{
    const struct expulsion *e = self;
    struct provider old;
    bool found;

    (void)intake;
    if (!store_provider_latest(group->db, e->address, &old, &found, err))
        return false;
    if (!found || !old.admitted)
        return err_set(err, ERR_NOT_FOUND, "this provider is not admitted");
    old.admitted = false;
    old.since_ms = group->now_ms;
    return change_record(group, e->who, "provider-expel", account_detail(e->address, old.name, false, "", AMOUNT_ZERO), err)
        && store_provider_add(group->db, &old, err)
        && store_capacity_withdraw(group->db, e->address, group->now_ms, err);
}

bool expel_provider(struct intake *intake, const char *who, struct address provider, struct err *err)
{
    if (!intake_change(intake, drop_provider, &(struct expulsion){ who, provider }, 1, true, err))
        return false;
    log_event(LOG_NOTICE_LEVEL, "provider_expelled", KV_ADDRESS("account", &provider), KV_TEXT("who", who));
    return true;
}

static bool put_consumer(void *self, struct intake *intake, struct group *group, struct err *err)
{
    struct consumer_change *change = self;
    struct consumer *c = change->c, old;
    bool found, same;

    (void)intake;
    if (!store_consumer_latest(group->db, c->address, &old, &found, err))
        return false;
    found = found && old.enrolled;
    same = found && strcmp(old.name, c->name) == 0
        && same_limit(old.has_credit_limit, old.credit_limit, c->has_credit_limit, c->credit_limit);
    if (!decide(change->patch, found, same, &change->result, err))
        return false;
    c->enrolled = true;
    c->since_ms = change->result == ADMIT_SAME ? old.since_ms : group->now_ms;
    if (change->result == ADMIT_SAME)
        return true;
    return change_record(group, change->who, change->patch ? "consumer-change" : "consumer-enroll",
                         account_detail(c->address, c->name, c->has_credit_limit, "creditLimit", c->credit_limit), err)
        && store_consumer_add(group->db, c, err);
}

/* No rule holds a receipt for its consumer, so nothing waits for this. */
bool admit_consumer(struct intake *intake, const char *who, struct consumer *c, bool patch, enum admit_result *result, struct err *err)
{
    struct consumer_change change = { .who = who, .c = c, .patch = patch };

    if (!check_account(c->address, c->name, err) || !intake_change(intake, put_consumer, &change, 1, true, err))
        return false;
    if (change.result != ADMIT_SAME)
        log_event(LOG_NOTICE_LEVEL, "consumer_enrolled", KV_ADDRESS("account", &c->address), KV_TEXT("who", who));
    *result = change.result;
    return true;
}

static bool drop_consumer(void *self, struct intake *intake, struct group *group, struct err *err)
{
    const struct expulsion *e = self;
    struct consumer old;
    bool found;

    (void)intake;
    if (!store_consumer_latest(group->db, e->address, &old, &found, err))
        return false;
    if (!found || !old.enrolled)
        return err_set(err, ERR_NOT_FOUND, "this consumer is not enrolled");
    old.enrolled = false;
    old.since_ms = group->now_ms;
    return change_record(group, e->who, "consumer-expel", account_detail(e->address, old.name, false, "", AMOUNT_ZERO), err)
        && store_consumer_add(group->db, &old, err);
}

bool expel_consumer(struct intake *intake, const char *who, struct address consumer, struct err *err)
{
    if (!intake_change(intake, drop_consumer, &(struct expulsion){ who, consumer }, 1, true, err))
        return false;
    log_event(LOG_NOTICE_LEVEL, "consumer_expelled", KV_ADDRESS("account", &consumer), KV_TEXT("who", who));
    return true;
}

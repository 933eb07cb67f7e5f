/* Whom and what receipts are judged by: providers, consumers, models, prices, the pool's terms. */
#include "tests/histories/driver.h"

#include "gateway/pool/pool.h"

/* The wallet's word, each later than the one before. */
static void say_payout(const struct party *provider, struct provider *p)
{
    const uint64_t now_ms = atomic_load(&here.world->now_ms);
    struct payout word = { p->address, p->payout, now_ms };

    if (address_is_zero(p->payout))
        word.payout = p->address;
    if (here.payout_said_ms >= now_ms)
        word.at_ms = here.payout_said_ms + 1;
    here.payout_said_ms = word.at_ms;
    p->payout_word = (struct payout_word){ .given = true, .at_ms = word.at_ms,
                                           .signature = world_sign_hash(here.world, provider, payout_struct_hash(&word)) };
}

bool do_admit(const json *in, json *out, struct err *err)
{
    struct provider p = { .address = person(in, "provider")->address, .name = "node", .has_daily_limit = true };
    enum admit_result result;

    (void)out;
    if (!json_get_amount(json_member(in, "dailyLimit"), &p.daily_limit))
        memset(&p.daily_limit, 0x7f, sizeof p.daily_limit);       /* no bound: a history may pay anything */
    if (number(in, "payout") != 0)
        p.payout = person(in, "payout")->address;
    say_payout(person(in, "provider"), &p);
    return admit_provider(here.world->intake, WHO, &p, flag(in, "patch"), &result, err);
}

/* As settling tells it, once it has asked the contract for its cap. */
bool do_cap(const json *in, json *out, struct err *err)
{
    struct amount max;

    (void)out, (void)err;
    if (!json_get_amount(json_member(in, "max"), &max))
        bug("cap: max");
    here.world->config.batch_amount_max = max;                /* a restart finds the same contract */
    intake_set_batch_amount_max(here.world->intake, max);
    return true;
}

bool do_expel(const json *in, json *out, struct err *err)
{
    (void)out;
    return expel_provider(here.world->intake, WHO, person(in, "provider")->address, err);
}

/* patch: one that is enrolled already gets another credit limit, or none. */
bool do_enroll(const json *in, json *out, struct err *err)
{
    struct consumer c = { .address = person(in, "consumer")->address, .name = "consumer" };
    enum admit_result result;

    (void)out;
    c.has_credit_limit = json_get_amount(json_member(in, "creditLimit"), &c.credit_limit);
    return admit_consumer(here.world->intake, WHO, &c, flag(in, "patch"), &result, err);
}

bool do_dismiss(const json *in, json *out, struct err *err)
{
    (void)out;
    return expel_consumer(here.world->intake, WHO, person(in, "consumer")->address, err);
}

bool do_claim(const json *in, json *out, struct err *err)
{
    const struct party *creator = person(in, "creator");
    const json *parents = json_member(in, "parents");
    struct model m = { .model = digest(in, "model"), .creator = creator->address, .name = "a model",
                       .registered_at_ms = number(in, "registeredAt") };
    enum admit_result result;

    (void)out;
    for (; parents != NULL && m.parent_count < json_count(parents); m.parent_count++) {
        const json *parent = json_at(parents, m.parent_count);

        m.parents[m.parent_count] = (struct lineage_parent){ digest(parent, "parent"), (uint16_t)number(parent, "shareBps") };
    }
    m.signature = world_sign_hash(here.world, creator, model_struct_hash(&m));
    return register_model(here.world->intake, &m, &result, err);
}

bool do_verify(const json *in, json *out, struct err *err)
{
    struct model verified;

    (void)out;
    return verify_model(here.world->intake, WHO, digest(in, "model"), person(in, "creator")->address, &verified, err);
}

bool do_price(const json *in, json *out, struct err *err)
{
    struct price_version p;

    (void)out;
    return price_from_json(json_member(in, "price"), &p, err) && add_price(here.world->intake, WHO, &p, err);
}

static bool set_pool(void *self, struct group *group, struct err *err)
{
    return pool_set(group->db, group->now_ms, self, err);
}

bool do_pool(const json *in, json *out, struct err *err)
{
    struct pool_settings s = { .epoch_ms = number(in, "epochMs"), .cap_bps = (uint16_t)number(in, "capBps") };

    (void)out;
    if (!json_get_amount(json_member(in, "budget"), &s.budget))
        bug("pool: budget");
    return writer_do(here.world->writer, set_pool, &s, err);
}

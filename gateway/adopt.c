#include "gateway/adopt.h"

#include <limits.h>

#include "gateway/open.h"
#include "store/catalog.h"
#include "store/keys.h"

struct adopting {
    struct db *from;
    struct address contract;                  /* of the predecessor */
    struct group *group;
    struct err *err;
    bool ok;
    struct adopt_report report;
};

static bool take_provider(void *self, const struct provider *p)
{
    struct adopting *a = self;
    struct provider now = *p;

    if (now.payout_word.given && address_is_zero(now.payout_word.contract))
        now.payout_word.contract = a->contract;
    now.since_ms = a->group->now_ms;
    a->ok = !p->admitted || store_provider_add(a->group->db, &now, a->err);
    a->report.providers += p->admitted;
    return a->ok;
}

static bool take_consumer(void *self, const struct consumer *c)
{
    struct adopting *a = self;
    struct consumer now = *c;

    now.since_ms = a->group->now_ms;
    a->ok = !c->enrolled || store_consumer_add(a->group->db, &now, a->err);
    a->report.consumers += c->enrolled;
    return a->ok;
}

static bool take_price(void *self, const struct price_version *p)
{
    struct adopting *a = self;
    struct price_version now = *p;

    now.recorded_at_ms = a->group->now_ms;
    a->ok = store_price_restore(a->group->db, &now, a->err);
    a->report.prices++;
    return a->ok;
}

static bool take_model(void *self, const struct model *m)
{
    struct adopting *a = self;
    struct model now = *m;

    if (address_is_zero(m->contract))
        now.contract = a->contract;
    now.verified_at_ms = m->verified_at_ms != 0 ? a->group->now_ms : 0;
    a->ok = store_model_add(a->group->db, &now, a->group->now_ms, a->err);
    a->report.models++;
    return a->ok;
}

static bool check_empty(struct db *db, struct err *err)
{
    uint64_t settings;
    bool holds;

    return store_holds_books(db, &holds, err) && store_catalog_settings(db, &settings, err)
        && ((!holds && settings == 0) || err_set(err, ERR_CONFIG, "[store] url holds something already: a catalog is adopted by an"
                                                 " empty store only"));
}

static bool take_all(void *self, struct group *group, struct err *err)
{
    struct adopting *a = self;

    a->group = group;
    a->err = err;
    a->ok = true;
    return check_empty(group->db, err)
        && store_providers(a->from, NULL, UINT_MAX, take_provider, a, err) && a->ok
        && store_consumers(a->from, NULL, UINT_MAX, take_consumer, a, err) && a->ok
        && store_prices(a->from, 0, UINT_MAX, take_price, a, err) && a->ok
        && store_models(a->from, NULL, NULL, UINT_MAX, take_model, a, err) && a->ok
        && store_audit_add(group->db, group->now_ms, "store adopt", "adopt", "{}", err);
}

bool adopt_catalog(const struct config *config, const struct config *predecessor, struct adopt_report *report, struct err *err)
{
    struct adopting a = { .contract = predecessor->chain.contract };
    struct binding binding = open_binding(config), old;
    struct writer *writer = NULL;
    bool found, ok;

    if (!address_eq(config->chain.token, predecessor->chain.token))
        return err_set(err, ERR_CONFIG, "[chain] token is not that of the predecessor: prices are in its base units, post them anew");
    ok = db_open(predecessor->store.url, DB_READ, &a.from, err) && db_begin(a.from, err)      /* one picture of it */
        && store_binding(a.from, &old, &found, err)
        && ((found && old.chain_id == predecessor->chain.chain_id && address_eq(old.contract, a.contract))
            || err_set(err, ERR_CONFIG, "the store %s is not that of its configuration's contract", predecessor->store.url))
        && writer_open_bound(config->store.url, &clock_system, &binding, &writer, err) && writer_do(writer, take_all, &a, err);
    writer_close(writer);
    db_close(a.from);
    if (ok)
        *report = a.report;
    return ok;
}

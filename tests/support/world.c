#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "store/meta.h"
#include "tests/support/folder.h"
#include "tests/support/quick_key.h"

#define WHO "test"

static void must(bool ok, const struct err *err)
{
    if (!ok)
        fail_msg("%s", err->text);
}

static uint64_t now_of_world(void *self)
{
    return atomic_load(&((struct world *)self)->now_ms);
}

struct party world_party(uint8_t number)
{
    struct party p = { .key = { { [31] = number } } };
    struct public_key public;
    struct err err = { 0 };

    must(secp_public_key(&p.key, &public, &err), &err);
    p.address = secp_address(&public);
    return p;
}

static void configure(struct world *w)
{
    w->config = (struct intake_config){
        .limits = { .max_age_ms = UINT64_C(24) * 3600 * 1000, .daily_limit = amount_from_u64(UINT64_C(1000000000000000000)),
                    .credit_days = 30 },
        .settle_within_ms = UINT64_C(72) * 3600 * 1000, .quarantine_max = 1000, .quote_max_ms = 900000,
        .protocol_account = world_party(98).address,
        .batch_receipts_max = 5000000, .verify_threads = 2,
    };
    domain_init(&w->config.domain, 31337, (struct address){ { 0xc0 } });
}

static void work_beside(struct writer *writer)
{
    if (store_place_is_beside())
        writer_work_beside(writer, BESIDE_ALWAYS);
}

static void open_store(struct world *w)
{
    struct err err = { 0 };

    must(writer_open(w->url, &w->clock, &w->writer, &err), &err);
    work_beside(w->writer);
    must(writer_start(w->writer, &err) && db_open(w->url, DB_READ, &w->db, &err) && snapshots_new(w->db, &w->snapshots, &err), &err);
}

static void close_store(struct world *w)
{
    snapshots_free(w->snapshots);
    db_close(w->db);
    writer_close(w->writer);
}

int world_setup_empty(void **state)
{
    struct world *w = mem_new(sizeof *w);
    struct party gateway;
    char path[96];
    struct err err = { 0 };

    must(secp_start(&err), &err);
    log_set_level(LOG_ERROR_LEVEL);
    atomic_init(&w->now_ms, FIXTURE_NOW);
    w->clock = (struct clock){ now_of_world, w };
    w->rng.state = 7;
    folder_make("world", w->dir, sizeof w->dir);
    snprintf(path, sizeof path, "%s/store.db", w->dir);
    store_place_new(path, w->url);
    gateway = world_party(99);
    w->signer = quick_signer(w->dir, &gateway.key);
    configure(w);
    open_store(w);
    must(intake_new(&w->config, w->writer, w->signer, &w->clock, w->snapshots, &w->intake, &err), &err);
    w->node = world_party(1);
    w->other = world_party(2);
    w->stranger = world_party(3);
    w->consumer = world_party(4);
    w->creator = world_party(5);
    w->ancestor = world_party(6);
    memset(w->model.b, 0xaa, sizeof w->model.b);
    memset(w->parent.b, 0xbb, sizeof w->parent.b);
    *state = w;
    return 0;
}

void world_restart(struct world *w)
{
    struct err err = { 0 };

    intake_free(w->intake);
    w->intake = NULL;
    must(intake_new(&w->config, w->writer, w->signer, &w->clock, w->snapshots, &w->intake, &err), &err);
}

void world_reopen(struct world *w)
{
    struct err err = { 0 };

    intake_free(w->intake);
    close_store(w);
    open_store(w);
    must(intake_new(&w->config, w->writer, w->signer, &w->clock, w->snapshots, &w->intake, &err), &err);
}

void world_join(struct world *w, struct world_gateway *g)
{
    struct err err = { 0 };

    must(writer_open(w->url, &w->clock, &g->writer, &err), &err);
    work_beside(g->writer);
    must(writer_start(g->writer, &err) && db_open(w->url, DB_READ, &g->db, &err) && snapshots_new(g->db, &g->snapshots, &err)
         && intake_new(&w->config, g->writer, w->signer, &w->clock, g->snapshots, &g->intake, &err), &err);
}

void world_leave(struct world_gateway *g)
{
    intake_free(g->intake);
    snapshots_free(g->snapshots);
    db_close(g->db);
    writer_close(g->writer);
}

void world_admit(struct world *w, const struct party *provider)
{
    struct provider p = { .address = provider->address, .name = "node" };
    enum admit_result result;
    struct err err = { 0 };

    must(admit_provider(w->intake, WHO, &p, false, &result, &err), &err);
}

struct model world_claim(struct world *w, const struct party *creator, struct hash model, struct hash parent, uint16_t share_bps)
{
    struct model m = { .model = model, .creator = creator->address, .name = "a model", .registered_at_ms = FIXTURE_NOW };
    enum admit_result result;
    struct err err = { 0 };

    if (share_bps > 0) {
        m.parent_count = 1;
        m.parents[0] = (struct lineage_parent){ parent, share_bps };
    }
    m.signature = world_sign_hash(w, creator, model_struct_hash(&m));
    must(register_model(w->intake, &m, &result, &err), &err);
    return m;
}

void world_verify(struct world *w, const struct party *creator, struct hash model)
{
    struct model verified;
    struct err err = { 0 };

    must(verify_model(w->intake, WHO, model, creator->address, &verified, &err), &err);
}

void world_price(struct world *w, const struct hash *model, uint64_t per_million_input)
{
    struct price_version p = {
        .any_model = model == NULL, .effective_from_ms = FIXTURE_NOW - 3600000,
        .split_bps = { [SPLIT_PROVIDER] = 7000, [SPLIT_CREATOR] = 2500, [SPLIT_PROTOCOL] = 500 },
    };
    struct err err = { 0 };

    if (model != NULL)
        p.model = *model;
    p.per_million[METER_INPUT] = amount_from_u64(per_million_input);
    must(add_price(w->intake, WHO, &p, &err), &err);
}

int world_setup(void **state)
{
    struct consumer c = { .name = "consumer" };
    enum admit_result result;
    struct err err = { 0 };
    struct world *w;

    world_setup_empty(state);
    w = *state;
    world_admit(w, &w->node);
    world_admit(w, &w->other);
    c.address = w->consumer.address;
    must(admit_consumer(w->intake, WHO, &c, false, &result, &err), &err);
    world_claim(w, &w->ancestor, w->parent, (struct hash){ { 0 } }, 0);
    world_verify(w, &w->ancestor, w->parent);
    world_claim(w, &w->creator, w->model, w->parent, 1000);
    world_verify(w, &w->creator, w->model);
    world_price(w, NULL, 2000000);
    return 0;
}

static void remove_dir(const char *dir)
{
    static const char *const names[] = { "key.json", "passphrase", "store.db", "store.db-wal", "store.db-shm", "store.db.lock" };
    char path[128];

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

int world_teardown(void **state)
{
    struct world *w = *state;

    intake_free(w->intake);
    close_store(w);
    signer_free(w->signer);
    store_place_gone(w->url);
    remove_dir(w->dir);
    free(w);
    secp_stop();
    return 0;
}

struct signature world_sign_hash(const struct world *w, const struct party *signer, struct hash struct_hash)
{
    struct signature sig;
    struct err err = { 0 };

    must(secp_sign(&signer->key, typed_digest(&w->config.domain, struct_hash), &sig, &err), &err);
    return sig;
}

void world_sign(const struct world *w, const struct party *provider, struct signed_receipt *r)
{
    r->has_signature = true;
    r->signature = world_sign_hash(w, provider, receipt_struct_hash(&r->receipt));
}

void world_countersign(const struct world *w, const struct party *consumer, struct signed_receipt *r)
{
    r->has_consumer_signature = true;
    r->consumer_signature = world_sign_hash(w, consumer, receipt_struct_hash(&r->receipt));
}

struct signed_receipt world_receipt(struct world *w, const struct party *provider, uint64_t tokens)
{
    uint64_t now_ms = atomic_load(&w->now_ms);
    struct signed_receipt r = { .receipt = rng_receipt(&w->rng, now_ms) };

    r.receipt.provider = provider->address;
    r.receipt.model = w->model;
    r.receipt.consumer = w->consumer.address;
    memset(r.receipt.count, 0, sizeof r.receipt.count);
    r.receipt.count[METER_INPUT] = tokens;
    r.receipt.quote = (struct hash){ { 0 } };
    r.receipt.finished_at_ms = now_ms - 1000;
    r.receipt.started_at_ms = now_ms - 2000;
    for (size_t i = 0; i < 6; i++)
        r.receipt.job_id.b[i] = (uint8_t)((now_ms - 3000) >> (40 - 8 * i));
    world_sign(w, provider, &r);
    return r;
}

void world_submission(struct submission *s, const struct signed_receipt *receipts, size_t count)
{
    *s = (struct submission){ .items = mem_array(count, sizeof *s->items), .count = count };
    for (size_t i = 0; i < count; i++) {
        s->items[i].signed_ = receipts[i];
        s->items[i].has_job_id = true;
    }
}

void world_bundle(const struct world *w, const struct party *provider, struct submission *s)
{
    struct tree_stream tree;

    tree_stream_init(&tree);
    for (size_t i = 0; i < s->count; i++) {
        s->items[i].signed_.has_signature = false;
        tree_stream_add(&tree, tree_promise_leaf(receipt_struct_hash(&s->items[i].signed_.receipt)));
    }
    s->is_bundle = true;
    s->bundle_root_given = true;
    s->bundle = (struct receipt_bundle){ provider->address, tree_stream_root(&tree), s->count };
    s->bundle_signature = world_sign_hash(w, provider, bundle_struct_hash(&s->bundle));
}

void world_post(struct world *w, struct submission *s)
{
    struct err err = { 0 };

    must(intake_submit_wait(w->intake, s, &err), &err);
    world_fold(w);
}

struct intake_item world_post_one(struct world *w, const struct signed_receipt *r)
{
    struct intake_item item;
    struct submission s;

    world_submission(&s, r, 1);
    world_post(w, &s);
    item = s.items[0];
    submission_clear(&s);
    item.faults = (struct faults){ 0 };
    return item;
}

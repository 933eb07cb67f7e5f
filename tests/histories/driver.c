/* tests/histories/driver.c - does to a real gateway what a history on stdin says, and answers each line with one.
 *
 * Commands and answers are JSON objects; people are numbers, 1 to PEOPLE, with keys of their own.  `begin` makes an empty
 * gateway, `end` removes it; many histories may follow each other.  Commands are listed in the table at the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/audit/audit.h"
#include "gateway/audit/replay.h"
#include "gateway/base/mem.h"
#include "gateway/core/receipt_json.h"
#include "gateway/pool/pool.h"
#include "gateway/settle/parts.h"
#include "tests/histories/chain.h"
#include "tests/support/folder.h"
#include "tests/support/world.h"

#define WHO "history"
#define PEOPLE 40u
#define LINE_BYTES (4u * MIB)

static struct world *world;
static struct party people[PEOPLE + 1];
static struct address token = { { 0x70 } };
static struct folder archive;
static uint64_t payout_said_ms;               /* of the last word, in this history */
static const uint8_t secret[32] = "of thirty-two bytes, for salts";

typedef bool command_fn(const json *in, json *out, struct err *err);

/* ---- what a command names ---- */

static uint64_t number(const json *in, const char *key)
{
    uint64_t v;

    return json_get_u64(json_member(in, key), &v) ? v : 0;
}

static bool flag(const json *in, const char *key)
{
    bool v;

    return json_get_bool(json_member(in, key), &v) && v;
}

static const struct party *person(const json *in, const char *key)
{
    uint64_t n = number(in, key);

    if (n == 0 || n > PEOPLE)
        bug("%s: nobody has the number %llu", key, (unsigned long long)n);
    return &people[n];
}

static const struct party *person_of(struct address address)
{
    for (size_t i = 1; i <= PEOPLE; i++)
        if (address_eq(people[i].address, address))
            return &people[i];
    bug("an address that belongs to nobody here");
}

/* ---- settings ---- */

/* The wallet's word, each later than the one before. */
static void say_payout(const struct party *provider, struct provider *p)
{
    const uint64_t now_ms = atomic_load(&world->now_ms);
    struct payout word = { p->address, p->payout, now_ms };

    if (address_is_zero(p->payout))
        word.payout = p->address;
    if (payout_said_ms >= now_ms)
        word.at_ms = payout_said_ms + 1;
    payout_said_ms = word.at_ms;
    p->payout_word = (struct payout_word){ .given = true, .at_ms = word.at_ms,
                                           .signature = world_sign_hash(world, provider, payout_struct_hash(&word)) };
}

static bool do_admit(const json *in, json *out, struct err *err)
{
    struct provider p = { .address = person(in, "provider")->address, .name = "node", .has_daily_limit = true };
    enum admit_result result;

    (void)out;
    memset(&p.daily_limit, 0x7f, sizeof p.daily_limit);       /* no bound: a history may pay anything */
    if (number(in, "payout") != 0)
        p.payout = person(in, "payout")->address;
    say_payout(person(in, "provider"), &p);
    return admit_provider(world->intake, WHO, &p, flag(in, "patch"), &result, err);
}

static bool do_expel(const json *in, json *out, struct err *err)
{
    (void)out;
    return expel_provider(world->intake, WHO, person(in, "provider")->address, err);
}

static bool do_enroll(const json *in, json *out, struct err *err)
{
    struct consumer c = { .address = person(in, "consumer")->address, .name = "consumer" };
    enum admit_result result;

    (void)out;
    return admit_consumer(world->intake, WHO, &c, false, &result, err);
}

static bool do_dismiss(const json *in, json *out, struct err *err)
{
    (void)out;
    return expel_consumer(world->intake, WHO, person(in, "consumer")->address, err);
}

static bool do_claim(const json *in, json *out, struct err *err)
{
    const struct party *creator = person(in, "creator");
    const json *parents = json_member(in, "parents");
    struct model m = { .creator = creator->address, .name = "a model", .registered_at_ms = number(in, "registeredAt") };
    enum admit_result result;

    (void)out;
    if (!json_get_hash(json_member(in, "model"), &m.model))
        bug("claim: model");
    for (m.parent_count = 0; parents != NULL && m.parent_count < json_count(parents); m.parent_count++) {
        struct lineage_parent *p = &m.parents[m.parent_count];

        if (!json_get_hash(json_member(json_at(parents, m.parent_count), "parent"), &p->model))
            bug("claim: parent");
        p->share_bps = (uint16_t)number(json_at(parents, m.parent_count), "shareBps");
    }
    m.signature = world_sign_hash(world, creator, model_struct_hash(&m));
    return register_model(world->intake, &m, &result, err);
}

static bool do_verify(const json *in, json *out, struct err *err)
{
    struct model verified;
    struct hash model;

    (void)out;
    if (!json_get_hash(json_member(in, "model"), &model))
        bug("verify: model");
    return verify_model(world->intake, WHO, model, person(in, "creator")->address, &verified, err);
}

static bool do_price(const json *in, json *out, struct err *err)
{
    struct price_version p;

    if (!price_from_json(json_member(in, "price"), &p, err) || !add_price(world->intake, WHO, &p, err))
        return false;
    json_put_u64(out, "version", p.version);
    return true;
}

static bool set_pool(void *self, struct group *group, struct err *err)
{
    return pool_set(group->db, group->now_ms, self, err);
}

static bool do_pool(const json *in, json *out, struct err *err)
{
    struct pool_settings s = { .epoch_ms = number(in, "epochMs"), .cap_bps = (uint16_t)number(in, "capBps") };

    (void)out;
    if (!json_get_amount(json_member(in, "budget"), &s.budget))
        bug("pool: budget");
    return writer_do(world->writer, set_pool, &s, err);
}

/* ---- receipts ---- */

static json *item_to_json(const struct intake_item *item)
{
    json *out = json_new_object();

    json_put_text(out, "status", item_status_name(item->status));
    json_put_text(out, "code", receipt_codes[item->code].name);
    if (item->status == ITEM_DUPLICATE)
        json_put_text(out, "state", receipt_state_name(item->existing_state));
    if (item->status == ITEM_ACCEPTED)
        json_put_amount(out, "amount", item->amount);
    return out;
}

static void read_receipt(const json *in, bool bundled, struct signed_receipt *r)
{
    struct faults faults = { 0 };
    bool has_job_id;

    receipt_from_json(json_member(in, "receipt"), RECEIPT_UNSIGNED, r, &has_job_id, &faults);
    if (faults.count > 0 || !has_job_id)
        bug("a receipt of no form: %s", faults.count > 0 ? faults.list[0].detail : "jobId");
    if (!bundled)
        world_sign(world, person_of(r->receipt.provider), r);
    if (flag(in, "countersigned"))
        world_countersign(world, person_of(r->receipt.consumer), r);
}

static bool do_post(const json *in, json *out, struct err *err)
{
    const json *list = json_member(in, "receipts");
    size_t count = json_count(list);
    struct signed_receipt *receipts = mem_array(count, sizeof *receipts);
    json *items = json_new_array();
    struct submission s;
    bool ok;

    for (size_t i = 0; i < count; i++)
        read_receipt(json_at(list, i), flag(in, "bundle"), &receipts[i]);
    world_submission(&s, receipts, count);
    if (flag(in, "bundle"))
        world_bundle(world, person_of(receipts[0].receipt.provider), &s);
    ok = intake_submit_wait(world->intake, &s, err);
    for (size_t i = 0; ok && i < count; i++)
        json_add(items, item_to_json(&s.items[i]));
    json_put(out, "items", items);
    submission_clear(&s);
    free(receipts);
    return ok;
}

static bool decide(const json *in, bool release, struct err *err)
{
    struct address provider = person(in, "provider")->address;
    struct job_id job;

    if (!json_get_job_id(json_member(in, "jobId"), &job))
        bug("jobId");
    return release ? release_receipt(world->intake, WHO, job, provider, "history", err)
        : refuse_receipt(world->intake, WHO, job, provider, "history", err);
}

static bool do_release(const json *in, json *out, struct err *err)
{
    (void)out;
    return decide(in, true, err);
}

static bool do_refuse(const json *in, json *out, struct err *err)
{
    (void)out;
    return decide(in, false, err);
}

/* ---- time, and settling ---- */

static bool do_clock(const json *in, json *out, struct err *err)
{
    (void)out, (void)err;
    atomic_store(&world->now_ms, number(in, "now"));
    return true;
}

static bool do_restart(const json *in, json *out, struct err *err)
{
    (void)in, (void)out, (void)err;
    world_restart(world);
    return true;
}

struct move { struct settlement_row row; bool cancel; };

/* Paid to the end, or cancelled and carried. */
static bool move_on(void *self, struct group *group, struct err *err)
{
    static const enum batch_state stages[] = { BATCH_PREPARED, BATCH_COMMITTED, BATCH_ACTIVE, BATCH_DISTRIBUTED, BATCH_FINAL };
    struct move *m = self;
    bool ok = store_settlement_committed(group->db, &m->row, err);

    for (size_t i = 0; ok && i + 1 < (m->cancel ? 2 : ARRAY_LEN(stages)); i++)
        ok = store_batch_move(group->db, m->row.batch, stages[i], stages[i + 1], err);
    if (!m->cancel)
        return ok;
    return ok && store_batch_move(group->db, m->row.batch, BATCH_COMMITTED, BATCH_CANCELLED, err)
        && store_batch_carry(group->db, m->row.sequence, err);
}

static struct settle settle_here(void)
{
    const struct intake_config *c = &world->config;

    return (struct settle){
        .config = { .chain_id = 31337, .contract = c->domain.contract, .token = token, .protocol_account = c->protocol_account,
                    .archive_dir = archive.path, .secret = secret },
        .db = world->db, .writer = world->writer, .clock = &world->clock,
    };
}

/* Closes the open batch, or takes the one that was carried; prepares and commits it.  cancel: and the guardian cancels it. */
static bool do_settle(const json *in, json *out, struct err *err)
{
    struct settle settle = settle_here();
    struct move m = { .cancel = flag(in, "cancel") };
    struct batch_row batch;
    bool closed, found, moved = false;

    if (!settle_close(&settle, &closed, err) || !store_batch_unfinished(world->db, &batch, &found, err))
        return false;
    json_put_bool(out, "nothing", !found);
    if (!found)
        return true;
    if (!prepare_batch(&settle, &batch, &moved, err) || !store_settlement_last(world->db, &m.row, &found, err))
        return false;
    chain_commit(&m.row, atomic_load(&world->now_ms) / 1000);
    if (m.cancel)
        chain_cancel_last();
    json_put_u64(out, "sequence", m.row.sequence);
    json_put_u64(out, "receipts", m.row.content.receipts);
    json_put_amount(out, "total", m.row.content.total);
    json_put_hash(out, "rewardsRoot", m.row.content.rewards_root);
    json_put_hash(out, "receiptsRoot", m.row.content.receipts_root);
    return writer_do(world->writer, move_on, &m, err);
}

/* ---- what stands in the books ---- */

static bool add_posting(void *self, const struct posting *p, struct err *err)
{
    json *row = json_new_object();

    (void)err;
    json_put_u64(row, "batch", p->batch);
    json_put_address(row, "account", p->share.account);
    json_put_text(row, "role", role_name(p->share.role));
    json_put_hash(row, "model", p->share.model);
    json_put_amount(row, "amount", p->share.amount);
    json_add(self, row);
    return true;
}

static bool do_books(const json *in, json *out, struct err *err)
{
    json *postings = json_new_array();
    struct batch_row batch;
    uint64_t last;

    (void)in;
    json_put(out, "postings", postings);
    if (!store_batch_open(world->db, &batch, err))
        return false;
    last = batch.number;
    for (uint64_t i = 1; i <= last; i++)
        if (!store_postings_of_batch(world->db, i, add_posting, postings, err))
            return false;
    return true;
}

/* The published files against the headers, by the code that strangers run. */
static bool do_audit(const json *in, json *out, struct err *err)
{
    struct audit_config config = { 0 };
    struct audit_report report = { 0 };
    struct chain_view view = *chain_now();
    struct source *source;
    struct replay replay;
    json *leaves = json_new_array();
    bool ok;

    (void)in;
    json_put(out, "leaves", leaves);
    if (!source_open(archive.path, &source, err))
        return false;
    replay_init(&replay, &view);
    ok = audit_files(&config, &view, source, &replay, &report, err);
    for (size_t i = 0; ok && i < replay.leaves.count; i++) {
        json *row = json_new_object();

        json_put_address(row, "account", replay.leaves.list[i].account);
        json_put_amount(row, "claimable", replay.leaves.list[i].amount);
        json_add(leaves, row);
    }
    replay_clear(&replay);
    source_free(source);
    return ok;
}

/* ---- histories ---- */

static bool do_begin(const json *in, json *out, struct err *err)
{
    json *list = json_new_array();
    void *state;

    (void)in;
    (void)err;
    if (world_setup_empty(&state) != 0)
        bug("no gateway");
    world = state;
    archive = folder_new();
    payout_said_ms = 0;
    chain_begin(31337, world->config.domain.contract, token);
    for (size_t i = 1; i <= PEOPLE; i++) {
        people[i] = world_party((uint8_t)i);
        json_add(list, json_new_address(people[i].address));
    }
    json_put(out, "people", list);
    json_put_address(out, "protocol", world->config.protocol_account);
    json_put_address(out, "token", token);
    json_put_u64(out, "now", atomic_load(&world->now_ms));
    json_put_text(out, "archive", archive.path);
    return true;
}

static bool do_end(const json *in, json *out, struct err *err)
{
    void *state = world;

    (void)in, (void)out, (void)err;
    chain_end();
    folder_free(&archive);
    world = NULL;
    return world_teardown(&state) == 0;
}

static const struct { const char *name; command_fn *run; } commands[] = {
    { "begin", do_begin }, { "end", do_end }, { "clock", do_clock }, { "restart", do_restart },
    { "admit", do_admit }, { "expel", do_expel }, { "enroll", do_enroll }, { "dismiss", do_dismiss },
    { "claim", do_claim }, { "verify", do_verify }, { "price", do_price }, { "pool", do_pool },
    { "post", do_post }, { "release", do_release }, { "refuse", do_refuse },
    { "settle", do_settle }, { "books", do_books }, { "audit", do_audit },
};

static bool obey(const json *in, json *out, struct err *err)
{
    const char *name;
    size_t len;

    if (!json_get_text(json_member(in, "do"), &name, &len))
        bug("a line without a command");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(in, out, err);
    bug("nobody knows how to %s", name);
}

static void answer(const char *line, size_t len)
{
    struct err err = { 0 };
    struct buf text;
    json *in, *out = json_new_object();

    buf_init(&text);
    if (!json_read(line, len, &in, &err))
        bug("a line that is no JSON: %s", err.text);
    if (!obey(in, out, &err))
        json_put_text(out, "error", err.text);
    json_write(out, &text);
    printf("%s\n", buf_text(&text));
    fflush(stdout);
    json_free(in);
    json_free(out);
    buf_clear(&text);
}

int main(void)
{
    char *line = mem_array(LINE_BYTES, 1);

    while (fgets(line, LINE_BYTES, stdin) != NULL)
        answer(line, strlen(line));
    free(line);
    return 0;
}

/* tests/histories/driver.c - does to a real gateway what a history on stdin says, and answers each line with one.
 *
 * Commands and answers are JSON objects; people are numbers, 1 to PEOPLE, with keys of their own.  `begin` makes an empty
 * gateway, `end` removes it; many histories may follow each other.  Commands are listed in the table at the end. */
#include "tests/histories/driver.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "tests/histories/chain.h"

#define LINE_BYTES (4u * MIB)

struct driven here = { .token = { { 0x70 } } };

/* ---- what a command names ---- */

uint64_t number(const json *in, const char *key)
{
    uint64_t v;

    return json_get_u64(json_member(in, key), &v) ? v : 0;
}

bool flag(const json *in, const char *key)
{
    bool v;

    return json_get_bool(json_member(in, key), &v) && v;
}

struct hash digest(const json *in, const char *key)
{
    struct hash v;

    if (!json_get_hash(json_member(in, key), &v))
        bug("%s: 32 bytes", key);
    return v;
}

const struct party *person(const json *in, const char *key)
{
    uint64_t n = number(in, key);

    if (n == 0 || n > PEOPLE)
        bug("%s: nobody has the number %llu", key, (unsigned long long)n);
    return &here.people[n];
}

const struct party *person_of(struct address address)
{
    for (size_t i = 1; i <= PEOPLE; i++)
        if (address_eq(here.people[i].address, address))
            return &here.people[i];
    bug("an address that belongs to nobody here");
}

/* ---- histories ---- */

static bool do_clock(const json *in, json *out, struct err *err)
{
    (void)out, (void)err;
    atomic_store(&here.world->now_ms, number(in, "now"));
    return true;
}

/* whole: the store is opened anew too, as by a process that begins. */
static bool do_restart(const json *in, json *out, struct err *err)
{
    (void)out, (void)err;
    if (flag(in, "whole"))
        world_reopen(here.world);
    else
        world_restart(here.world);
    return true;
}

static bool do_begin(const json *in, json *out, struct err *err)
{
    json *list = json_new_array();
    void *state;

    (void)err;
    if (world_setup_empty(&state) != 0)
        bug("no gateway");
    here.world = state;
    here.archive = folder_new();
    here.payout_said_ms = 0;
    here.world->config.limits.credit_days = number(in, "creditDays");
    here.world->config.quote_max_ms = number(in, "quoteMax");
    here.world->config.limits.require_countersignature = flag(in, "mustSign");
    world_restart(here.world);
    chain_begin(31337, here.world->config.domain.contract, here.token);
    for (size_t i = 1; i <= PEOPLE; i++) {
        here.people[i] = world_party((uint8_t)i);
        json_add(list, json_new_address(here.people[i].address));
    }
    json_put(out, "people", list);
    json_put_address(out, "protocol", here.world->config.protocol_account);
    json_put_address(out, "token", here.token);
    json_put_u64(out, "now", atomic_load(&here.world->now_ms));
    json_put_text(out, "archive", here.archive.path);
    return true;
}

static bool do_end(const json *in, json *out, struct err *err)
{
    void *state = here.world;

    (void)in, (void)out, (void)err;
    chain_end();
    folder_free(&here.archive);
    here.world = NULL;
    return world_teardown(&state) == 0;
}

static const struct { const char *name; command_fn *run; } commands[] = {
    { "begin", do_begin }, { "end", do_end }, { "clock", do_clock }, { "restart", do_restart },
    { "admit", do_admit }, { "cap", do_cap }, { "expel", do_expel }, { "enroll", do_enroll }, { "dismiss", do_dismiss },
    { "claim", do_claim }, { "verify", do_verify }, { "price", do_price }, { "pool", do_pool },
    { "capacity", do_capacity }, { "quote", do_quote },
    { "post", do_post }, { "release", do_release }, { "refuse", do_refuse },
    { "adjust", do_adjust }, { "settle", do_settle }, { "books", do_books }, { "audit", do_audit }, { "rebuild", do_rebuild },
    { "plant", do_plant }, { "mutations", do_mutations },
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

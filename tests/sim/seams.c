/* What the gateway is linked to here instead of the machine: time, log lines and keys.  (The network is http.c, the disk
 * disk.c.) */
#include "chain/signer_driver.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/lib/secp.h"
#include "tests/sim/seams.h"

/* -- base/clock.h: what sleeps in the gateway lets the simulated time pass (linked with --wrap) -- */

void __wrap_clock_sleep_ms(uint64_t ms);
uint64_t __wrap_clock_monotonic_ms(void);

void __wrap_clock_sleep_ms(uint64_t ms)
{
    if (!sim_here->crashed)
        sim_advance(sim_here, ms);
}

uint64_t __wrap_clock_monotonic_ms(void)
{
    return sim_here != NULL ? sim_here->now_ms : 0;     /* before the first life */
}

/* -- base/log.h: lines go to the trace, and are counted -- */

struct told told[TOLD_MOST];

void log_set_level(enum log_level least)
{
    (void)least;
}

static void count_event(const char *event)
{
    size_t i = 0;

    while (i < TOLD_MOST - 1 && told[i].count > 0 && strcmp(told[i].event, event) != 0)
        i++;
    if (told[i].count == 0)
        snprintf(told[i].event, sizeof told[i].event, "%s", event);
    told[i].count++;
}

void log_write(enum log_level level, const char *event, const struct kv *pairs)
{
    char line[400];
    int len = snprintf(line, sizeof line, "log: %s", event);

    (void)level;
    count_event(event);
    for (; pairs != NULL && pairs->type != KV_TYPE_END && len < (int)sizeof line; pairs++)
        if (pairs->type == KV_TYPE_U64)
            len += snprintf(line + len, sizeof line - (size_t)len, " %s=%llu", pairs->key,
                            (unsigned long long)pairs->v.u64);
        else if (pairs->type == KV_TYPE_TEXT)
            len += snprintf(line + len, sizeof line - (size_t)len, " %s=\"%s\"", pairs->key, pairs->v.text);
    if (sim_here != NULL)
        sim_say(sim_here, "%s", line);
}

/* -- chain/signer_driver.h: keys without a file; "keystore:N" is key N -- */

static bool key_open(const char *rest, const char *passphrase_file, void **self, struct address *address, struct err *err)
{
    struct secret_key *key = mem_new(sizeof *key);
    struct public_key pub;

    (void)passphrase_file;
    memset(key->b, rest[0], sizeof key->b);
    if (!secp_public_key(key, &pub, err))
        return false;
    *address = secp_address(&pub);
    *self = key;
    return true;
}

static bool key_sign_tx(const void *self, const struct tx *tx, struct signature *sig, struct err *err)
{
    return secp_sign(self, tx_digest(tx), sig, err);
}

static bool key_sign_digest(const void *self, struct hash digest, struct signature *sig, struct err *err)
{
    return secp_sign(self, digest, sig, err);
}

const struct signer_driver signer_keystore = {
    .prefix = "keystore:", .open = key_open, .sign_tx = key_sign_tx, .sign_digest = key_sign_digest, .free = free,
};

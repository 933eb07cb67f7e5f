/* api/api.h - the HTTP service: what it needs and how it is started and stopped (design 3 and 4).
 *
 * Handlers decode, make one call below, and encode.  Reads use read-only connections, one a thread at a time; receipts
 * are posted asynchronously (the connection is suspended until its group is durable). */
#ifndef QUITTANCE_API_API_H
#define QUITTANCE_API_API_H

#include "gateway/intake/admit.h"
#include "gateway/settle/runner.h"
#include "gateway/watchdog/watchdog.h"


struct signer;
struct api_config {
    const char *listen, *admin_listen;        /* HOST:PORT, port 0 allowed; [::1]:PORT */
    const char *admin_hosts;                  /* more names that Host may have there, comma-separated; may be empty */
    const char *store_url, *archive_dir;
    const char *explorer;                     /* may be empty */
    struct domain domain;
    struct address token, protocol_account, signer;
    const uint8_t *secret;                    /* 32 bytes */
    const struct signer *promise;             /* signs statements too; NULL: none is signed */
    bool parties_only;                        /* [archive] disclosure = parties (access.h) */
    uint64_t max_age_ms, quote_max_s, credit_days;        /* days: see rule_limits */
    unsigned threads;
    struct watchdog *watchdog;                /* what /readyz and /metrics tell; NULL: nothing is past a limit */
    const char *wallets;                      /* who may sign in with one (wallets.h); may be empty */
    uint64_t settle_within_ms;                /* what a promise says, from acceptance on */
    const char *trusted_proxies;              /* addresses and prefixes, comma-separated; may be empty */
    unsigned connections_max, per_address;    /* of the public listener; of one sender, on each */
    uint64_t request_ms, answer_ms, idle_ms;  /* connections.h */
};

struct api;
/* What answers for one contract.  Borrows all.  runner may be NULL: no chain configured yet. */
struct api *api_new(const struct api_config *config, struct writer *writer, struct intake *intake,
                    struct snapshots *snapshots, struct runner *runner, const struct clock *clock);
/* Listens as api's configuration says.  predecessor: of the contract before, whose listeners do not count; NULL: there is
 * none.  `?contract=` asks one of them, without it api is asked.  Stop api before its predecessor. */
MUST_USE bool api_serve(struct api *api, struct api *predecessor, struct err *err);
/* The token's own words; /v1/info leaves them out until then.  Once; thread-safe. */
void api_set_token(struct api *api, const char *symbol, uint8_t decimals);
/* Whether the contract takes no batches any more, as the chain says.  Thread-safe. */
void api_set_retired(struct api *api, bool retired);
/* The real addresses, "127.0.0.1:8080". */
void api_addresses(const struct api *api, char listen[64], char admin_listen[64]);
void api_drain(struct api *api);              /* readyz says 503, new receipts are refused, running ones finish */
void api_stop(struct api *api);               /* and frees it; NULL is fine */

#endif

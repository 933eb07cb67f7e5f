/* api/api.h - the HTTP service: what it needs and how it is started and stopped (design 3 and 4).
 *
 * Handlers decode, make one call below, and encode.  Reads use read-only connections, one a thread at a time; receipts
 * are posted asynchronously (the connection is suspended until its group is durable). */
#ifndef QUITTANCE_API_API_H
#define QUITTANCE_API_API_H

#include "gateway/intake/admit.h"
#include "gateway/settle/runner.h"


struct api_config {
    const char *listen, *admin_listen;        /* HOST:PORT, port 0 allowed; [::1]:PORT */
    const char *admin_hosts;                  /* more names that Host may have there, comma-separated; may be empty */
    const char *store_url, *archive_dir;
    const char *explorer;                     /* may be empty */
    struct domain domain;
    struct address token, protocol_account, signer;
    const uint8_t *secret;                    /* 32 bytes */
    bool parties_only;                        /* [archive] disclosure = parties (access.h) */
    uint64_t max_age_ms;
    unsigned threads;
};

struct api;
/* Borrows all.  runner may be NULL: no chain configured yet. */
MUST_USE bool api_start(const struct api_config *config, struct writer *writer, struct intake *intake,
                        struct snapshots *snapshots, struct runner *runner, const struct clock *clock,
                        struct api **api, struct err *err);
/* The token's own words; /v1/info leaves them out until then.  Once; thread-safe. */
void api_set_token(struct api *api, const char *symbol, uint8_t decimals);
/* The real addresses, "127.0.0.1:8080". */
void api_addresses(const struct api *api, char listen[64], char admin_listen[64]);
void api_drain(struct api *api);              /* readyz says 503, new receipts are refused, running ones finish */
void api_stop(struct api *api);

#endif

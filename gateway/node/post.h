/* gateway/node/post.h - receipts posted so that none is lost: an answer for each, or the same again.
 *
 *   lines ─feed─▶ spool ─▶ senders, a thread and a connection each ─▶ released, kept for a proof, refused, or sent again
 *
 * A receipt is let go of when the gateway's answer accounts for it: accepted or duplicate with a promise, quarantined, or
 * rejected for good (then it is written down, refused.h).  With until_proof only when GET /v1/receipts/{jobId} shows a
 * settlement that holds it, by a Merkle proof that is checked.  No connection, a lost answer, 429, 503 and `too-many` are
 * tried again with the same receipts: Retry-After is kept by all connections, else pauses grow to 8 s, spread at random. */
#ifndef QUITTANCE_NODE_POST_H
#define QUITTANCE_NODE_POST_H

#include <stdatomic.h>

#include "gateway/node/group.h"

#define POST_CONNECTIONS_MAX 64
#define POST_PER_REQUEST_MAX 10000            /* what a gateway takes (design 3) */

struct post_config {
    const char *url;                          /* http://HOST:PORT, without a slash at its end */
    enum group_form form;
    size_t per_request;
    unsigned connections;
    uint64_t rate;                            /* receipts a second over all connections; 0: no bound */
    uint64_t flush_ms;                        /* so long receipts wait for others to fill a request */
    const char *spool_dir;                    /* NULL: in memory */
    uint64_t spool_max;                       /* bytes; then nothing more is read */
    bool until_proof, acks, quiet;            /* acks: {"ack":jobId} on stdout once it is durable */
    const struct signer *signer;              /* of bundles; and to read receipts that only parties may; else NULL */
    struct address provider;                  /* whose receipts a bundle holds: the signer's address, or one that lent its key */
    uint64_t give_up_ms;                      /* without any success for so long: ERR_AGAIN; with a spool only after the last line */
    const atomic_bool *interrupted;           /* ends early, keeping what is not answered */
};
/* Reads lines from fd to their end, prints a summary as JSON on stdout whatever happens.  ERR_AGAIN: some are not answered, ERR_INVALID: a
 * line was no receipt, ERR_CONFIG: the gateway or the spool is not what the configuration says, ERR_IO. */
MUST_USE bool post_lines(const struct post_config *config, int fd, struct err *err);

#endif

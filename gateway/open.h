/* gateway/open.h - what a configuration names, opened: keys, secret, domain, chain. */
#ifndef QUITTANCE_OPEN_H
#define QUITTANCE_OPEN_H

#include "chain/settlement.h"
#include "chain/signer.h"
#include "gateway/args.h"
#include "gateway/config.h"
#include "gateway/settle/settle.h"
#include "gateway/watchdog/facts.h"
#include "store/binding.h"

/* [signer] key; asks the chain for nothing.  Unlocking takes about a second of work by design (scrypt). */
MUST_USE bool open_signer(const struct config *config, struct signer **signer, struct err *err);
/* The key that --key and --passphrase-file name; what is not given is that of the configuration. */
MUST_USE bool open_signer_of(const struct config *config, const struct args *args, struct signer **signer, struct err *err);
/* The same, unlocked by a thread meanwhile (signer_open_later); open_wait tells how that went. */
MUST_USE bool open_signer_later(const struct config *config, struct signer **signer, struct err *err);
/* [signer] promise_key, unlocked meanwhile, or the signer's own key: then *promise is the signer itself.  ERR_CONFIG for a remote one. */
MUST_USE bool open_promise_signer(const struct config *config, struct signer *signer, struct signer **promise, struct err *err);
/* Until both keys can sign. */
MUST_USE bool open_wait(const struct signer *signer, const struct signer *promise, struct err *err);
/* The 32 bytes of [signer] secret_file, in secret_new memory; secret_free. */
MUST_USE bool open_secret(const struct config *config, uint8_t **secret, struct err *err);
/* Connects and checks the chain id: ERR_CONFIG when every endpoint is of another chain. */
MUST_USE bool open_rpc(const struct config *config, struct rpc **rpc, struct err *err);
/* What settle needs, from the configuration; borrows its strings and the secret. */
void open_settle_config(const struct config *config, const uint8_t *secret, struct address signer, struct settle_config *out);
/* [watchdog], and what the chain is asked for it. */
struct watchdog_limits open_watchdog_limits(const struct config *config);
struct chain_question open_chain_question(const struct config *config, struct address signer);
/* [settle] protocol_account, else the signer's address. */
struct address open_protocol_account(const struct config *config, struct address signer);
/* What [popularity] says from now on; recorded where it changed. */
MUST_USE bool open_pool(const struct config *config, struct writer *writer, struct err *err);
/* The chain and contract that the store must belong to. */
struct binding open_binding(const struct config *config);
/* Prints one JSON value and a newline to stdout, frees it. */
void print_json(json *owned);

#endif

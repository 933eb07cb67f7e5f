/* gateway/config.h - every setting, from one table (design 7): INI file, environment over it, defaults under it.
 *
 * -c FILE, else $QUITTANCE_CONFIG, else ./quittance.conf.  Unknown keys are errors with their line.  Relative paths are
 * relative to the file.  QUITTANCE_SECTION_KEY in the environment wins over the file.  Durations are seconds, or a
 * number with s, m, h or d.  To add a setting: a field here and a row in config.c. */
#ifndef QUITTANCE_CONFIG_H
#define QUITTANCE_CONFIG_H

#include "gateway/base/amount.h"
#include "gateway/lib/json.h"

struct config {
    char *path;                                        /* of the file */
    struct { char *listen, *admin_listen, *admin_hosts, *admin_key_file, *trusted_proxies, *explorer, *wallets;
             uint64_t max_connections, max_per_address, request_timeout_s, answer_timeout_s, idle_timeout_s; } api;
    struct { char *url; } store;
    struct {
        char *rpc, *rpc_auth, *ca_file;                  /* URLs; files with their secrets and authorities */
        uint64_t chain_id, confirmations, deploy_block;  /* confirmations 0: by the chain (see config_confirmations) */
        struct address contract, token;                /* zero: not deployed yet */
        char *predecessor;                             /* configuration of the contract before; empty: none (succession.h) */
    } chain;
    struct { char *key, *promise_key, *passphrase_file, *token_file, *secret_file; } signer;
    /* gwei of the chain's coin: a gas, one settlement, a UTC day.  By default one coin and ten: what a person would want to
     * be asked about, and far above what a few thousand payments cost. */
    struct {
        struct amount distribute_minimum;
        uint64_t max_fee_gwei, max_run_cost_gwei, max_day_cost_gwei;
        struct address protocol_account;
    } settle;
    struct {
        uint64_t max_age_s, quarantine_max, settle_within_s, rate_limit, rate_burst, quote_max_s;
        struct amount daily_limit;
        bool require_countersignature;
        uint64_t keep_settled_s;                       /* in the store; 0: for ever */
    } receipts;
    struct {                                           /* 0: no such rule (core/plausible.h) */
        uint64_t max_tokens_per_second, parallelism, max_jump, max_skew_s, max_duration_s;
        bool unique_evidence;
    } plausibility;
    struct { uint64_t epoch_s, cap_bps; struct amount budget; } popularity;      /* budget 0: off */
    struct { uint64_t period_s; } consumers;           /* of credit limits: whole days */
    struct { char *dir, *disclosure; } archive;
    struct {
        uint64_t interval_s, unsettled_max_s, stuck_max_s, held_max;         /* unsettled_max 0: half of settle_within */
        uint64_t gas_runs_warn, gas_runs_fail, funds_days_warn, funds_days_fail;
        char *alarm;                                   /* a program; empty: none */
    } watchdog;
    struct {
        struct address owner, operator_, guardian, funder;   /* zero: the signer, on test chains; funder zero: prefunded */
        struct amount cap;
        uint64_t cap_window_s, activation_delay_s, role_delay_s, pause_duration_s;
    } contract;
};

/* path NULL: as described above.  ERR_CONFIG names file, line, key and rule. */
MUST_USE bool config_load(const char *path, struct config *config, struct err *err);
/* Of the file alone: the environment is about one gateway, this is another. */
MUST_USE bool config_load_file(const char *path, struct config *config, struct err *err);
void config_clear(struct config *config);
/* {section:{key:value}} with the values in force.  Files hold the secrets, but for what providers put into the path of an RPC
 * URL: that is left out. */
json *config_to_json(const struct config *config);
/* Sets keys in the file in place, keeping everything else (deploy writes its results).  section/key/value triples. */
struct config_change { const char *section, *key, *value; };
MUST_USE bool config_write(const char *path, const struct config_change *changes, size_t count, struct err *err);
bool config_parties_only(const struct config *config);         /* [archive] disclosure = parties */
bool config_is_test_chain(const struct config *config);       /* chain ids 31337 and 1337 */
uint64_t config_confirmations(const struct config *config);   /* 1 on test chains where not set */
/* ERR_CONFIG unless the contract is known: "run quittance deploy". */
MUST_USE bool config_need_contract(const struct config *config, struct err *err);

#endif

/* gateway/config.c - the table of settings, and how a file and the environment fill it. */
#include "gateway/config.h"
#include "gateway/config_check.h"
#include "gateway/config_value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/listen.h"
#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/file.h"
#include "gateway/lib/ini.h"

enum setting_type { SETTING_TEXT, SETTING_PATH, SETTING_PREFIXED_PATH, SETTING_COUNT, SETTING_SECONDS, SETTING_BOOL, SETTING_AMOUNT, SETTING_ADDRESS,
                    SETTING_URLS, SETTING_LISTEN };

struct setting {
    const char *section, *key;
    enum setting_type type;
    size_t field;
    const char *initial;           /* NULL: empty, zero */
};

#define VARIABLE_PREFIX "QUITTANCE_"
#define VARIABLE_MAX 80
#define AT(member) offsetof(struct config, member)
static const struct setting settings[] = {
    /* section   key                        type                   field                                 default */
    { "api",      "listen",                   SETTING_LISTEN,        AT(api.listen),                       "127.0.0.1:8080" },
    { "api",      "admin_listen",             SETTING_LISTEN,        AT(api.admin_listen),                 "127.0.0.1:8081" },
    { "api",      "admin_hosts",              SETTING_TEXT,          AT(api.admin_hosts),                  NULL },
    { "api",      "admin_key_file",           SETTING_PATH,          AT(api.admin_key_file),               "admin.key" },
    { "api",      "trusted_proxies",          SETTING_TEXT,          AT(api.trusted_proxies),              NULL },
    { "api",      "explorer",                 SETTING_TEXT,          AT(api.explorer),                     NULL },
    { "api",      "wallets",                  SETTING_TEXT,          AT(api.wallets),                      NULL },
    { "api",      "max_connections",          SETTING_COUNT,         AT(api.max_connections),              "10240" },
    { "api",      "max_per_address",          SETTING_COUNT,         AT(api.max_per_address),              "1024" },
    { "api",      "request_timeout",          SETTING_SECONDS,       AT(api.request_timeout_s),            "30s" },
    { "api",      "answer_timeout",           SETTING_SECONDS,       AT(api.answer_timeout_s),             "60s" },
    { "api",      "idle_timeout",             SETTING_SECONDS,       AT(api.idle_timeout_s),               "75s" },
    { "store",    "url",                      SETTING_PREFIXED_PATH, AT(store.url),                        "sqlite:quittance.db" },
    { "chain",    "rpc",                      SETTING_URLS,          AT(chain.rpc),                        "http://127.0.0.1:8545" },
    { "chain",    "rpc_auth",                 SETTING_PATH,          AT(chain.rpc_auth),                   NULL },
    { "chain",    "ca_file",                  SETTING_PATH,          AT(chain.ca_file),                    NULL },
    { "chain",    "chain_id",                 SETTING_COUNT,         AT(chain.chain_id),                   "31337" },
    { "chain",    "contract",                 SETTING_ADDRESS,       AT(chain.contract),                   NULL },
    { "chain",    "token",                    SETTING_ADDRESS,       AT(chain.token),                      NULL },
    { "chain",    "confirmations",            SETTING_COUNT,         AT(chain.confirmations),              NULL },
    { "chain",    "deploy_block",             SETTING_COUNT,         AT(chain.deploy_block),               NULL },
    { "chain",    "predecessor",              SETTING_PATH,          AT(chain.predecessor),                NULL },
    { "signer",   "key",                      SETTING_PREFIXED_PATH, AT(signer.key),                       "keystore:operator.json" },
    { "signer",   "promise_key",              SETTING_PREFIXED_PATH, AT(signer.promise_key),               NULL },
    { "signer",   "passphrase_file",          SETTING_PATH,          AT(signer.passphrase_file),           "passphrase" },
    { "signer",   "token_file",               SETTING_PATH,          AT(signer.token_file),                NULL },
    { "signer",   "secret_file",              SETTING_PATH,          AT(signer.secret_file),               "secret" },
    { "settle",   "distribute_minimum",       SETTING_AMOUNT,        AT(settle.distribute_minimum),        "0" },
    { "settle",   "max_fee_gwei",             SETTING_COUNT,         AT(settle.max_fee_gwei),              "100" },
    { "settle",   "max_run_cost_gwei",        SETTING_COUNT,         AT(settle.max_run_cost_gwei),         "1000000000" },
    { "settle",   "max_day_cost_gwei",        SETTING_COUNT,         AT(settle.max_day_cost_gwei),         "10000000000" },
    { "settle",   "protocol_account",         SETTING_ADDRESS,       AT(settle.protocol_account),          NULL },
    { "receipts", "max_age",                  SETTING_SECONDS,       AT(receipts.max_age_s),               "24h" },
    { "receipts", "quarantine_max",           SETTING_COUNT,         AT(receipts.quarantine_max),          "100000" },
    { "receipts", "daily_limit",              SETTING_AMOUNT,        AT(receipts.daily_limit),             "1000000000000000000000000" },
    { "receipts", "settle_within",            SETTING_SECONDS,       AT(receipts.settle_within_s),         "72h" },
    { "receipts", "require_countersignature", SETTING_BOOL,          AT(receipts.require_countersignature), "no" },
    { "receipts", "rate_limit",               SETTING_COUNT,         AT(receipts.rate_limit),              "50000" },
    { "receipts", "rate_burst",               SETTING_COUNT,         AT(receipts.rate_burst),              "500000" },
    { "receipts", "quote_max",                SETTING_SECONDS,       AT(receipts.quote_max_s),             "15m" },
    { "receipts", "keep_settled",             SETTING_SECONDS,       AT(receipts.keep_settled_s),          "7d" },
    { "consumers", "period",                  SETTING_SECONDS,       AT(consumers.period_s),               "30d" },
    { "plausibility", "max_tokens_per_second", SETTING_COUNT,        AT(plausibility.max_tokens_per_second), NULL },
    { "plausibility", "parallelism",          SETTING_COUNT,         AT(plausibility.parallelism),         NULL },
    { "plausibility", "max_jump",             SETTING_COUNT,         AT(plausibility.max_jump),            NULL },
    { "plausibility", "max_skew",             SETTING_SECONDS,       AT(plausibility.max_skew_s),          "0" },
    { "plausibility", "max_duration",         SETTING_SECONDS,       AT(plausibility.max_duration_s),      "0" },
    { "plausibility", "unique_evidence",      SETTING_BOOL,          AT(plausibility.unique_evidence),     "no" },
    { "popularity", "epoch",                  SETTING_SECONDS,       AT(popularity.epoch_s),               "7d" },
    { "popularity", "budget",                 SETTING_AMOUNT,        AT(popularity.budget),                "0" },
    { "popularity", "cap_bps",                SETTING_COUNT,         AT(popularity.cap_bps),               "5000" },
    { "archive",  "dir",                      SETTING_PATH,          AT(archive.dir),                      "archive" },
    { "archive",  "disclosure",               SETTING_TEXT,          AT(archive.disclosure),               "public" },
    { "watchdog", "interval",                 SETTING_SECONDS,       AT(watchdog.interval_s),              "60s" },
    { "watchdog", "unsettled_max",            SETTING_SECONDS,       AT(watchdog.unsettled_max_s),         "0" },
    { "watchdog", "stuck_max",                SETTING_SECONDS,       AT(watchdog.stuck_max_s),             "1h" },
    { "watchdog", "held_max",                 SETTING_COUNT,         AT(watchdog.held_max),                "10000" },
    { "watchdog", "gas_runs_warn",            SETTING_COUNT,         AT(watchdog.gas_runs_warn),           "20" },
    { "watchdog", "gas_runs_fail",            SETTING_COUNT,         AT(watchdog.gas_runs_fail),           "3" },
    { "watchdog", "funds_days_warn",          SETTING_COUNT,         AT(watchdog.funds_days_warn),         "7" },
    { "watchdog", "funds_days_fail",          SETTING_COUNT,         AT(watchdog.funds_days_fail),         "1" },
    { "watchdog", "alarm",                    SETTING_TEXT,          AT(watchdog.alarm),                   NULL },
    { "contract", "owner",                    SETTING_ADDRESS,       AT(contract.owner),                   NULL },
    { "contract", "operator",                 SETTING_ADDRESS,       AT(contract.operator_),               NULL },
    { "contract", "guardian",                 SETTING_ADDRESS,       AT(contract.guardian),                NULL },
    { "contract", "funder",                   SETTING_ADDRESS,       AT(contract.funder),                  NULL },
    { "contract", "cap",                      SETTING_AMOUNT,        AT(contract.cap),                     "1000000000000000000000000000" },
    { "contract", "cap_window",               SETTING_SECONDS,       AT(contract.cap_window_s),            "1d" },
    { "contract", "activation_delay",         SETTING_SECONDS,       AT(contract.activation_delay_s),      "0" },
    { "contract", "role_delay",               SETTING_SECONDS,       AT(contract.role_delay_s),            "0" },
    { "contract", "pause_duration",           SETTING_SECONDS,       AT(contract.pause_duration_s),        "0" },
};

static void *field_of(struct config *config, const struct setting *s)
{
    return (char *)config + s->field;
}

static const void *field_in(const struct config *config, const struct setting *s)
{
    return (const char *)config + s->field;
}

static void set_text(char **field, char *owned)
{
    free(*field);
    *field = owned;
}

/* NULL: taken; else the rule that is broken. */
static const char *set_value(struct config *config, const struct setting *s, const char *value)
{
    void *field = field_of(config, s);

    switch (s->type) {
    case SETTING_TEXT:
        set_text(field, mem_text(value));
        return NULL;
    case SETTING_URLS:
        set_text(field, mem_text(value));
        return config_urls_are_http(value) ? NULL : "must be URLs of http:// or https://, by commas";
    case SETTING_LISTEN:
        set_text(field, mem_text(value));
        return listen_is_address(value) ? NULL : "must be HOST:PORT, as 127.0.0.1:8080, [::1]:8080 or 0.0.0.0:8080";
    case SETTING_PATH:
        set_text(field, *value == 0 ? mem_text("") : file_beside(config->path, value));
        return NULL;
    case SETTING_PREFIXED_PATH:
        set_text(field, *value == 0 ? mem_text("") : config_resolve_prefixed(config->path, value));
        return *value == 0 || strchr(value, ':') != NULL ? NULL : "must begin with its kind and a colon, as sqlite: or keystore:";
    case SETTING_COUNT:
        return config_parse_count(value, field) ? NULL : "must be a whole number";
    case SETTING_SECONDS:
        return config_parse_seconds(value, field) ? NULL : "must be seconds, or a number with s, m, h or d";
    case SETTING_BOOL:
        return config_parse_bool(value, field) ? NULL : "must be yes or no";
    case SETTING_AMOUNT:
        return u256_from_decimal(value, strlen(value), &((struct amount *)field)->base_units) ? NULL
             : "must be a whole number of base units";
    case SETTING_ADDRESS:
        if (*value == 0) {
            memset(field, 0, sizeof(struct address));
            return NULL;
        }
        if (!address_from_text(value, strlen(value), field))
            return "must be an address of 0x and 40 hex digits";
        return address_checksum_fits(value, strlen(value)) ? NULL : "has a wrong checksum (EIP-55): mistyped?";
    }
    bug("setting type %d", (int)s->type);
}

static const struct setting *find_setting(const char *section, const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        if (strcmp(settings[i].section, section) == 0 && strcmp(settings[i].key, key) == 0)
            return &settings[i];
    return NULL;
}

static bool take_entry(void *self, const char *section, const char *key, const char *value, int line, struct err *err)
{
    struct config *config = self;
    const struct setting *s = find_setting(section, key);
    const char *broken;

    if (s == NULL)
        return err_set(err, ERR_CONFIG, "%s:%d: there is no setting [%s] %s", config->path, line, section, key);
    broken = set_value(config, s, value);
    if (broken != NULL)
        return err_set(err, ERR_CONFIG, "%s:%d: [%s] %s %s", config->path, line, section, key, broken);
    return true;
}

static void variable_of(const struct setting *s, char name[VARIABLE_MAX])
{
    snprintf(name, VARIABLE_MAX, VARIABLE_PREFIX "%s_%s", s->section, s->key);
    for (char *p = name; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
}

static bool take_environment(struct config *config, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        char name[VARIABLE_MAX];
        const char *value, *broken;

        variable_of(&settings[i], name);
        value = getenv(name);
        if (value == NULL)
            continue;
        broken = set_value(config, &settings[i], value);
        if (broken != NULL)
            return err_set(err, ERR_CONFIG, "environment: %s %s", name, broken);
    }
    return true;
}

static bool names_section(const char *variable, const char *section)
{
    size_t len = strlen(section);

    return strncasecmp(variable, section, len) == 0 && variable[len] == '_';
}

/* Begins as the variable of a setting does and is none. */
bool config_mistook_variable(const char *name, size_t len)
{
    const size_t prefix = strlen(VARIABLE_PREFIX);
    bool of_section = false;

    if (len < prefix || strncmp(name, VARIABLE_PREFIX, prefix) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        char known[VARIABLE_MAX];

        variable_of(&settings[i], known);
        if (strlen(known) == len && strncmp(known, name, len) == 0)
            return false;
        of_section |= names_section(name + prefix, settings[i].section);
    }
    return of_section;
}

static bool load(const char *path, bool with_environment, struct config *config, struct err *err)
{
    struct config c;

    memset(&c, 0, sizeof c);
    c.path = mem_text(path);
    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        if (set_value(&c, &settings[i], settings[i].initial != NULL ? settings[i].initial
                      : settings[i].type == SETTING_COUNT || settings[i].type == SETTING_AMOUNT ? "0" : "") != NULL)
            bug("default of [%s] %s", settings[i].section, settings[i].key);
    if (!ini_read_file(c.path, take_entry, &c, err)) {
        if (err->code == ERR_NOT_FOUND)
            err_set(err, ERR_CONFIG, "there is no %s: -c FILE or QUITTANCE_CONFIG names a configuration, `quittance init DIR` makes one", path);
        else if (err->code == ERR_IO)
            err->code = ERR_CONFIG;
        config_clear(&c);
        return false;
    }
    if ((with_environment && !take_environment(&c, err)) || !config_check(&c, err)) {
        if (err->code == ERR_IO || err->code == ERR_NOT_FOUND)
            err->code = ERR_CONFIG;
        config_clear(&c);
        return false;
    }
    *config = c;
    return true;
}

MUST_USE bool config_load(const char *path, struct config *config, struct err *err)
{
    if (path == NULL)
        path = getenv("QUITTANCE_CONFIG");
    return load(path != NULL ? path : "quittance.conf", true, config, err);
}

MUST_USE bool config_load_file(const char *path, struct config *config, struct err *err)
{
    return load(path, false, config, err);
}

void config_clear(struct config *config)
{
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        enum setting_type t = settings[i].type;

        if (t == SETTING_TEXT || t == SETTING_PATH || t == SETTING_PREFIXED_PATH || t == SETTING_URLS || t == SETTING_LISTEN)
            set_text(field_of(config, &settings[i]), NULL);
    }
    free(config->path);
    memset(config, 0, sizeof *config);
}

static json *value_to_json(const struct setting *s, const void *field)
{
    switch (s->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_LISTEN:
        return json_new_text(*(char *const *)field);
    case SETTING_PREFIXED_PATH:               /* a database's may hold a password */
        return strncmp(*(char *const *)field, "postgresql:", 11) == 0 ? config_urls_shown(*(char *const *)field)
            : json_new_text(*(char *const *)field);
    case SETTING_URLS:
        return config_urls_shown(*(char *const *)field);
    case SETTING_COUNT:
    case SETTING_SECONDS:
        return json_new_u64(*(const uint64_t *)field);
    case SETTING_BOOL:
        return json_new_bool(*(const bool *)field);
    case SETTING_AMOUNT:
        return json_new_amount(*(const struct amount *)field);
    case SETTING_ADDRESS:
        return address_is_zero(*(const struct address *)field) ? json_new_text("") : json_new_address(*(const struct address *)field);
    }
    bug("setting type %d", (int)s->type);
}

json *config_to_json(const struct config *config)
{
    json *all = json_new_object(), *section = NULL;

    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        const struct setting *s = &settings[i];

        if (section == NULL || strcmp(settings[i - 1].section, s->section) != 0) {
            section = json_new_object();
            json_put(all, s->section, section);
        }
        json_put(section, s->key, value_to_json(s, field_in(config, s)));
    }
    return all;
}

/* The table of settings: what a file and the environment may say, and what deploy writes back. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "gateway/config_check.h"
#include "gateway/lib/file.h"

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/quittance-config-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/quittance.conf", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_file(const char *text)
{
    struct err err = { 0 };

    assert_true(file_write(path, text, strlen(text), 0600, &err));
}

static const struct refusal { const char *name, *text, *says; } refusals[] = {
    { "an unknown key is named with its line",     "[chain]\n\nrcp = x\n",                  ":3: there is no setting [chain] rcp" },
    { "an unknown section too",                    "[chian]\nrpc = x\n",                    ":2: there is no setting [chian] rpc" },
    { "a count must be whole",                     "[chain]\nchain_id = 1.5\n",             "chain_id must be a whole number" },
    { "a negative count is refused",               "[chain]\nchain_id = -1\n",              "chain_id must be a whole number" },
    { "a proxy that is no address is refused",     "[api]\ntrusted_proxies = proxy.example\n", "[api] trusted_proxies: \"proxy.example\"" },
    { "an address may not hold more than all",     "[api]\nmax_connections = 100\nmax_per_address = 101\n", "max_per_address must be 1 to 100" },
    { "a time limit of nothing is refused",        "[api]\nrequest_timeout = 0\n",         "request_timeout must be 1 to 3600" },
    { "an endpoint is a URL",                      "[chain]\nrpc = node.example:8545\n",   ":2: [chain] rpc must be URLs of http:// or https://" },
    { "each of several",                           "[chain]\nrpc = https://a.example,b\n", "rpc must be URLs of http:// or https://" },
    { "a key says of what kind it is",             "[signer]\nkey = operator.json\n",      "[signer] key must begin with its kind and a colon" },
    { "a key's kind is one that is known",         "[signer]\npromise_key = vault:k\n",   "[signer] promise_key must be keystore:PATH or web3signer:URL" },
    { "a store's too",                             "[store]\nurl = mysql:x\n",            "[store] url must be sqlite:PATH or postgresql://" },
    { "a port alone is no address to listen on",   "[api]\nlisten = 8080\n",              ":2: [api] listen must be HOST:PORT" },
    { "a port has 16 bits",                        "[api]\nadmin_listen = [::1]:65536\n", "[api] admin_listen must be HOST:PORT" },
    { "a port is a number",                        "[api]\nlisten = 127.0.0.1:http\n",    "[api] listen must be HOST:PORT" },
    { "chain id 0 is refused",                     "[chain]\nchain_id = 0\n",               "chain_id must not be 0" },
    { "a ceiling of nothing is refused",           "[settle]\nmax_run_cost_gwei = 0\n",    "max_run_cost_gwei and max_day_cost_gwei must be above 0" },
    { "a day's ceiling of nothing, too",           "[settle]\nmax_day_cost_gwei = 0\n",    "max_run_cost_gwei and max_day_cost_gwei must be above 0" },
    { "a duration needs a known unit",             "[receipts]\nmax_age = 3w\n",            "must be seconds, or a number with s, m, h or d" },
    { "what may come in is not in archives yet",   "[receipts]\nmax_age = 7d\n",            "[receipts] keep_settled must be 0 (for ever), or at least" },
    { "a duration beyond 31 years is refused",     "[receipts]\nmax_age = 20000d\n",        "must be seconds" },
    { "a flag is yes or no",                       "[receipts]\nrequire_countersignature = maybe\n", "must be yes or no" },
    { "an amount is in base units",                "[settle]\ndistribute_minimum = 1e18\n", "must be a whole number of base units" },
    { "an amount over 256 bits is refused",        "[settle]\ndistribute_minimum = 115792089237316195423570985008687907853269984665640564039457584007913129639936\n",
                                                                                             "must be a whole number of base units" },
    { "an address has 40 digits",                  "[chain]\ntoken = 0x1234\n",             "must be an address" },
    { "a wrong checksum is a typing error",        "[chain]\ntoken = 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92267\n", "wrong checksum" },
    { "gas must be a warning before a failure",    "[watchdog]\ngas_runs_fail = 21\n",      "gas_runs_warn must not be below gas_runs_fail" },
    { "funds too",                                 "[watchdog]\nfunds_days_warn = 0\n",     "funds_days_warn must not be below funds_days_fail" },
    { "the chain is not asked without a pause",    "[watchdog]\ninterval = 0\n",            "[watchdog] interval must not be 0" },
    { "an epoch lasts a while",                    "[popularity]\nepoch = 0\n",             "[popularity] epoch must be 1 to" },
    { "an hour, where money is real",              "[chain]\nchain_id = 1\n[popularity]\nepoch = 59m\n", "[popularity] epoch must be 3600 to" },
    { "nobody gets back more than was paid",       "[popularity]\ncap_bps = 10001\n",       "cap_bps must be at most 10000" },
    { "disclosure is public or parties",          "[archive]\ndisclosure = nobody\n",      "disclosure must be public or parties" },
};

static void a_bad_file_is_refused(void **state)
{
    const struct refusal *r = *state;
    struct config config;
    struct err err = { 0 };

    write_file(r->text);
    assert_false(config_load(path, &config, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    if (strstr(err.text, r->says) == NULL)
        fail_msg("%s", err.text);
}

static void an_empty_file_has_every_default(void **state)
{
    struct config config;
    struct err err = { 0 };

    (void)state;
    write_file("");
    assert_true(config_load(path, &config, &err));
    assert_string_equal(config.api.listen, "127.0.0.1:8080");
    assert_int_equal(config.receipts.max_age_s, 86400);
    assert_int_equal(config.receipts.settle_within_s, 259200);
    assert_int_equal(config.receipts.keep_settled_s, 604800);
    assert_true(config_is_test_chain(&config));
    assert_int_equal(config_confirmations(&config), 1);
    assert_false(config_need_contract(&config, &err));
    config_clear(&config);
}

static void paths_are_relative_to_the_file(void **state)
{
    struct config config;
    struct err err = { 0 };
    char want[128];

    (void)state;
    write_file("[store]\nurl = sqlite:a.db\n[signer]\nkey = keystore:/k.json\npromise_key = web3signer:http://h\n[archive]\ndir = out\n");
    assert_true(config_load(path, &config, &err));
    snprintf(want, sizeof want, "sqlite:%s/a.db", folder);
    assert_string_equal(config.store.url, want);
    assert_string_equal(config.signer.key, "keystore:/k.json");
    assert_string_equal(config.signer.promise_key, "web3signer:http://h");
    snprintf(want, sizeof want, "%s/out", folder);
    assert_string_equal(config.archive.dir, want);
    config_clear(&config);
}

static void the_environment_wins_over_the_file(void **state)
{
    struct config config;
    struct err err = { 0 };

    (void)state;
    write_file("[chain]\nchain_id = 5\n");
    setenv("QUITTANCE_CHAIN_CHAIN_ID", "8453", 1);
    assert_true(config_load(path, &config, &err));
    assert_int_equal(config.chain.chain_id, 8453);
    config_clear(&config);
    setenv("QUITTANCE_CHAIN_CHAIN_ID", "x", 1);
    assert_false(config_load(path, &config, &err));
    assert_non_null(strstr(err.text, "QUITTANCE_CHAIN_CHAIN_ID"));
    unsetenv("QUITTANCE_CHAIN_CHAIN_ID");
}

static const char *text_at(const json *list, size_t index)
{
    const char *text;
    size_t len;

    assert_true(json_get_text(json_at(list, index), &text, &len));
    return text;
}

static void what_is_likely_a_mistake_is_warned_of(void **state)
{
    char *environment[] = { "QUITTANCE_API_LISTN=x", "QUITTANCE_API_LISTEN=127.0.0.1:1", "QUITTANCE_SERVICE_HOST=of an orchestrator", "HOME=/", NULL };
    struct config config;
    struct err err = { 0 };
    json *warnings;

    (void)state;
    write_file("[signer]\nkey = web3signer:http://h\nsecret_file = quittance.conf\n[chain]\nca_file = ca.pem\n");
    assert_true(config_load(path, &config, &err));
    warnings = config_warnings(&config, environment);
    assert_int_equal(json_count(warnings), 2);
    assert_string_equal(text_at(warnings, 0), "QUITTANCE_API_LISTN in the environment is no setting and has no effect");
    assert_non_null(strstr(text_at(warnings, 1), "[chain] ca_file: there is no "));
    json_free(warnings);
    config_clear(&config);
}

static const struct writing { const char *name, *before, *section, *key, *value, *after; } writings[] = {
    { "a key is replaced where it stands",  "[chain]\nrpc = a\ntoken = b\n",   "chain", "rpc", "c", "[chain]\nrpc = c\ntoken = b\n" },
    { "a commented key is its place",       "[chain]\n# token =\nrpc = a\n",   "chain", "token", "t", "[chain]\ntoken = t\nrpc = a\n" },
    { "a new key goes to its section",      "[chain]\nrpc = a\n[api]\nx = y\n", "chain", "token", "t", "[chain]\nrpc = a\ntoken = t\n[api]\nx = y\n" },
    { "a new section goes to the end",      "# note\n",                        "chain", "token", "t", "# note\n\n[chain]\ntoken = t\n" },
    { "another section's key is no match",  "[api]\nrpc = a\n[chain]\n",       "chain", "rpc", "b", "[api]\nrpc = a\n[chain]\nrpc = b\n" },
    { "a longer key is no match",           "[chain]\nrpc_x = a\n",            "chain", "rpc", "b", "[chain]\nrpc_x = a\nrpc = b\n" },
};

static void a_key_is_written_in_place(void **state)
{
    const struct writing *w = *state;
    const struct config_change change = { w->section, w->key, w->value };
    struct buf text;
    struct err err = { 0 };

    write_file(w->before);
    assert_true(config_write(path, &change, 1, &err));
    buf_init(&text);
    assert_true(file_read(path, 4096, &text, &err));
    assert_string_equal(buf_text(&text), w->after);
    buf_clear(&text);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(refusals) + ARRAY_LEN(writings) + 4];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        tests[n++] = (struct CMUnitTest){ refusals[i].name, a_bad_file_is_refused, NULL, NULL, (void *)(uintptr_t)&refusals[i] };
    for (size_t i = 0; i < ARRAY_LEN(writings); i++)
        tests[n++] = (struct CMUnitTest){ writings[i].name, a_key_is_written_in_place, NULL, NULL, (void *)(uintptr_t)&writings[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(an_empty_file_has_every_default);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(paths_are_relative_to_the_file);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(the_environment_wins_over_the_file);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(what_is_likely_a_mistake_is_warned_of);
    return cmocka_run_group_tests_name("config", tests, make_folder, remove_folder);
}

/* gateway/cmd_init.c - a new gateway in an empty folder: configuration, keys, secret, store and an admin API key. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chain/keystore.h"
#include "api/apikeys.h"
#include "gateway/commands.h"
#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/open.h"

static const char template[] =
    "# Quittance.  `quittance config print` shows every setting in force; paths are relative to this file.\n"
    "\n[api]\nlisten = 127.0.0.1:8080\nadmin_listen = 127.0.0.1:8081\nadmin_key_file = admin.key\n"
    "\n[store]\nurl = sqlite:quittance.db\n"
    "\n[chain]\n# JSON-RPC of one node that is trusted, or of two and more, by commas, of which two must agree: with\n"
    "# two money waits while one is away, with three it does not\nrpc = http://127.0.0.1:8545\n"
    "# secrets of endpoints, a line each in a file of mode 0600: https://HOST[:PORT] basic USER:PASSWORD, or bearer TOKEN\n"
    "# rpc_auth = rpc.auth\n# PEM with the authorities of https endpoints, in place of the system's\n# ca_file =\n"
    "# the chain they must be of\nchain_id = 31337\n"
    "# contract and token are written here by `quittance deploy`; to use a token of your own set it before\n"
    "# contract =\n# token =\n"
    "# while a contract is replaced, the configuration of the one before: gateway/MIGRATION.md\n# predecessor =\n"
    "\n[signer]\n# or web3signer:https://HOST:PORT/0xADDRESS, with its token in token_file and a keystore as promise_key\n"
    "key = keystore:operator.json\npassphrase_file = passphrase\n"
    "# for the salts of the receipts tree: keep it, copy it to every replica, never change it\nsecret_file = secret\n"
    "\n[settle]\n# base units: an account owed less is left out of a run and may claim by proof\ndistribute_minimum = 0\n"
    "# ceilings in gwei of the chain's coin (10^9 gwei are one coin): for a gas, for all transactions of one settlement, and for\n"
    "# those of a UTC day.  At a ceiling nothing new is signed; it is waited until fees fall, the day ends, or this is raised\n"
    "max_fee_gwei = 100\nmax_run_cost_gwei = 1000000000\nmax_day_cost_gwei = 10000000000\n"
    "# who gets the protocol's part; the signer where not set\n# protocol_account =\n"
    "\n[archive]\ndir = archive\n"
    "\n[contract]\n# used once, by `quittance deploy`; on a real chain owner, operator and guardian must be set\n"
    "# owner =\n# operator =\n# guardian =\n# funder =\n";

static bool folder_is_empty(const char *dir, struct err *err)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;
    bool empty = true;

    if (d == NULL && errno == ENOENT)
        return true;
    if (d == NULL)
        return err_set(err, ERR_IO, "cannot open %s: %s", dir, strerror(errno));
    while (empty && (entry = readdir(d)) != NULL)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(d);
    return empty || err_set(err, ERR_CONFIG, "%s is not empty: init makes a new folder and never writes over one", dir);
}

static bool write_in(const char *dir, const char *name, const void *bytes, size_t len, struct err *err)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return file_write(path, bytes, len, 0600, err);
}

/* Fresh random hex with a newline, the form of passphrase and secret files. */
static bool write_random(const char *dir, const char *name, char text[67], struct err *err)
{
    uint8_t random[32];
    bool ok;

    crypt_random(random, sizeof random);
    hex_encode(random, sizeof random, text);
    mem_wipe(random, sizeof random);
    text[66] = '\n';
    ok = write_in(dir, name, text, 67, err);
    text[66] = 0;
    return ok;
}

static bool make_key(const char *dir, const char *passphrase, struct address *address, struct err *err)
{
    struct secret_key *key = secret_new(sizeof *key);
    struct public_key pub;
    struct buf file;
    bool ok;

    buf_init(&file);
    secp_new_key(key);
    ok = secp_public_key(key, &pub, err) && keystore_seal(key, passphrase, strlen(passphrase), &file, err)
      && write_in(dir, "operator.json", file.data, file.len, err);
    if (ok)
        *address = secp_address(&pub);
    secret_free(key);
    buf_clear(&file);
    return ok;
}

static bool make_store(const char *conf, struct new_api_key *key, struct err *err)
{
    struct config config;
    struct writer *writer = NULL;
    bool ok;

    if (!config_load(conf, &config, err))
        return false;
    ok = file_make_dir(config.archive.dir, 0700, err)
      && writer_open(config.store.url, &clock_system, &writer, err)
      && apikey_new(writer, "init", "admin", "made by init", key, err);
    writer_close(writer);
    config_clear(&config);
    return ok;
}

static bool init_run(const struct args *args, struct err *err)
{
    const char *dir = args->words[0];
    char conf[4096], passphrase[68], secret[68];
    struct address address;
    struct new_api_key key;
    char key_line[API_KEY_TEXT + 1];
    json *out;
    bool ok;

    if (strlen(dir) > 3900)
        return err_set(err, ERR_INVALID, "DIR is too long");
    snprintf(conf, sizeof conf, "%s/quittance.conf", dir);
    ok = folder_is_empty(dir, err) && file_make_dir(dir, 0700, err)
      && write_in(dir, "quittance.conf", template, strlen(template), err)
      && write_random(dir, "passphrase", passphrase, err) && write_random(dir, "secret", secret, err)
      && make_key(dir, passphrase, &address, err) && make_store(conf, &key, err);
    mem_wipe(passphrase, sizeof passphrase);
    mem_wipe(secret, sizeof secret);
    if (!ok)
        return false;
    snprintf(key_line, sizeof key_line, "%s\n", key.text);
    ok = write_in(dir, "admin.key", key_line, strlen(key_line), err);
    mem_wipe(key_line, sizeof key_line);
    if (!ok)
        return false;
    out = json_new_object();
    json_put_text(out, "config", conf);
    json_put_address(out, "address", address);
    json_put_text(out, "apiKey", key.text);
    mem_wipe(&key, sizeof key);
    print_json(out);
    return true;
}

const struct command command_init = {
    .name = "init", .words = "DIR", .words_min = 1, .words_max = 1,
    .summary = "a new gateway: configuration, encrypted key, empty store, admin API key",
    .text = "Makes DIR with quittance.conf, an encrypted operator key (operator.json), its passphrase, the secret for\n"
            "salts, an empty store and an admin API key (admin.key), all readable by the owner only.  DIR must be new\n"
            "or empty.  Prints {\"config\",\"address\",\"apiKey\"}.\n\n"
            "Next: set [chain] rpc and chain_id in quittance.conf, send some coin for gas to `address`, then\n"
            "      quittance -c DIR/quittance.conf deploy",
    .run = init_run,
};

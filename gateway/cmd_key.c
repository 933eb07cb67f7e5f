/* gateway/cmd_key.c - keystore V3 files: a new key, an imported one, the address of one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chain/keystore.h"
#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/commands.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/open.h"

/* The key in hex from stdin; the line is wiped whatever becomes of it. */
static bool read_key(struct secret_key *key, struct err *err)
{
    char line[80];
    ssize_t got = read(STDIN_FILENO, line, sizeof line);
    size_t len = got > 0 ? (size_t)got : 0;
    bool ok;

    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    ok = hex_decode(line, len, key->b, sizeof key->b) || hex_decode_bare(line, len, key->b, sizeof key->b);
    mem_wipe(line, sizeof line);
    return ok || err_set(err, ERR_INVALID, "stdin must hold a private key of 64 hex digits");
}

static bool seal_to_file(const struct secret_key *key, const char *path, const char *passphrase_file, struct err *err)
{
    struct buf passphrase, text;
    bool ok;

    buf_init(&passphrase);
    buf_init(&text);
    ok = file_read_secret(passphrase_file, &passphrase, err)
      && keystore_seal(key, passphrase.data, passphrase.len, &text, err)
      && file_write(path, text.data, text.len, 0600, err);
    buf_wipe(&passphrase);
    buf_clear(&text);
    return ok;
}

static void print_key(const char *path, struct address address)
{
    json *out = json_new_object();

    json_put_text(out, "file", path);
    json_put_address(out, "address", address);
    print_json(out);
}

static bool make(const struct args *args, bool import, struct err *err)
{
    const char *path = args->words[1], *passphrase = args_value(args, "--passphrase-file");
    struct secret_key *key;
    struct public_key pub;
    struct config config = { 0 };
    bool ok;

    if (file_exists(path))
        return err_set(err, ERR_INVALID, "%s exists: a key file is never written over", path);
    if (passphrase == NULL && !config_load(args->config, &config, err))
        return err_prefix(err, "give --passphrase-file, or a configuration that names one");
    key = secret_new(sizeof *key);
    if (!import)
        secp_new_key(key);
    ok = (!import || read_key(key, err)) && secp_public_key(key, &pub, err)
      && seal_to_file(key, path, passphrase != NULL ? passphrase : config.signer.passphrase_file, err);
    secret_free(key);
    config_clear(&config);
    if (ok)
        print_key(path, secp_address(&pub));
    return ok;
}

static bool show_address(const char *path, struct err *err)
{
    struct buf text;
    struct address address;
    bool ok;

    buf_init(&text);
    ok = file_read(path, 64 * KIB, &text, err) && keystore_address(buf_text(&text), text.len, &address, err);
    buf_clear(&text);
    if (ok)
        print_key(path, address);
    return ok;
}

static bool key_run(const struct args *args, struct err *err)
{
    const char *action = args->words[0];

    if (strcmp(action, "new") == 0)
        return make(args, false, err);
    if (strcmp(action, "import") == 0)
        return make(args, true, err);
    if (strcmp(action, "address") == 0)
        return show_address(args->words[1], err);
    return err_set(err, ERR_USAGE, "key takes new, import or address, not %s", action);
}

const struct command command_key = {
    .name = "key", .words = "new|import|address FILE", .words_min = 2, .words_max = 2,
    .summary = "encrypted keystore V3 files",
    .text = "new makes a key, import reads one in hex from stdin; both write FILE (never over an existing one) encrypted with\n"
            "the passphrase of --passphrase-file, or of [signer] passphrase_file.  address tells whose key FILE holds,\n"
            "without the passphrase.  Prints {\"file\",\"address\"}.",
    .run = key_run,
    .options = { { "--passphrase-file", "PATH", "a file that only its owner can read" } },
};

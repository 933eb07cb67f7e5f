/* gateway/cmd_receipt.c - the node's side on the command line: make, sign and post receipts as NDJSON. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/commands.h"
#include "gateway/node/domain.h"
#include "gateway/node/line.h"
#include "gateway/node/load.h"
#include "gateway/node/post.h"
#include "gateway/node/sign.h"
#include "gateway/open.h"

#define PRINT_AT_ONCE (64 * KIB)
#define SIGN_GROUP 8192                       /* receipts read before they are signed side by side */
#define MORE_MS 2
#define GIVE_UP_MS 60000
#define SPOOL_MAX_DEFAULT (1024 * MIB)
#define MEMORY_MAX_DEFAULT (64 * MIB)

/* Prints what is in the buffer and empties it. */
static bool print_lines(struct buf *lines, struct err *err)
{
    bool ok = lines->len == 0 || fwrite(lines->data, 1, lines->len, stdout) == lines->len
           || err_set(err, ERR_IO, "write to stdout: %s", strerror(errno));

    buf_reset(lines);
    return ok;
}

/* ---- make ---- */

static bool print_receipt(void *self, const struct receipt *receipt, struct err *err)
{
    const struct signed_receipt r = { .receipt = *receipt };
    struct buf *lines = self;

    line_write(&r, lines);
    return lines->len < PRINT_AT_ONCE || print_lines(lines, err);
}

static bool read_models(const char *list, struct load *load, struct err *err)
{
    while (list != NULL && *list != 0) {
        size_t len = strcspn(list, ",");

        if (load->model_count == LOAD_MODELS_MAX || !hash_from_text(list, len, &load->models[load->model_count]))
            return err_set(err, ERR_INVALID, "--model takes up to %d digests of 0x and 64 hex digits, with commas", LOAD_MODELS_MAX);
        load->model_count++;
        list += len + (list[len] == ',' ? 1 : 0);
    }
    return load->model_count > 0 || err_set(err, ERR_USAGE, "receipt make needs --model DIGEST");
}

static bool read_consumers(const char *list, struct load *load, struct err *err)
{
    while (list != NULL && *list != 0) {
        size_t len = strcspn(list, ",");

        if (load->consumer_count == LOAD_CONSUMERS_MAX || !address_from_text(list, len, &load->consumers[load->consumer_count]))
            return err_set(err, ERR_INVALID, "--consumer takes up to %d addresses of 0x and 40 hex digits, with commas", LOAD_CONSUMERS_MAX);
        load->consumer_count++;
        list += len + (list[len] == ',' ? 1 : 0);
    }
    return true;
}

/* *a stays where it is not given. */
static bool read_provider(const struct args *args, struct address *a, struct err *err)
{
    const char *text = args_value(args, "--provider");

    if (text == NULL)
        return strcmp(args->words[0], "make") != 0 || err_set(err, ERR_USAGE, "receipt make needs --provider ADDRESS");
    return address_from_text(text, strlen(text), a) || err_set(err, ERR_INVALID, "--provider must be 0x and 40 hex digits");
}

static bool make(const struct args *args, struct err *err)
{
    struct load load = { .now_ms = clock_now_ms(&clock_system), .trace = args_value(args, "--trace") };
    uint64_t span_s;
    struct buf lines;
    bool ok;

    if (!args_u64(args, "--count", 100, 10000000, &load.count, err) || !args_u64(args, "--seed", 1, UINT64_MAX, &load.seed, err)
        || !args_u64(args, "--span", 600, 86400, &span_s, err) || !args_u64(args, "--start", 0, LOAD_START_MAX_MS, &load.start_ms, err)
        || !read_provider(args, &load.provider, err) || !read_consumers(args_value(args, "--consumer"), &load, err)
        || !read_models(args_value(args, "--model"), &load, err))
        return false;
    load.span_ms = span_s * 1000;
    buf_init(&lines);
    ok = load_make(&load, print_receipt, &lines, err) && print_lines(&lines, err);
    buf_clear(&lines);
    return ok;
}

/* ---- sign ---- */

struct signing {
    struct signer *signer;
    struct domain domain;
    struct address provider;
    bool as_consumer;
    struct signed_receipt *receipts;          /* SIGN_GROUP of them */
    uint64_t *numbers;                        /* of their lines */
    size_t count;
    struct buf out;
};

static bool sign_group(struct signing *s, struct err *err)
{
    size_t failed = 0;

    if (!sign_receipts(s->signer, &s->domain, s->provider, s->as_consumer, s->receipts, s->count, &failed, err))
        return err_prefix(err, "line %" PRIu64, s->numbers[failed]);
    for (size_t i = 0; i < s->count; i++)
        line_write(&s->receipts[i], &s->out);
    s->count = 0;
    return print_lines(&s->out, err) && (fflush(stdout) == 0 || err_set(err, ERR_IO, "write to stdout: %s", strerror(errno)));
}

/* A group is signed when it is full, or when nothing more comes: a full pipe is soon filled again. */
static bool sign_lines(struct signing *s, struct lines *lines, struct err *err)
{
    for (;;) {
        const char *text;
        size_t len;

        switch (lines_next(lines, s->count > 0 ? MORE_MS : 1000, &text, &len)) {
        case LINES_LINE:
            s->numbers[s->count] = lines_number(lines);
            if (!line_read(text, len, &s->receipts[s->count], err))
                return err_prefix(err, "line %" PRIu64, lines_number(lines));
            if (++s->count == SIGN_GROUP && !sign_group(s, err))
                return false;
            break;
        case LINES_TOO_LONG:
            return err_set(err, ERR_LIMIT, "line %" PRIu64 " is over %d bytes", lines_number(lines), LINE_BYTES_MAX);
        case LINES_NOTHING:
            if (!sign_group(s, err))
                return false;
            break;
        case LINES_END:
            return sign_group(s, err);
        case LINES_FAILED:
            return err_set(err, ERR_IO, "read stdin: %s", strerror(errno));
        }
    }
}

/* The domain from --url (its /v1/info) or, without it, from the configuration. */
static bool find_domain(const struct args *args, struct domain *domain, struct err *err)
{
    const char *url = args_value(args, "--url");
    struct config config;
    bool ok;

    if (url != NULL) {
        struct http_client *http = http_new();

        ok = node_fetch_domain(http, url, domain, err);
        http_free(http);
        return ok;
    }
    if (!config_load(args->config, &config, err))
        return err_prefix(err, "give --url, or a configuration");
    ok = config_need_contract(&config, err);
    if (ok)
        domain_init(domain, config.chain.chain_id, config.chain.contract);
    config_clear(&config);
    return ok;
}

static bool open_key(const struct args *args, struct signer **signer, struct err *err)
{
    const char *key = args_value(args, "--key"), *passphrase = args_value(args, "--passphrase-file");

    if (key == NULL || passphrase == NULL)
        return err_set(err, ERR_USAGE, "receipt %s needs --key keystore:PATH and --passphrase-file PATH", args->words[0]);
    return signer_open(key, passphrase, signer, err);
}

static bool sign(const struct args *args, struct err *err)
{
    struct signing s = { .as_consumer = args_flag(args, "--consumer-key") };
    struct lines *lines;
    bool ok;

    if (!find_domain(args, &s.domain, err) || !open_key(args, &s.signer, err))
        return false;
    s.provider = signer_address(s.signer);
    if (!read_provider(args, &s.provider, err)) {
        signer_free(s.signer);
        return false;
    }
    s.receipts = mem_array(SIGN_GROUP, sizeof *s.receipts);
    s.numbers = mem_array(SIGN_GROUP, sizeof *s.numbers);
    buf_init(&s.out);
    lines = lines_new(STDIN_FILENO);
    ok = sign_lines(&s, lines, err);
    lines_free(lines);
    buf_clear(&s.out);
    free(s.receipts);
    free(s.numbers);
    signer_free(s.signer);
    return ok;
}

/* ---- post ---- */

static atomic_bool interrupted;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&interrupted, true);
}

/* The first one ends in order, the next one at once: kill -9 would do no harm either. */
static void watch_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

static bool between(uint64_t value, uint64_t low, uint64_t high, const char *name, struct err *err)
{
    return (value >= low && value <= high) || err_set(err, ERR_INVALID, "%s must be from %" PRIu64 " to %" PRIu64, name, low, high);
}

static bool read_form(const struct args *args, struct post_config *config, struct err *err)
{
    const char *name = args_flag(args, "--bundle") ? "--bundle" : "--per-request";
    uint64_t size;

    if (args_flag(args, "--binary") && !args_flag(args, "--bundle"))
        return err_set(err, ERR_USAGE, "--binary is a form of --bundle N");
    if (args_flag(args, "--per-request") && args_flag(args, "--bundle"))
        return err_set(err, ERR_USAGE, "--bundle N says how many go in one request; --per-request is for receipts signed one by one");
    config->form = !args_flag(args, "--bundle") ? GROUP_ARRAY : args_flag(args, "--binary") ? GROUP_BINARY : GROUP_BUNDLE;
    if (!args_u64(args, name, 500, UINT64_MAX, &size, err) || !between(size, 1, POST_PER_REQUEST_MAX, name, err))
        return false;
    config->per_request = (size_t)size;
    return true;
}

static bool read_post(const struct args *args, struct post_config *config, struct err *err)
{
    const uint64_t spool_max = config->spool_dir != NULL ? SPOOL_MAX_DEFAULT : MEMORY_MAX_DEFAULT;
    uint64_t connections;

    if (config->url == NULL)
        return err_set(err, ERR_USAGE, "receipt post needs --url http://HOST:PORT");
    if (!read_form(args, config, err) || !args_u64(args, "--connections", 1, UINT64_MAX, &connections, err)
        || !between(connections, 1, POST_CONNECTIONS_MAX, "--connections", err)
        || !args_u64(args, "--rate", 0, 1000000000, &config->rate, err) || !args_u64(args, "--flush", 1000, 3600000, &config->flush_ms, err)
        || !args_u64(args, "--spool-max", spool_max, UINT64_C(1) << 40, &config->spool_max, err)
        || !between(config->spool_max, SPOOL_BYTES_MIN, UINT64_C(1) << 40, "--spool-max", err))
        return false;
    config->connections = (unsigned)connections;
    if (config->spool_dir == NULL && (config->acks || config->until_proof))
        return err_set(err, ERR_USAGE, "--ack and --until-proof are promises about a disk: they need --spool DIR");
    return true;
}

static bool post(const struct args *args, struct err *err)
{
    char *url = args_flag(args, "--url") ? mem_text(args_value(args, "--url")) : NULL;
    struct post_config config = {
        .url = url, .spool_dir = args_value(args, "--spool"), .until_proof = args_flag(args, "--until-proof"),
        .acks = args_flag(args, "--ack"), .quiet = args_flag(args, "--quiet"), .give_up_ms = GIVE_UP_MS, .interrupted = &interrupted,
    };
    struct signer *signer = NULL;
    bool ok = read_post(args, &config, err);

    if (ok && url[0] != '\0' && url[strlen(url) - 1] == '/')
        url[strlen(url) - 1] = '\0';
    if (ok && (config.form != GROUP_ARRAY || args_flag(args, "--key")))
        ok = open_key(args, &signer, err);
    config.signer = signer;
    if (ok && signer != NULL) {
        config.provider = signer_address(signer);
        ok = read_provider(args, &config.provider, err);
    }
    if (ok) {
        watch_signals();
        ok = post_lines(&config, STDIN_FILENO, err);
    }
    signer_free(signer);
    free(url);
    return ok;
}

static bool receipt_run(const struct args *args, struct err *err)
{
    const char *action = args->words[0];

    if (strcmp(action, "make") == 0)
        return make(args, err);
    if (strcmp(action, "sign") == 0)
        return sign(args, err);
    if (strcmp(action, "post") == 0)
        return post(args, err);
    return err_set(err, ERR_USAGE, "receipt takes make, sign or post, not %s", action);
}

const struct command command_receipt = {
    .name = "receipt", .words = "make|sign|post", .words_min = 1, .words_max = 1,
    .summary = "for nodes: make a load, sign receipts, post them",
    .text = "make prints unsigned receipts, sign reads receipts and prints them signed, post reads signed ones and sends them;\n"
            "each line of stdin and stdout is one JSON receipt, so they make a pipe:\n\n"
            "  quittance receipt make --provider 0x... --model 0x... --count 100 |\n"
            "  quittance receipt sign --url http://127.0.0.1:8080 --key keystore:node.json --passphrase-file pass |\n"
            "  quittance receipt post --url http://127.0.0.1:8080 --spool /var/spool/quittance\n\n"
            "post reads as long as stdin is open.  With --bundle it signs whole requests itself.  With --spool a receipt is on\n"
            "disk before it is sent, and there until it is answered: kill -9 loses nothing that --ack has named, pipe the others\n"
            "again (twice does no harm).  The next post on the same DIR begins with what is left in it.  A gateway that is away\n"
            "or busy is tried again with the same receipts; after the end of stdin, or without --spool, for a minute: then 75.\n"
            "What will never be accepted goes to DIR/refused.ndjson (else stderr) with its code; counts and latency go to stdout.\n"
            "A gateway that lost its disk knows what was settled and asks for the rest: --until-proof keeps it and posts it again.",
    .run = receipt_run,
    .options = {
        { "--url", "URL", "sign, post: the gateway" },
        { "--key", "SPEC", "sign, post --bundle: keystore:PATH of the provider, or of a key that --provider delegated" },
        { "--passphrase-file", "PATH", "of that key" },
        { "--consumer-key", NULL, "sign: the key is the consumer's, add consumerSignature" },
        { "--bundle", "N", "post: one signature by --key for up to N receipts (10000); they need none of their own" },
        { "--binary", NULL, "post --bundle: as application/vnd.quittance.bundle" },
        { "--per-request", "N", "post without --bundle: receipts in one request (500)" },
        { "--connections", "C", "post: so many at once (1)" },
        { "--rate", "R", "post: at most R receipts a second (no bound)" },
        { "--flush", "MS", "post: send what is there after MS, full or not (1000)" },
        { "--spool", "DIR", "post: keep what is not answered there; one process at a time" },
        { "--spool-max", "BYTES", "post: then stop reading stdin (1 GiB; without --spool 64 MiB of memory)" },
        { "--until-proof", NULL, "post --spool: keep each receipt until a settlement is shown to hold it" },
        { "--ack", NULL, "post --spool: print {\"ack\":jobId} for each receipt once it is on disk" },
        { "--quiet", NULL, "post: no progress, no quarantined receipts on stderr" },
        { "--provider", "ADDRESS", "make: whose receipts; sign, post --bundle: who lent --key to this machine (else the key's own address)" },
        { "--consumer", "ADDRESSES", "make: for whom the jobs were, with commas" },
        { "--model", "DIGESTS", "make: one or more, with commas" },
        { "--count", "N", "make: how many (100)" },
        { "--span", "SECONDS", "make: over how long (600), ending now" },
        { "--start", "MS", "make: beginning there (Unix ms) instead; seed and start then make the same receipts" },
        { "--seed", "N", "make: the same seed makes the same jobs (1)" },
        { "--trace", "CSV", "make: after real traffic instead (TIMESTAMP,ContextTokens,GeneratedTokens)" },
    },
};

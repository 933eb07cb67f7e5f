/* gateway/cmd_receipt.c - the node's side on the command line: make, sign and post receipts as NDJSON. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/hex.h"
#include "gateway/commands.h"
#include "gateway/core/receipt_json.h"
#include "gateway/node/load.h"
#include "gateway/node/post.h"
#include "gateway/open.h"

#define LINE_MAX_BYTES 8192

/* ---- make ---- */

static bool print_receipt(void *self, const struct receipt *receipt, struct err *err)
{
    struct signed_receipt r = { .receipt = *receipt };

    (void)self;
    (void)err;
    print_json(receipt_to_json(&r));
    return true;
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

static bool read_address(const struct args *args, const char *name, bool needed, struct address *a, struct err *err)
{
    const char *text = args_value(args, name);

    if (text == NULL)
        return !needed || err_set(err, ERR_USAGE, "receipt %s needs %s", args->words[0], name);
    return address_from_text(text, strlen(text), a) || err_set(err, ERR_INVALID, "%s must be 0x and 40 hex digits", name);
}

static bool make(const struct args *args, struct err *err)
{
    struct load load = { .now_ms = clock_now_ms(&clock_system), .trace = args_value(args, "--trace") };
    uint64_t span_s;

    if (!args_u64(args, "--count", 100, 10000000, &load.count, err) || !args_u64(args, "--seed", 1, UINT64_MAX, &load.seed, err)
        || !args_u64(args, "--span", 600, 86400, &span_s, err) || !read_address(args, "--provider", true, &load.provider, err)
        || !read_address(args, "--consumer", false, &load.consumer, err) || !read_models(args_value(args, "--model"), &load, err))
        return false;
    load.span_ms = span_s * 1000;
    return load_make(&load, print_receipt, NULL, err);
}

/* ---- lines of receipts on stdin ---- */

typedef bool line_fn(void *self, const struct signed_receipt *receipt, struct err *err);

static bool read_line(const char *line, size_t len, uint64_t number, struct signed_receipt *r, struct err *err)
{
    struct faults faults = { 0 };
    bool has_job_id;
    json *object;
    bool ok;

    if (!json_read(line, len, &object, err))
        return err_prefix(err, "line %" PRIu64, number);
    receipt_from_json(object, RECEIPT_UNSIGNED, r, &has_job_id, &faults);
    json_free(object);
    ok = faults.count == 0
      || err_set(err, ERR_INVALID, "line %" PRIu64 ": %s: %s", number, faults.list[0].pointer, faults.list[0].detail);
    faults_clear(&faults);
    return ok;
}

static bool each_line(line_fn *take, void *self, struct err *err)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    uint64_t number = 0;
    bool ok = true;

    while (ok && (len = getline(&line, &capacity, stdin)) > 0) {
        struct signed_receipt r;
        size_t bytes = (size_t)len;

        number++;
        while (bytes > 0 && (line[bytes - 1] == '\n' || line[bytes - 1] == '\r'))
            bytes--;
        if (bytes == 0)
            continue;
        ok = bytes <= LINE_MAX_BYTES ? read_line(line, bytes, number, &r, err) && take(self, &r, err)
           : err_set(err, ERR_LIMIT, "line %" PRIu64 " is over %d bytes", number, LINE_MAX_BYTES);
    }
    free(line);
    return ok;
}

/* ---- sign ---- */

struct signing { struct signer *signer; struct domain domain; bool as_consumer; };

static bool sign_line(void *self, const struct signed_receipt *receipt, struct err *err)
{
    const struct signing *s = self;
    struct signed_receipt r = *receipt;
    struct address who = s->as_consumer ? r.receipt.consumer : r.receipt.provider;

    if (!address_eq(who, signer_address(s->signer)))
        return err_set(err, ERR_INVALID, "a receipt names another %s than the key's address", s->as_consumer ? "consumer" : "provider");
    if (!signer_sign_digest(s->signer, typed_digest(&s->domain, receipt_struct_hash(&r.receipt)),
                            s->as_consumer ? &r.consumer_signature : &r.signature, err))
        return false;
    if (s->as_consumer)
        r.has_consumer_signature = true;
    else
        r.has_signature = true;
    print_json(receipt_to_json(&r));
    return true;
}

/* The domain from --url (its /v1/info) or, without it, from the configuration. */
static bool find_domain(const struct args *args, struct domain *domain, struct err *err)
{
    const char *url = args_value(args, "--url");
    struct config config;
    bool ok;

    if (url != NULL)
        return node_fetch_domain(url, domain, err);
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
    bool ok = find_domain(args, &s.domain, err) && open_key(args, &s.signer, err) && each_line(sign_line, &s, err);

    signer_free(s.signer);
    return ok;
}

/* ---- post ---- */

struct posting { struct poster *poster; uint64_t lines, shown_ms; bool progress; };

static void show_progress(struct posting *p, bool last)
{
    const struct post_counts *c = poster_counts(p->poster);
    uint64_t now = clock_monotonic_ms();

    if (!p->progress || (!last && now - p->shown_ms < 500))
        return;
    p->shown_ms = now;
    fprintf(stderr, "\rposted %" PRIu64 ": %" PRIu64 " accepted, %" PRIu64 " duplicate, %" PRIu64 " quarantined, %" PRIu64 " rejected%s",
            c->sent, c->accepted, c->duplicate, c->quarantined, c->rejected, last ? "\n" : "");
}

static bool post_line(void *self, const struct signed_receipt *receipt, struct err *err)
{
    struct posting *p = self;

    if (!poster_add(p->poster, receipt, err))
        return false;
    show_progress(p, false);
    return true;
}

static void show_refused(void *self, const char *item)
{
    (void)self;
    fprintf(stderr, "%s\n", item);
}

static void print_counts(const struct post_counts *c)
{
    json *out = json_new_object();

    json_put_u64(out, "sent", c->sent);
    json_put_u64(out, "accepted", c->accepted);
    json_put_u64(out, "duplicate", c->duplicate);
    json_put_u64(out, "quarantined", c->quarantined);
    json_put_u64(out, "rejected", c->rejected);
    json_put_u64(out, "requests", c->requests);
    json_put_u64(out, "retries", c->retries);
    print_json(out);
}

static bool post(const struct args *args, struct err *err)
{
    struct post_config config = { .url = args_value(args, "--url"), .bundles = args_flag(args, "--bundle"), .give_up_ms = 60000 };
    struct posting p = { .progress = isatty(STDERR_FILENO) };
    struct signer *signer = NULL;
    uint64_t per_request;
    bool ok;

    if (config.url == NULL)
        return err_set(err, ERR_USAGE, "receipt post needs --url http://HOST:PORT");
    if (!args_u64(args, "--per-request", 500, 10000, &per_request, err))
        return false;
    config.per_request = per_request == 0 ? 1 : per_request;
    if (config.bundles && (!find_domain(args, &config.domain, err) || !open_key(args, &signer, err)))
        return false;
    config.signer = signer;
    p.poster = poster_new(&config);
    poster_on_refused(p.poster, show_refused, NULL);
    ok = each_line(post_line, &p, err) && poster_flush(p.poster, err);
    show_progress(&p, true);
    print_counts(poster_counts(p.poster));
    poster_free(p.poster);
    signer_free(signer);
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
            "  quittance receipt post --url http://127.0.0.1:8080\n\n"
            "post tries again, with the same jobIds, while the gateway is away for up to a minute; what is not accepted goes\n"
            "to stderr with its code, the counts to stdout.  Keep each receipt until GET /v1/receipts/{jobId} says committed or\n"
            "paid: after a lost disk the gateway asks for the others, and whatever is posted twice is a duplicate.",
    .run = receipt_run,
    .options = {
        { "--url", "URL", "sign, post: the gateway" },
        { "--key", "SPEC", "sign, post --bundle: keystore:PATH of the provider" },
        { "--passphrase-file", "PATH", "of that key" },
        { "--consumer-key", NULL, "sign: the key is the consumer's, add consumerSignature" },
        { "--per-request", "N", "post: receipts in one request (500)" },
        { "--bundle", NULL, "post: one signature a request, by --key; needs no signed receipts" },
        { "--provider", "ADDRESS", "make: whose receipts" },
        { "--consumer", "ADDRESS", "make: for whom the jobs were" },
        { "--model", "DIGESTS", "make: one or more, with commas" },
        { "--count", "N", "make: how many (100)" },
        { "--span", "SECONDS", "make: over how long (600), ending now" },
        { "--seed", "N", "make: the same seed makes the same jobs (1)" },
        { "--trace", "CSV", "make: after real traffic instead (TIMESTAMP,ContextTokens,GeneratedTokens)" },
    },
};

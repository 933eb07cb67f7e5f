/* loadgen --url http://127.0.0.1:PORT --key SPEC --passphrase-file PATH --models D[,D] --form object|array|bundle|binary
 *
 * Posts --requests of --per receipts over --connections, each answered before the connection's next; at --rate receipts a second, or as
 * fast as answers come.  Prints one JSON object: what was answered, the time from the first byte to the last answer, the CPU
 * time meanwhile of this process and of --pid, and latencies in ms: with a rate from the moment a request was due,
 * whether or not a connection was free then, so that a stop of the service counts for all that wait.  503 and 429 are tried again and counted.
 *
 * Jobs end when their request is made; with --pace N at N a second over all requests, as those of a network would, the last ones now.
 *
 * --acked FILE names the numbers of the requests that were answered with 2xx; --only FILE sends those, byte for byte, where seed and
 * --start are the same.  SIGTERM ends the sending, which begins with a line on stderr.  Whatever the answers were, the exit code is
 * 0: the counts tell. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/signer.h"
#include "gateway/base/clock.h"
#include "gateway/base/hex.h"
#include "gateway/node/domain.h"
#include "gateway/node/post.h"
#include "tests/bench/loadgen.h"

#define JOB_MAX_MS 15000u                     /* no job that load.h makes up takes as long, with its request's span */

static const struct option options[] = {
    { "url", required_argument, NULL, 'u' }, { "key", required_argument, NULL, 'k' }, { "passphrase-file", required_argument, NULL, 'f' },
    { "models", required_argument, NULL, 'm' }, { "form", required_argument, NULL, 'o' }, { "per", required_argument, NULL, 'n' },
    { "requests", required_argument, NULL, 'r' }, { "connections", required_argument, NULL, 'c' }, { "rate", required_argument, NULL, 'R' },
    { "seed", required_argument, NULL, 's' }, { "start", required_argument, NULL, 'S' }, { "ahead", required_argument, NULL, 'a' },
    { "pid", required_argument, NULL, 'p' }, { "minimal", no_argument, NULL, 'M' }, { "acked", required_argument, NULL, 'A' },
    { "only", required_argument, NULL, 'O' }, { "pace", required_argument, NULL, 'P' }, { 0 },
};

static void read_models(char *list, struct settings *s)
{
    for (char *save, *text = strtok_r(list, ",", &save); text != NULL; text = strtok_r(NULL, ",", &save))
        if (s->model_count == LOAD_MODELS_MAX || !hash_from_text(text, strlen(text), &s->models[s->model_count++]))
            bug("--models: %s", text);
}

static enum form read_form(const char *text)
{
    static const char *const names[] = { "object", "array", "bundle", "binary" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(text, names[i]) == 0)
            return (enum form)i;
    bug("--form: %s", text);
}

static uint64_t number_of(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);

    if (end == text || *end != 0)
        bug("no number: %s", text);
    return value;
}

static void add_provider(struct settings *s, const char *key, const char *passphrase)
{
    struct err err = { 0 };

    if (s->provider_count == PROVIDERS_MAX)
        bug("more than %d providers", PROVIDERS_MAX);
    if (!signer_open(key, passphrase, &s->providers[s->provider_count++], &err))
        bug("%s", err.text);
}

static void fetch_domain(struct settings *s, const char *url)
{
    struct http_client *http = http_new();
    struct err err = { 0 };

    if (!node_fetch_domain(http, url, &s->domain, &err))
        bug("%s", err.text);
    http_free(http);
}

void settings_read(struct settings *s, int argc, char **argv)
{
    const char *url = "", *key = NULL;
    uint64_t connections = 1;

    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (c) {
        case 'u': url = optarg; break;
        case 'k': key = optarg; break;
        case 'f': add_provider(s, key, optarg); break;
        case 'm': read_models(optarg, s); break;
        case 'o': s->form = read_form(optarg); break;
        case 'n': s->per_request = number_of(optarg); break;
        case 'r': s->requests = number_of(optarg); break;
        case 'c': connections = number_of(optarg); break;
        case 'R': s->rate = number_of(optarg); break;
        case 's': s->seed = number_of(optarg); break;
        case 'S': s->start_ms = number_of(optarg); break;
        case 'P': s->pace = number_of(optarg); break;
        case 'a': s->ahead = number_of(optarg); break;
        case 'p': s->pid = (long)number_of(optarg); break;
        case 'M': s->minimal = true; break;
        case 'A': s->acked_file = optarg; break;
        case 'O': s->only_file = optarg; break;
        default: exit(64);
        }
    s->ahead = s->ahead == 0 || s->ahead > s->requests ? s->requests : s->ahead;
    s->connections = (unsigned)connections;
    if (sscanf(url, "http://%63[0-9.]:%" SCNu16, s->host, &s->port) != 2 || s->provider_count == 0 || s->model_count == 0 || s->requests == 0
        || connections == 0 || connections > CONNECTIONS_MAX || s->per_request == 0 || s->per_request > POST_PER_REQUEST_MAX
        || (s->form == FORM_OBJECT && s->per_request != 1))
        bug("loadgen: see the head of tests/bench/loadgen_options.c");
    if (s->pace > 0 && s->start_ms == 0)
        s->start_ms = clock_now_ms(&clock_system) - JOB_MAX_MS - s->requests * s->per_request * 1000 / s->pace;
    fetch_domain(s, url);
}

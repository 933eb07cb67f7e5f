/* The load generator: sends, counts, and says what it cost.  Its options are in loadgen_options.c. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "chain/http.h"
#include "chain/signer.h"
#include "gateway/base/clock.h"
#include "gateway/base/mem.h"
#include "gateway/lib/secp.h"
#include "tests/bench/loadgen.h"

#define BUSY_PAUSE_MS 20

struct run {
    struct settings settings;
    bool *only, *acked;
    struct stock *stock;
    uint64_t began_us;

    pthread_mutex_t lock;                     /* of what follows */
    uint32_t *latency_us;                     /* of the answers so far, each; sorted for the report */
    uint64_t answered, busy, failed, cut, accepted, duplicate, quarantined, rejected, last_us, gap_us;
    char first_failure[256];
};

static atomic_bool interrupted;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&interrupted, true);
}

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- sending ---- */

/* Waits until this request is due; returns that moment, or now where there is no rate.  The schedule does not wait for anybody: where
 * all connections were busy the moment has passed. */
static uint64_t wait_for_turn(const struct run *run, uint64_t number)
{
    uint64_t now = now_us(), due_us;

    if (run->settings.rate == 0)
        return now;
    due_us = run->began_us + number * run->settings.per_request * 1000000 / run->settings.rate;
    while (now < due_us && !atomic_load(&interrupted)) {
        clock_sleep_ms((due_us - now) / 1000 + 1 < 100 ? (due_us - now) / 1000 + 1 : 100);
        now = now_us();
    }
    return due_us;
}

static void note(struct run *run, uint64_t number, const struct reply *reply, uint64_t due_us)
{
    uint64_t at_us;

    pthread_mutex_lock(&run->lock);
    at_us = now_us();                         /* under the lock, so that no answer before is later */
    if (reply->status / 100 == 2) {
        run->latency_us[run->answered++] = at_us - due_us < UINT32_MAX ? (uint32_t)(at_us - due_us) : UINT32_MAX;
        run->accepted += reply->accepted;
        run->duplicate += reply->duplicate;
        run->quarantined += reply->quarantined;
        run->rejected += reply->rejected;
        run->acked[number] = true;
        run->gap_us = at_us - run->last_us > run->gap_us ? at_us - run->last_us : run->gap_us;
        run->last_us = at_us;
    } else if (reply->status == 503 || reply->status == 429) {
        run->busy++;
    } else if (reply->status == 0) {
        run->cut++;
    } else if (run->failed++ == 0) {
        snprintf(run->first_failure, sizeof run->first_failure, "%d %.200s", reply->status, reply->text);
    }
    pthread_mutex_unlock(&run->lock);
}

/* false: the connection is gone. */
static bool send_one(struct run *run, struct connection *c, uint64_t number, const struct buf *request)
{
    uint64_t due_us = wait_for_turn(run, number);
    struct reply reply;

    do {
        reply = connection_exchange(c, request);
        note(run, number, &reply, due_us);
        if (reply.status == 503 || reply.status == 429)
            clock_sleep_ms(BUSY_PAUSE_MS);
    } while ((reply.status == 503 || reply.status == 429) && !atomic_load(&interrupted));
    return reply.status != 0;
}

static void *sender_main(void *self)
{
    struct run *run = self;
    struct connection *c = connection_new(&run->settings);
    struct buf request;
    uint64_t number;
    bool connected = c != NULL;

    if (c == NULL)
        note(run, 0, &(struct reply){ .text = "" }, 0);
    while (connected && !atomic_load(&interrupted) && stock_take(run->stock, &number, &request)) {
        connected = send_one(run, c, number, &request);
        buf_clear(&request);
    }
    connection_free(c);
    return NULL;
}

static void send_all(struct run *run)
{
    pthread_t senders[CONNECTIONS_MAX];

    run->began_us = run->last_us = now_us();
    for (unsigned i = 0; i < run->settings.connections; i++)
        if (pthread_create(&senders[i], NULL, sender_main, run) != 0)
            bug("no thread");
    for (unsigned i = 0; i < run->settings.connections; i++)
        pthread_join(senders[i], NULL);
}

/* ---- whose CPU ---- */

static double own_cpu(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* proc(5): fields 14 and 15, after the name in parentheses.  0 for a service that is gone, also between open and read. */
static double cpu_of(long pid)
{
    unsigned long long user = 0, system = 0;
    char path[64], text[1024] = "";
    const char *after;
    FILE *f;

    if (pid == 0)
        return 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    f = fopen(path, "r");
    if (f == NULL)
        return 0;
    if (fread(text, 1, sizeof text - 1, f) != 0
        && ((after = strrchr(text, ')')) == NULL
            || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2))
        bug("%s is not as proc(5) says", path);
    fclose(f);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* ---- the report ---- */

static int by_latency(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* Not less than so many of all that were answered. */
static double latency_ms(const struct run *run, unsigned per_mille)
{
    return run->answered == 0 ? 0 : (double)run->latency_us[(run->answered * per_mille + 999) / 1000 - 1] / 1000;
}

static void report(const struct run *run, double seconds, double cpu, double service_cpu)
{
    printf("{\"answered\":%" PRIu64 ",\"accepted\":%" PRIu64 ",\"duplicate\":%" PRIu64 ",\"quarantined\":%" PRIu64 ",\"rejected\":%" PRIu64
           ",\"busy\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"cut\":%" PRIu64 ",\"seconds\":%.6f,\"cpuSeconds\":%.6f,\"serviceCpuSeconds\":%.6f"
           ",\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f,\"longestGap\":%.3f,\"waits\":%" PRIu64 "}\n",
           run->answered, run->accepted, run->duplicate, run->quarantined, run->rejected, run->busy, run->failed, run->cut, seconds, cpu,
           service_cpu, latency_ms(run, 500), latency_ms(run, 990), latency_ms(run, 1000), (double)run->gap_us / 1000,
           stock_waits(run->stock));
    if (run->failed > 0)
        fprintf(stderr, "loadgen: %" PRIu64 " requests failed, the first with %s\n", run->failed, run->first_failure);
}

static void write_acked(const struct run *run)
{
    FILE *f = fopen(run->settings.acked_file, "w");

    if (f == NULL)
        bug("%s: %s", run->settings.acked_file, strerror(errno));
    for (uint64_t i = 0; i < run->settings.requests; i++)
        if (run->acked[i])
            fprintf(f, "%" PRIu64 "\n", i);
    if (fclose(f) != 0)
        bug("%s: %s", run->settings.acked_file, strerror(errno));
}

static void read_only(struct run *run)
{
    FILE *f = fopen(run->settings.only_file, "r");
    uint64_t number;

    if (f == NULL)
        bug("%s: %s", run->settings.only_file, strerror(errno));
    run->only = mem_array(run->settings.requests, sizeof *run->only);
    while (fscanf(f, "%" SCNu64, &number) == 1)
        if (number < run->settings.requests)
            run->only[number] = true;
    fclose(f);
    run->settings.wanted = run->only;
}

int main(int argc, char **argv)
{
    struct run run = { .settings = { .per_request = 1, .seed = 1 }, .lock = PTHREAD_MUTEX_INITIALIZER };
    struct sigaction action = { .sa_handler = on_signal };
    double seconds, cpu, service_cpu;
    struct err err = { 0 };

    if (!secp_start(&err) || !http_start(&err))
        bug("%s", err.text);
    settings_read(&run.settings, argc, argv);
    sigaction(SIGTERM, &action, NULL);
    run.acked = mem_array(run.settings.requests, sizeof *run.acked);
    run.latency_us = mem_array(run.settings.requests, sizeof *run.latency_us);
    if (run.settings.only_file != NULL)
        read_only(&run);
    run.stock = stock_new(&run.settings);
    fprintf(stderr, "sending\n");            /* whoever started this may wait for it */
    cpu = own_cpu();
    service_cpu = cpu_of(run.settings.pid);
    send_all(&run);
    seconds = (double)(run.last_us - run.began_us) / 1e6;
    cpu = own_cpu() - cpu;
    service_cpu = cpu_of(run.settings.pid) - service_cpu;
    qsort(run.latency_us, run.answered, sizeof *run.latency_us, by_latency);
    report(&run, seconds, cpu, service_cpu);
    if (run.settings.acked_file != NULL)
        write_acked(&run);
    stock_free(run.stock);
    for (size_t i = 0; i < run.settings.provider_count; i++)
        signer_free(run.settings.providers[i]);
    free(run.acked);
    free(run.latency_us);
    free(run.only);
    http_stop();
    secp_stop();
    return 0;
}

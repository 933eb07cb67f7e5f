/* gateway/node/load.c - see load.h.  Everything but the moment "now" follows from the seed. */
#include "gateway/node/load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/mem.h"

#define TRACE_ROWS_MAX 10000000u
#define MS_PER_OUTPUT_TOKEN 12u
#define MS_PER_1000_INPUT_TOKENS 35u

struct job { uint64_t at_ms, input, output; };      /* at_ms: arrival, on any clock */
struct jobs { struct job *list; size_t count, capacity; };

/* splitmix64 (Steele, Lea, Flood 2014): small, seeded, good enough to make up work. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* The k-th random number of job i. */
static uint64_t draw(const struct load *load, uint64_t i, uint64_t k)
{
    return mix(mix(load->seed ^ (i * UINT64_C(0x632be59bd9b4e019))) + k);
}

static void add_job(struct jobs *jobs, struct job job)
{
    if (jobs->count == jobs->capacity) {
        jobs->capacity = jobs->capacity == 0 ? 1024 : jobs->capacity * 2;
        jobs->list = mem_grow(jobs->list, jobs->capacity, sizeof *jobs->list);
    }
    jobs->list[jobs->count++] = job;
}

static void make_up_jobs(const struct load *load, struct jobs *jobs)
{
    for (uint64_t i = 0; i < load->count; i++)
        add_job(jobs, (struct job){
            .at_ms = load->count < 2 ? 0 : load->span_ms * i / (load->count - 1),
            .input = 50 + draw(load, i, 1) % 4000,
            .output = 10 + draw(load, i, 2) % 800,
        });
}

/* "2023-11-16 18:15:46.6805900" in ms; the trace names no zone and needs none. */
static bool read_time(const char *text, uint64_t *ms)
{
    struct tm tm = { 0 };
    unsigned fraction = 0;
    int used = 0;

    if (sscanf(text, "%4d-%2d-%2d %2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) != 6)
        return false;
    if (text[used] == '.') {
        char digits[4] = "000";

        for (int i = 0; i < 3 && text[used + 1 + i] >= '0' && text[used + 1 + i] <= '9'; i++)
            digits[i] = text[used + 1 + i];
        fraction = (unsigned)((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0'));
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    time_t seconds = timegm(&tm);
    if (seconds < 0)
        return false;
    *ms = (uint64_t)seconds * 1000 + fraction;
    return true;
}

static bool read_row(char *line, struct job *job)
{
    char *input = strchr(line, ','), *output = input != NULL ? strchr(input + 1, ',') : NULL;
    struct u256 in, out;

    if (output == NULL)
        return false;
    *input++ = 0;
    *output++ = 0;
    output[strcspn(output, "\r\n")] = 0;
    return read_time(line, &job->at_ms) && u256_from_decimal(input, strlen(input), &in)
        && u256_from_decimal(output, strlen(output), &out) && u256_to_u64(in, &job->input) && u256_to_u64(out, &job->output)
        && job->input <= RECEIPT_COUNT_MAX && job->output <= RECEIPT_COUNT_MAX;
}

static bool read_trace(const char *path, struct jobs *jobs, struct err *err)
{
    FILE *f = fopen(path, "r");
    char line[256];
    uint64_t number = 0;
    bool ok = true;

    if (f == NULL)
        return err_set(err, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    while (ok && fgets(line, sizeof line, f) != NULL) {
        struct job job;

        number++;
        if (number == 1 && strncmp(line, "TIMESTAMP,ContextTokens,GeneratedTokens", 39) == 0)
            continue;
        if (number == 1)
            ok = err_set(err, ERR_INVALID, "%s: the first line must be TIMESTAMP,ContextTokens,GeneratedTokens", path);
        else if (!read_row(line, &job))
            ok = err_set(err, ERR_INVALID, "%s:%" PRIu64 ": must be a time and two counts", path, number);
        else if (jobs->count == TRACE_ROWS_MAX)
            ok = err_set(err, ERR_LIMIT, "%s: more than %u rows", path, TRACE_ROWS_MAX);
        else
            add_job(jobs, job);
    }
    if (ok && ferror(f))
        ok = err_set(err, ERR_IO, "cannot read %s", path);
    fclose(f);
    return ok;
}

/* Busy time follows the tokens, with up to a quarter more as the seed wants it. */
static uint64_t duration(const struct load *load, const struct job *job, uint64_t i)
{
    uint64_t ms = 20 + job->output * MS_PER_OUTPUT_TOKEN + job->input * MS_PER_1000_INPUT_TOKENS / 1000;

    return ms + ms * (draw(load, i, 3) % 1000) / 4000;
}

/* RFC 9562 section 5.7: 48 bits of time, version 7, variant 10.  Jobs of one millisecond are kept in order by a counter in
 * the 26 bits that follow (section 6.2, method 1); 48 random bits are left. */
static struct job_id make_job_id(uint64_t at_ms, uint64_t counter, uint64_t random)
{
    struct job_id id;

    for (int i = 0; i < 6; i++) {
        id.b[i] = (uint8_t)(at_ms >> (40 - 8 * i));
        id.b[10 + i] = (uint8_t)(random >> (8 * i));
    }
    id.b[6] = (uint8_t)(0x70 | (counter >> 22 & 0x0f));
    id.b[7] = (uint8_t)(counter >> 14);
    id.b[8] = (uint8_t)(0x80 | (counter >> 8 & 0x3f));
    id.b[9] = (uint8_t)counter;
    return id;
}

/* How many jobs before this one began in the same millisecond. */
struct counter { uint64_t at_ms, count; };

static uint64_t count_on(struct counter *c, uint64_t at_ms)
{
    c->count = c->at_ms == at_ms ? c->count + 1 : 0;
    c->at_ms = at_ms;
    return c->count;
}

static struct receipt make_receipt(const struct load *load, const struct job *job, uint64_t i, uint64_t shift_ms, struct counter *counter)
{
    struct receipt r = { .provider = load->provider };
    uint64_t busy = duration(load, job, i);

    if (load->consumer_count > 0)
        r.consumer = load->consumers[draw(load, i, 6) % load->consumer_count];
    r.model = load->models[draw(load, i, 4) % load->model_count];
    r.count[METER_INPUT] = job->input;
    r.count[METER_CACHED] = draw(load, i, 5) % 4 == 0 ? job->input / 2 : 0;
    r.count[METER_OUTPUT] = job->output;
    r.count[METER_COMPUTE_MS] = busy;
    r.started_at_ms = job->at_ms + shift_ms;
    r.finished_at_ms = r.started_at_ms + busy;
    r.job_id = make_job_id(r.started_at_ms, count_on(counter, r.started_at_ms), mix(draw(load, i, 7) ^ shift_ms));
    return r;
}

/* What to add to arrival times so that the last job to end ends now, or the first to begin begins at the start. */
static bool find_shift(const struct load *load, const struct jobs *jobs, uint64_t *shift_ms, struct err *err)
{
    uint64_t first = jobs->count > 0 ? jobs->list[0].at_ms : 0, last = 0;

    for (size_t i = 0; i < jobs->count; i++) {
        uint64_t end = jobs->list[i].at_ms + duration(load, &jobs->list[i], i);

        last = end > last ? end : last;
        first = jobs->list[i].at_ms < first ? jobs->list[i].at_ms : first;
    }
    if (load->start_ms > 0) {
        *shift_ms = load->start_ms - first;      /* wraps where the trace is younger: the sum is right again */
        return true;
    }
    if (last > load->now_ms)
        return err_set(err, ERR_INVALID, "the load is longer than the time since 1970");
    *shift_ms = load->now_ms - last;
    return true;
}

MUST_USE bool load_make(const struct load *load, load_fn *made, void *self, struct err *err)
{
    struct jobs jobs = { 0 };
    struct counter counter = { 0 };
    uint64_t shift_ms = 0;
    bool ok = true;

    if (load->model_count == 0)
        return err_set(err, ERR_INVALID, "a load needs a model");
    if (load->trace == NULL)
        make_up_jobs(load, &jobs);
    else
        ok = read_trace(load->trace, &jobs, err);
    ok = ok && find_shift(load, &jobs, &shift_ms, err);
    for (size_t i = 0; ok && i < jobs.count; i++) {
        struct receipt r = make_receipt(load, &jobs.list[i], i, shift_ms, &counter);
        ok = made(self, &r, err);
    }
    free(jobs.list);
    return ok;
}

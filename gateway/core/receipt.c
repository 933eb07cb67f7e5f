/* A receipt's fields, its word and packed forms, and the rules on its content alone (receipt.h). */
#include "gateway/core/receipt.h"

#include "gateway/core/word.h"

#include <inttypes.h>

#define JOB_BEFORE_START_MS (UINT64_C(24) * 3600 * 1000)
#define JOB_AFTER_FINISH_MS (UINT64_C(5) * 60 * 1000)
#define AHEAD_MAX_MS        (UINT64_C(5) * 60 * 1000)

const char *const meter_names[METER_COUNT] = { "inputTokens", "cachedTokens", "outputTokens", "units", "computeMs" };

const struct receipt_field receipt_fields[RECEIPT_FIELDS] = {
    /* name           kind           offset                                            required */
    { "jobId",        FIELD_JOB_ID,  offsetof(struct receipt, job_id),                  true },
    { "provider",     FIELD_ADDRESS, offsetof(struct receipt, provider),                true },
    { "model",        FIELD_HASH,    offsetof(struct receipt, model),                   true },
    { "consumer",     FIELD_ADDRESS, offsetof(struct receipt, consumer),                false },
    { "inputTokens",  FIELD_COUNT,   offsetof(struct receipt, count[METER_INPUT]),      false },
    { "cachedTokens", FIELD_COUNT,   offsetof(struct receipt, count[METER_CACHED]),     false },
    { "outputTokens", FIELD_COUNT,   offsetof(struct receipt, count[METER_OUTPUT]),     false },
    { "units",        FIELD_COUNT,   offsetof(struct receipt, count[METER_UNITS]),      false },
    { "computeMs",    FIELD_COUNT,   offsetof(struct receipt, count[METER_COMPUTE_MS]), false },
    { "startedAt",    FIELD_TIME,    offsetof(struct receipt, started_at_ms),           true },
    { "finishedAt",   FIELD_TIME,    offsetof(struct receipt, finished_at_ms),          true },
    { "quote",        FIELD_HASH,    offsetof(struct receipt, quote),                   false },
    { "evidence",     FIELD_HASH,    offsetof(struct receipt, evidence),                false },
};

/* Where a kind's bytes lie in their word; the packed form is these bytes alone. */
static const struct { size_t at, len; bool number; } kinds[] = {
    [FIELD_JOB_ID]  = { 0, 16, false },
    [FIELD_ADDRESS] = { 12, 20, false },
    [FIELD_HASH]    = { 0, 32, false },
    [FIELD_COUNT]   = { 24, 8, true },
    [FIELD_TIME]    = { 24, 8, true },
};

static void field_put(const struct receipt *r, const struct receipt_field *f, uint8_t *bytes)
{
    const uint8_t *member = (const uint8_t *)r + f->offset;
    uint64_t number;

    if (!kinds[f->kind].number) {
        memcpy(bytes, member, kinds[f->kind].len);
        return;
    }
    memcpy(&number, member, sizeof number);
    be64_put(bytes, number);
}

static void field_get(struct receipt *r, const struct receipt_field *f, const uint8_t *bytes)
{
    uint8_t *member = (uint8_t *)r + f->offset;
    uint64_t number;

    if (!kinds[f->kind].number) {
        memcpy(member, bytes, kinds[f->kind].len);
        return;
    }
    number = be64_get(bytes);
    memcpy(member, &number, sizeof number);
}

void receipt_to_words(const struct receipt *r, uint8_t words[RECEIPT_WORDS])
{
    memset(words, 0, RECEIPT_WORDS);
    for (size_t i = 0; i < RECEIPT_FIELDS; i++)
        field_put(r, &receipt_fields[i], words + i * WORD + kinds[receipt_fields[i].kind].at);
}

/* Four bytes at a time: all kinds begin and end there. */
static bool padding_is_zero(const uint8_t *word, size_t at, size_t len)
{
    uint32_t any = 0, part;

    for (size_t i = 0; i < at; i += sizeof part) {
        memcpy(&part, word + i, sizeof part);
        any |= part;
    }
    for (size_t i = at + len; i < WORD; i += sizeof part) {
        memcpy(&part, word + i, sizeof part);
        any |= part;
    }
    return any == 0;
}

static void add_field_fault(struct faults *faults, const struct receipt_field *f, const char *detail)
{
    char pointer[32] = "/";

    strncat(pointer, f->name, sizeof pointer - 2);
    faults_add(faults, CODE_MALFORMED, pointer, "%s", detail);
}

void receipt_from_words(const uint8_t words[RECEIPT_WORDS], struct receipt *r, struct faults *faults)
{
    for (size_t i = 0; i < RECEIPT_FIELDS; i++) {
        const struct receipt_field *f = &receipt_fields[i];
        const uint8_t *word = words + i * WORD;
        size_t at = kinds[f->kind].at;

        field_get(r, f, word + at);
        if (!padding_is_zero(word, at, kinds[f->kind].len))
            add_field_fault(faults, f, "padding of the word is not zero");
        else if (f->kind == FIELD_COUNT && be64_get(word + at) > RECEIPT_COUNT_MAX)
            add_field_fault(faults, f, "an integer from 0 to 2^53 - 1");
    }
}

void receipt_pack(const struct receipt *r, uint8_t packed[RECEIPT_PACKED])
{
    for (size_t i = 0; i < RECEIPT_FIELDS; i++) {
        field_put(r, &receipt_fields[i], packed);
        packed += kinds[receipt_fields[i].kind].len;
    }
}

void receipt_unpack(const uint8_t packed[RECEIPT_PACKED], struct receipt *r)
{
    for (size_t i = 0; i < RECEIPT_FIELDS; i++) {
        field_get(r, &receipt_fields[i], packed);
        packed += kinds[receipt_fields[i].kind].len;
    }
}

uint64_t job_id_time_ms(struct job_id id)
{
    return be64_get(id.b) >> 16;
}

static bool is_faulty(const struct faults *faults, const char *pointer)
{
    for (size_t i = 0; i < faults->count; i++)
        if (strcmp(faults->list[i].pointer, pointer) == 0)
            return true;
    return false;
}

static bool exceeds(uint64_t a, uint64_t b, uint64_t by)
{
    return a > b && a - b > by;     /* b + by may pass 64 bits */
}

static void check_job_id(const struct receipt *r, bool times_known, struct faults *faults)
{
    uint64_t time_ms = job_id_time_ms(r->job_id);
    uint64_t end_ms = r->finished_at_ms > r->started_at_ms ? r->finished_at_ms : r->started_at_ms;

    if (r->job_id.b[6] >> 4 != 7 || r->job_id.b[8] >> 6 != 2)
        faults_add(faults, CODE_MALFORMED, "/jobId", "not a UUID of version 7 (RFC 9562)");
    else if (!times_known)
        return;
    else if (exceeds(r->started_at_ms, time_ms, JOB_BEFORE_START_MS))
        faults_add(faults, CODE_MALFORMED, "/jobId", "its time %" PRIu64 " is more than 24 h before startedAt", time_ms);
    /* Where the finish lies before the start, that is the rule to name: the later of both bounds the job here. */
    else if (exceeds(time_ms, end_ms, JOB_AFTER_FINISH_MS))
        faults_add(faults, CODE_MALFORMED, "/jobId", "its time %" PRIu64 " is more than 5 min after finishedAt", time_ms);
}

static void check_counts(const struct receipt *r, struct faults *faults)
{
    for (size_t i = 0; i < RECEIPT_FIELDS; i++) {
        const struct receipt_field *f = &receipt_fields[i];
        uint64_t number;

        if (f->kind != FIELD_COUNT)
            continue;
        memcpy(&number, (const uint8_t *)r + f->offset, sizeof number);
        if (number > RECEIPT_COUNT_MAX)
            add_field_fault(faults, f, "an integer from 0 to 2^53 - 1");
    }
}

static void check_times(const struct receipt *r, uint64_t now_ms, struct faults *faults)
{
    if (r->finished_at_ms < r->started_at_ms)
        faults_add(faults, CODE_FINISHED_BEFORE_STARTED, "/finishedAt", "%" PRIu64 " ms before startedAt",
                   r->started_at_ms - r->finished_at_ms);
    if (exceeds(r->finished_at_ms, now_ms, AHEAD_MAX_MS))
        faults_add(faults, CODE_FINISHED_IN_FUTURE, "/finishedAt", "%" PRIu64 " ms ahead of now, allowed are %" PRIu64 " ms",
                   r->finished_at_ms - now_ms, AHEAD_MAX_MS);
}

void receipt_check(const struct receipt *r, uint64_t now_ms, struct faults *faults)
{
    bool shaped = faults->count == 0;
    bool times_known = shaped || (!is_faulty(faults, "/startedAt") && !is_faulty(faults, "/finishedAt"));
    bool tokens_known = shaped || (!is_faulty(faults, "/inputTokens") && !is_faulty(faults, "/cachedTokens"));

    if (shaped)
        check_counts(r, faults);
    if (shaped || !is_faulty(faults, "/jobId"))
        check_job_id(r, times_known, faults);
    if (tokens_known && r->count[METER_CACHED] > r->count[METER_INPUT])
        faults_add(faults, CODE_MALFORMED, "/cachedTokens", "%" PRIu64 " cached of %" PRIu64 " input tokens",
                   r->count[METER_CACHED], r->count[METER_INPUT]);
    if (times_known)
        check_times(r, now_ms, faults);
}

#include "gateway/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/hex.h"

/* A line is at most PIPE_BUF bytes and goes out in one write: lines of several threads then never mix, not even in a
 * pipe (POSIX write).  What does not fit is left out. */
struct line {
    char text[PIPE_BUF];
    size_t len;
};

#define TEXT_MAX 1024        /* bytes of one value */

static _Atomic int least_level = LOG_NOTICE_LEVEL;

void log_set_level(enum log_level least)
{
    atomic_store(&least_level, (int)least);
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_ERROR_LEVEL:  return "error";
    case LOG_WARN_LEVEL:   return "warn";
    case LOG_NOTICE_LEVEL: return "notice";
    case LOG_DEBUG_LEVEL:  return "debug";
    }
    bug("log level %d", (int)level);
}

static void add(struct line *l, const char *text)
{
    size_t len = strlen(text), room = sizeof l->text - 1 - l->len;     /* 1: the newline */

    if (len > room)
        len = room;
    memcpy(l->text + l->len, text, len);
    l->len += len;
}

static bool is_plain(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~' || *text == '"' || *text == '=' || *text == '\\')
            return false;
    return true;
}

/* Everything but printable ASCII is escaped: a value from outside must not start a line or move a terminal. */
static void add_quoted(struct line *l, const char *text)
{
    size_t i;

    add(l, "\"");
    for (i = 0; text[i] != '\0' && i < TEXT_MAX; i++) {
        char piece[5] = { text[i] };

        if (text[i] == '"' || text[i] == '\\')
            snprintf(piece, sizeof piece, "\\%c", text[i]);
        else if (text[i] == '\n')
            snprintf(piece, sizeof piece, "\\n");
        else if (text[i] < ' ' || text[i] > '~')
            snprintf(piece, sizeof piece, "\\x%02x", (unsigned char)text[i]);
        add(l, piece);
    }
    add(l, text[i] != '\0' ? "...\"" : "\"");
}

static void add_value(struct line *l, const struct kv *pair)
{
    char text[U256_DECIMAL_MAX];

    switch (pair->type) {
    case KV_TYPE_END:
        return;
    case KV_TYPE_U64:
        snprintf(text, sizeof text, "%" PRIu64, pair->v.u64);
        break;
    case KV_TYPE_I64:
        snprintf(text, sizeof text, "%" PRId64, pair->v.i64);
        break;
    case KV_TYPE_TEXT:
        if (pair->v.text == NULL || !is_plain(pair->v.text) || strlen(pair->v.text) > TEXT_MAX)
            add_quoted(l, pair->v.text != NULL ? pair->v.text : "");
        else
            add(l, pair->v.text);
        return;
    case KV_TYPE_HASH:
        hex_encode(pair->v.bytes, sizeof(struct hash), text);
        break;
    case KV_TYPE_ADDRESS:
        hex_encode(pair->v.bytes, sizeof(struct address), text);
        break;
    case KV_TYPE_JOB:
        job_id_to_text(*(const struct job_id *)pair->v.bytes, text);
        break;
    case KV_TYPE_AMOUNT:
        u256_to_decimal(((const struct amount *)pair->v.bytes)->base_units, text);
        break;
    }
    add(l, text);
}

bool log_takes(enum log_level level)
{
    return (int)level <= atomic_load(&least_level);
}

void log_write(enum log_level level, const char *event, const struct kv *pairs)
{
    struct line l = { .len = 0 };
    char now[CLOCK_TEXT];

    if (!log_takes(level))
        return;
    clock_to_text(clock_now_ms(&clock_system), now);
    add(&l, "ts=");
    add(&l, now);
    add(&l, " level=");
    add(&l, level_name(level));
    add(&l, " event=");
    add(&l, event);
    for (; pairs != NULL && pairs->type != KV_TYPE_END; pairs++) {
        add(&l, " ");
        add(&l, pairs->key);
        add(&l, "=");
        add_value(&l, pairs);
    }
    l.text[l.len++] = '\n';
    while (write(STDERR_FILENO, l.text, l.len) < 0 && errno == EINTR)
        continue;
}

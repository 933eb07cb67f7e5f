/* gateway/base/log.h - one logfmt line an event, on stderr (design 7).
 *
 * ts=... level=... event=past_tense_name key=value ...  Keys are the same everywhere: sequence, batch, tx, job,
 * provider, account, nonce, code, ms, count, error.  Values with spaces or quotes are quoted and escaped, control
 * characters too.  A secret is never logged.  Called from intake, settle, api and gateway/ only. */
#ifndef QUITTANCE_BASE_LOG_H
#define QUITTANCE_BASE_LOG_H

#include "gateway/base/types.h"

enum log_level { LOG_ERROR_LEVEL, LOG_WARN_LEVEL, LOG_NOTICE_LEVEL, LOG_DEBUG_LEVEL };

enum kv_type {
    KV_TYPE_END, KV_TYPE_U64, KV_TYPE_I64, KV_TYPE_TEXT, KV_TYPE_HASH, KV_TYPE_ADDRESS, KV_TYPE_JOB, KV_TYPE_AMOUNT
};

struct kv {
    const char *key;
    enum kv_type type;
    union { uint64_t u64; int64_t i64; const char *text; const void *bytes; } v;
};

#define KV_U64(k, x)     ((struct kv){ (k), KV_TYPE_U64, { .u64 = (x) } })
#define KV_I64(k, x)     ((struct kv){ (k), KV_TYPE_I64, { .i64 = (x) } })
#define KV_TEXT(k, x)    ((struct kv){ (k), KV_TYPE_TEXT, { .text = (x) } })
#define KV_HASH(k, p)    ((struct kv){ (k), KV_TYPE_HASH, { .bytes = (p) } })      /* const struct hash * */
#define KV_ADDRESS(k, p) ((struct kv){ (k), KV_TYPE_ADDRESS, { .bytes = (p) } })   /* const struct address * */
#define KV_JOB(k, p)     ((struct kv){ (k), KV_TYPE_JOB, { .bytes = (p) } })
#define KV_AMOUNT(k, p)  ((struct kv){ (k), KV_TYPE_AMOUNT, { .bytes = (p) } })    /* const struct amount * */

void log_set_level(enum log_level least);
bool log_takes(enum log_level level);         /* whether such a line is written: for values that cost something to make */
void log_write(enum log_level level, const char *event, const struct kv *pairs);
#define log_event(level, event, ...) log_write((level), (event), (const struct kv[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } })

#endif

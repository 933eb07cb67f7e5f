/* The codes a receipt can end with, and the list of what is wrong with one (receipt.h). */
#include "gateway/core/receipt.h"

#include "gateway/base/mem.h"
#include "gateway/core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const struct code_row receipt_codes[RECEIPT_CODES] = {
    /*                                   name                          status            released by itself */
    [CODE_ACCEPTED]                   = { "",                           ITEM_ACCEPTED,    false },
    [CODE_MALFORMED]                  = { "malformed",                  ITEM_REJECTED,    false },
    [CODE_FINISHED_BEFORE_STARTED]    = { "finished-before-started",    ITEM_REJECTED,    false },
    [CODE_FINISHED_IN_FUTURE]         = { "finished-in-future",         ITEM_REJECTED,    false },
    [CODE_DUPLICATE]                  = { "duplicate",                  ITEM_DUPLICATE,   false },
    [CODE_INVALID_SIGNATURE]          = { "invalid-signature",          ITEM_REJECTED,    false },
    [CODE_INVALID_CONSUMER_SIGNATURE] = { "invalid-consumer-signature", ITEM_REJECTED,    false },
    [CODE_CONFLICTING_RECEIPT]        = { "conflicting-receipt",        ITEM_REJECTED,    false },
    [CODE_UNKNOWN_PROVIDER]           = { "unknown-provider",           ITEM_QUARANTINED, true },
    [CODE_UNKNOWN_MODEL]              = { "unknown-model",              ITEM_QUARANTINED, true },
    [CODE_UNVERIFIED_CREATOR]         = { "unverified-creator",         ITEM_QUARANTINED, true },
    [CODE_UNPRICED]                   = { "unpriced",                   ITEM_QUARANTINED, true },
    [CODE_LATE]                       = { "late",                       ITEM_QUARANTINED, false },
    [CODE_DUPLICATE_JOB]              = { "duplicate-job",              ITEM_QUARANTINED, false },
    [CODE_IMPLAUSIBLE_USAGE]          = { "implausible-usage",          ITEM_QUARANTINED, false },
    [CODE_OVER_LIMIT]                 = { "over-limit",                 ITEM_QUARANTINED, false },
    [CODE_COUNTERSIGNATURE_MISSING]   = { "countersignature-missing",   ITEM_QUARANTINED, false },
    [CODE_QUOTE_MISMATCH]             = { "quote-mismatch",             ITEM_QUARANTINED, false },
    [CODE_TOO_MANY]                   = { "too-many",                   ITEM_REJECTED,    false },
};

bool receipt_code_from_name(const char *name, enum receipt_code *code)
{
    for (int i = CODE_MALFORMED; i < RECEIPT_CODES; i++)
        if (strcmp(receipt_codes[i].name, name) == 0) {
            *code = (enum receipt_code)i;
            return true;
        }
    return false;
}

const char *item_status_name(enum item_status status)
{
    switch (status) {
    case ITEM_ACCEPTED:    return "accepted";
    case ITEM_DUPLICATE:   return "duplicate";
    case ITEM_QUARANTINED: return "quarantined";
    case ITEM_REJECTED:    return "rejected";
    }
    bug("item status %d", (int)status);
}

void faults_clear(struct faults *f)
{
    free(f->list);
    *f = (struct faults){ 0 };
}

void faults_add(struct faults *f, enum receipt_code code, const char *pointer, const char *detail, ...)
{
    struct fault *fault;
    size_t len;
    va_list args;

    if (f->count == FAULTS_MAX)
        return;
    /* Room doubles: the count is a power of two exactly when the list is full. */
    if ((f->count & (f->count - 1)) == 0)
        f->list = mem_grow(f->list, f->count == 0 ? 1 : f->count * 2, sizeof *f->list);
    fault = &f->list[f->count++];
    fault->code = code;
    len = text_cut(pointer, sizeof fault->pointer - 1);
    memcpy(fault->pointer, pointer, len);
    fault->pointer[len] = '\0';
    va_start(args, detail);
    vsnprintf(fault->detail, sizeof fault->detail, detail, args);
    va_end(args);
}

enum receipt_code faults_first(const struct faults *f)
{
    enum receipt_code first = CODE_ACCEPTED;

    for (size_t i = 0; i < f->count; i++)
        if (first == CODE_ACCEPTED || f->list[i].code < first)
            first = f->list[i].code;
    return first;
}

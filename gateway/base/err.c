#include "gateway/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

bool err_set(struct err *err, enum err_code code, const char *format, ...)
{
    char text[sizeof err->text];     /* apart: the arguments may point into err->text */
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err->code = code;
    memcpy(err->text, text, sizeof text);
    return false;
}

bool err_prefix(struct err *err, const char *format, ...)
{
    char text[2 * sizeof err->text];
    size_t used;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof err->text, format, args);
    va_end(args);
    used = strlen(text);
    snprintf(text + used, sizeof text - used, ": %s", err->text);
    text[sizeof err->text - 1] = '\0';
    memcpy(err->text, text, sizeof err->text);
    return false;
}

int err_exit_code(const struct err *err)
{
    switch (err->code) {
    case ERR_NONE:      return EX_OK;
    case ERR_INVALID:
    case ERR_DIFFERS:   return EX_DATAERR;
    case ERR_NOT_FOUND: return EX_NOINPUT;
    case ERR_BUG:
    case ERR_CONFLICT:
    case ERR_OVERFLOW:
    case ERR_UNKNOWN:
    case ERR_CHAIN:
    case ERR_HALT:      return EX_SOFTWARE;
    case ERR_IO:        return EX_IOERR;
    case ERR_LIMIT:
    case ERR_STORE:
    case ERR_AGAIN:     return EX_TEMPFAIL;
    case ERR_AUTH:      return EX_NOPERM;
    case ERR_CONFIG:    return EX_CONFIG;
    case ERR_USAGE:     return EX_USAGE;
    }
    bug("error code %d", (int)err->code);
}

_Noreturn void bug_at(const char *file, int line, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "bug at %s:%d: ", file, line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

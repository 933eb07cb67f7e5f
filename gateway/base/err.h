/* gateway/base/err.h - the one error value (style: whoever fails first writes it, callers pass it on).
 *
 * A function that can fail returns a must-use bool and takes `struct err *err` last; on false err holds a class,
 * by which callers decide, and a text for people.  err may not be NULL.  Outputs change only on success. */
#ifndef QUITTANCE_BASE_ERR_H
#define QUITTANCE_BASE_ERR_H

#include <stdbool.h>

#define MUST_USE __attribute__((warn_unused_result))

enum err_code {
    ERR_NONE = 0,
    ERR_BUG,           /* an invariant of ours does not hold */
    ERR_INVALID,       /* what was given is not acceptable; the text names the field and the rule */
    ERR_NOT_FOUND,     /* the thing asked for does not exist */
    ERR_CONFLICT,      /* it contradicts what is already there */
    ERR_OVERFLOW,      /* a sum over 256 bits, a count over its type */
    ERR_LIMIT,         /* a bound of ours: size, rate, quota */
    ERR_AUTH,          /* a signature, key or passphrase that does not fit */
    ERR_IO,            /* file, disk or socket */
    ERR_STORE,         /* the database refused; nothing of the step was kept */
    ERR_AGAIN,         /* cannot be done now: chain away, unfunded, locked; later it may */
    ERR_UNKNOWN,       /* sent, but the answer is missing: look it up, never guess */
    ERR_CHAIN,         /* the node or the contract answered no */
    ERR_HALT,          /* a doubt about money: a person must look */
    ERR_CONFIG,        /* the configuration is wrong */
    ERR_USAGE,         /* the words of the command line are wrong */
    ERR_DIFFERS        /* a published thing is not what it should be (audit, verify) */
};

struct err {
    enum err_code code;
    char text[400];
};

/* Writes code and text; always returns false, so `return err_set(...)` reads well. */
bool err_set(struct err *err, enum err_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the text, keeps the code; always returns false. */
bool err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The sysexits.h exit code for a command that failed with this error (design 7). */
int err_exit_code(const struct err *err);

/* Prints what is wrong with file and line and aborts: only for states that cannot be. */
#define bug(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void bug_at(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif

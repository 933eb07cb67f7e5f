/* api/problem.h - every error answer: RFC 9457 problem details with a `code` that programs may rely on. */
#ifndef QUITTANCE_API_PROBLEM_H
#define QUITTANCE_API_PROBLEM_H

#include "api/request.h"

/* Replaces whatever the reply held. */
void problem(struct reply *reply, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* With more members (errors, index, jobId, ...): the object is taken; NULL: none. */
void problem_with(struct reply *reply, int status, const char *code, const char *detail, json *owned_extra);
/* The status and code of each class of error; what is our own fault is logged and not told. */
void problem_from_err(struct reply *reply, const struct err *err);
void problem_busy(struct reply *reply);        /* 503: busy or stopping, try again */
const char *problem_title(int status);        /* the reason phrase of RFC 9110 and 6585 */
const char *err_code_name(enum err_code code);

#endif

/* tests/histories/mutations.h - bugs that a few hundred histories must find, each planted by a switch.
 *
 * As in tests/sim/mutations.h: the production code has no place for them; calls between its files are redirected by the
 * linker (--wrap, see the Makefile) to mutations.c, which passes them on unless its bug is switched on. */
#ifndef QUITTANCE_TESTS_HISTORIES_MUTATIONS_H
#define QUITTANCE_TESTS_HISTORIES_MUTATIONS_H

#define HISTORY_MUTATIONS(X)                                                                    \
    X(ADJUSTED_TWICE,         "a correction is applied twice")                                  \
    X(DEBTS_NOT_STORED,       "what accounts owe is forgotten with the next settlement")        \
    X(DEBT_PAID_AT_ONCE,      "the protocol account does not wait for what others owe")         \
    X(STEP_ROUNDS_UP,         "a market's step is rounded up")                                  \
    X(PRICE_ROUNDS_UP,        "a price made from a market's step is rounded up")                \
    X(CAPACITY_UNCOVERED,     "capacity counts that does not cover all of its window")          \
    X(DEMAND_LATE,            "units asked for count in the window after theirs")               \
    X(DEMAND_LOST_BY_RESTART, "a restart in the middle of a window forgets what was asked for") \
    X(QUOTE_AFTER_EXPIRY,     "a quote binds after its expiry")                                 \
    X(QUOTE_FOR_ANYBODY,      "a quote binds whatever provider and consumer it is for")         \
    X(QUOTE_UNPRICED,         "a quote that binds does not fix the price")                      \
    X(CREDIT_ONE_MORE,        "a credit limit is passed by one receipt")                        \
    X(CREDIT_PERIOD_LATE,     "a credit period begins a day late")                              \
    X(CREDIT_BY_SIGNING_LATE, "a credit limit is passed by a signature that comes second")      \
    X(BILLED_WHEN_SIGNED,     "a late countersignature counts on the day it came")              \
    X(DAY_ONE_MORE,           "a provider's limit a day is passed by one receipt")              \
    X(CAP_FOR_OPERATORS,      "an operator may release what no settlement could carry")         \
    X(REFUSAL_FORGOTTEN,      "what an operator refused stays held")                            \
    X(REBUILT_WITHOUT,        "a rebuilt store lacks corrections")

#define HISTORY_MUTATION_NAME(name, text) MUTATION_##name,
enum history_mutation { MUTATION_NONE, HISTORY_MUTATIONS(HISTORY_MUTATION_NAME) MUTATIONS };
#undef HISTORY_MUTATION_NAME
extern enum history_mutation mutation;         /* the one that is planted */

/* What the linker calls `function` is declared as __real_function, what it calls instead as __wrap_function. */
#define WRAPPED(result, function, ...)              \
    result __real_##function(__VA_ARGS__);          \
    result __wrap_##function(__VA_ARGS__);          \
    result __wrap_##function(__VA_ARGS__)

#endif

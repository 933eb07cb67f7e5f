/* gateway/core/savings.h - what a consumer's tokens would have cost at a reference price list.  Pure: the gateway and whoever checks its
 * statement compute the same figures from the same numbers.
 *
 * A line a model: receipts, input, cached (part of input) and output tokens, and what was charged, in base units, whatever for.  The
 * reference cost of a model's tokens is (input - cached) * p_input + cached * p_cached + output * p_output, exact: attodollars.  Models that the list
 * has no price for are not compared: `compared` is what was charged for those that are.  Its worth in dollars, at the list's price of a
 * token, is rounded up, and what is saved rounded down, so that nothing looks cheaper than it was.
 * ERR_OVERFLOW: a count over 2^63 or a sum over 256 bits. */
#ifndef QUITTANCE_CORE_SAVINGS_H
#define QUITTANCE_CORE_SAVINGS_H

#include "gateway/base/buf.h"
#include "gateway/core/reference.h"

enum savings_meter { SAVINGS_INPUT, SAVINGS_CACHED, SAVINGS_OUTPUT, SAVINGS_METERS };
#define TOKEN_DECIMALS_MAX 77                 /* 10^77 is below 2^256 */

struct savings_line {
    struct hash model;
    uint64_t receipts, tokens[SAVINGS_METERS];
    struct amount charged;
    const struct reference_model *reference;  /* borrowed; NULL: not compared */
    struct dollars cost;
};
struct savings {
    struct savings_line *lines;               /* owned; sorted by model */
    size_t count;
    struct amount charged, compared;
    struct dollars compared_cost, reference_cost;
};
void savings_clear(struct savings *s);
MUST_USE bool savings_add(struct savings *s, const struct savings_line *more, struct err *err);       /* of one model: its sums grow */
/* Once all is added: sets what hangs on the list.  decimals: of the token. */
MUST_USE bool savings_compare(struct savings *s, const struct reference *reference, unsigned decimals, struct err *err);

/* A line a model behind a line of names; amounts in base units, prices in dollars for 10^6 tokens. */
void savings_csv(const struct savings *s, struct buf *out);
/* models:[{model, receipts, inputTokens, cachedTokens, outputTokens, charged, reference?:{..., cost}}], charged, compared, comparedCost,
 * referenceCost, saved?:{sign, amount, bps}: into the object.  saved is left out where nothing is compared. */
void savings_put(const struct savings *s, json *object);
/* The numbers of a line of `models` again; ERR_INVALID. */
MUST_USE bool savings_line_from_json(const json *row, struct savings_line *line, struct err *err);

#endif

/* tests/support/fixture.h - receipts, signatures and seeded randomness for the tests of core. */
#ifndef QUITTANCE_TESTS_FIXTURE_H
#define QUITTANCE_TESTS_FIXTURE_H

#include "gateway/core/archive.h"
#include "gateway/core/receipt_json.h"
#include "gateway/core/tree.h"
#include "tests/support/rng.h"
#include "tests/support/vectors.h"

/* Fits receipt_check at the time now. */
struct receipt rng_receipt(struct rng *r, uint64_t now_ms);

#define FIXTURE_NOW UINT64_C(1790718319139)

bool fixture_signed_by(const struct signature *sig, struct hash digest, struct address signer);

struct domain fixture_domain(const json *row);                       /* from chainId and contract */
struct signed_receipt fixture_receipt(const json *object);           /* the test fails unless it is well formed */
struct model fixture_model(const json *object, uint64_t verified_at_ms);   /* only model, creator, parents needed */
struct price_version fixture_price(const json *object);              /* what is missing there is zero */
struct proof fixture_proof(const json *row, const char *key);
struct hash fixture_hash_at(const json *array, size_t index);

/* What becomes of one receipt up to its signatures: the first code, and its faults (caller clears). */
enum receipt_code fixture_judge(const json *object, enum receipt_form form, const struct domain *domain, uint64_t now_ms,
                                struct faults *faults);

/* Runs `row` on every row of tests/vectors/quittance/GROUP.json. */
int fixture_run(const char *group, CMUnitTestFunction row, CMFixtureFunction setup, CMFixtureFunction teardown);

/* One cmocka test a row of a table: the row's first member must be its name. */
#define FIXTURE_TESTS(tests, cases, function) \
    struct CMUnitTest tests[ARRAY_LEN(cases)]; \
    for (size_t i_ = 0; i_ < ARRAY_LEN(cases); i_++) \
        (tests)[i_] = (struct CMUnitTest){ (cases)[i_].name, (function), NULL, NULL, fixture_state(&(cases)[i_]) }
void *fixture_state(const void *row);     /* cmocka's state is not const; rows are */

#endif

/* tests/support/vectors.h - tests/vectors/NAME.json as cmocka tests, one a row.
 *
 * Tests run in the root of the repository.  A file that is missing or that lacks a group or member ends the test
 * program with a message: a vector that silently is not run proves nothing. */
#ifndef QUITTANCE_TESTS_VECTORS_H
#define QUITTANCE_TESTS_VECTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/buf.h"
#include "gateway/base/types.h"
#include "gateway/lib/json.h"

/* Every row of the group is given to `row`, as *state: const json *row = *state. */
struct vector_group {
    const char *group;
    CMUnitTestFunction row;
};

/* Runs all rows of all groups; the result is main's. */
int vectors_run(const char *name, const struct vector_group *groups, size_t count, CMFixtureFunction setup,
                CMFixtureFunction teardown);

/* For tests that walk a file themselves; borrowed, kept until the program ends. */
const json *vectors_load(const char *name);
const json *vectors_group(const char *name, const char *group);

/* Members of a row; the program ends when one is missing or of another type. */
const json *vector_member(const json *row, const char *key);
bool vector_has(const json *row, const char *key);                     /* there, and not null */
const char *vector_text(const json *row, const char *key);
uint64_t vector_u64(const json *row, const char *key);                 /* a JSON integer, or a decimal string */
bool vector_bool(const json *row, const char *key);
struct u256 vector_u256(const json *row, const char *key);             /* a decimal string */
struct amount vector_amount(const json *row, const char *key);
struct hash vector_hash(const json *row, const char *key);
struct address vector_address(const json *row, const char *key);
struct job_id vector_job_id(const json *row, const char *key);
struct signature vector_signature(const json *row, const char *key);
struct buf vector_bytes(const json *row, const char *key);             /* caller: buf_clear */

void assert_hash_is(struct hash got, struct hash want);
void assert_address_is(struct address got, struct address want);
void assert_u256_is(struct u256 got, struct u256 want);
void assert_bytes_are(const struct buf *got, const struct buf *want);

#endif

/* tests/support/store_place.h - where the stores of tests lie.
 *
 * SQLite, in a file of the test's own folder; where QUITTANCE_TEST_STORE is a postgresql:// URL, a schema of that database with
 * a name of its own, so that the same tests are run on both. */
#ifndef QUITTANCE_TESTS_STORE_PLACE_H
#define QUITTANCE_TESTS_STORE_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_URL 256
bool store_place_is_sqlite(void);
bool store_place_is_pooled(void);             /* through pgbouncer (scripts/with-postgres --pooled) */
bool store_place_is_beside(void);             /* shared, and QUITTANCE_TEST_BESIDE=1: groups are written beside others as soon as they may */
/* The url of an empty store; path: of the file, where it is one. */
void store_place_new(const char *path, char url[STORE_URL]);
void store_place_gone(const char *url);       /* what is not in the folder */
/* A literal that makes the database end the transaction by itself, as on a full disk or a lost line. */
const char *store_place_ruin(void);
/* Scripts that make the database refuse every row put into a table (amount NULL), or those of an amount, until the other. */
#define STORE_SCRIPT 512
void store_place_refuse(char sql[STORE_SCRIPT], const char *table, const uint8_t *amount);
void store_place_take(char sql[STORE_SCRIPT], const char *table);

#endif

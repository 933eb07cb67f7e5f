/* tests/support/receipt_days.h - a store whose receipts lie in partitions by day: a writer, a reader, days and receipts in them. */
#ifndef QUITTANCE_TESTS_SUPPORT_RECEIPT_DAYS_H
#define QUITTANCE_TESTS_SUPPORT_RECEIPT_DAYS_H

#include "tests/support/store_fixture.h"

#define TODAY UINT64_C(20000)                 /* days since 1970 */

struct place { struct writer *writer; struct db *reader; };

struct place place_of(struct store_fixture *f);
void leave(struct place *p);
void have_day(struct place *p, uint64_t day);
struct receipt_row receipt_at(uint64_t ms, unsigned n);       /* of a job of that time */
struct receipt_row have_receipt(struct place *p, uint64_t ms, unsigned n);
bool insert_receipt(void *row, struct group *group, struct err *err);        /* writer_fn */
bool make_day(void *day, struct group *group, struct err *err);              /* writer_fn */
void assert_found(struct db *db, const struct receipt_row *row);

#endif

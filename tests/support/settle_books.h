/* tests/support/settle_books.h - what a settlement begins with: a catalog, and accepted receipts in the open batch.
 *
 * One provider a number, one model with a parent, one price: 1 base unit an output token, split 70/20/10 with a fifth of
 * the creator's part going to the parent. */
#ifndef QUITTANCE_TESTS_SETTLE_BOOKS_H
#define QUITTANCE_TESTS_SETTLE_BOOKS_H

#include "gateway/core/catalog.h"
#include "store/receipts.h"
#include "store/writer.h"

enum books_kind { BOOKS_PROVIDER = 'p', BOOKS_CREATOR = 'c', BOOKS_PROTOCOL = 't' };
struct address books_account(enum books_kind kind, unsigned number);      /* creator 0 has the model, 1 its parent */
struct hash books_model(void);
/* Providers, models, the price and the protocol account, in a store that has none. */
MUST_USE bool books_open(struct group *group, unsigned providers, struct err *err);
/* Worth as many base units as it has output tokens; job: a number of its own. */
struct receipt books_receipt(unsigned provider, uint64_t job, uint64_t output_tokens, uint64_t now_ms);
/* row->signed_ is given, the rest is filled in: accepted into the open batch, with its postings. */
MUST_USE bool books_accept(const struct catalog *catalog, struct group *group, struct receipt_row *row, struct err *err);

#endif

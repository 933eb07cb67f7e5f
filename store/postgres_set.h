/* store/postgres_set.h - what gathers of one text of the PostgreSQL driver: rows (postgres_set.c) or keys (postgres_keys.c). */
#ifndef QUITTANCE_STORE_POSTGRES_SET_H
#define QUITTANCE_STORE_POSTGRES_SET_H

#include "gateway/base/buf.h"
#include "store/postgres.h"

#define POSTGRES_ARRAY_HEAD ((size_t)20)      /* of an array as array_recv wants it */

struct column {
    Oid type;                                 /* of an element */
    struct buf elements;                      /* as array_recv wants them, without the array's head */
    size_t marked;                            /* its length at the savepoint */
};

struct postgres_set {
    struct postgres_statement *whole;         /* the statement with arrays */
    struct column *column;
    int columns;
    uint64_t rows, marked;
    PGresult *early;                          /* owned; the answer to what is bound to whole, once it came */
    uint64_t early_in;                        /* the readings in which that was asked; 0: it was not */
};

/* Adds what is bound to st, which may be several rows; makes the set with the first. */
MUST_USE bool postgres_set_add(struct postgres_statement *st, struct err *err);
/* Binds arrays of the rows up to the mark to the statement, or of those behind it. */
void postgres_set_bind(struct postgres_set *s, bool behind);
/* What gathered goes, but not what was bound of it. */
void postgres_set_empty(struct postgres_set *s);

#endif

/* store/copy_tables.h - the tables of a store as its database lists them, and statements over whole tables.
 *
 * Nothing here names a table: what a schema step adds is copied with the rest. */
#ifndef QUITTANCE_STORE_COPY_TABLES_H
#define QUITTANCE_STORE_COPY_TABLES_H

#include "store/db.h"

enum cell_kind { CELL_NULL, CELL_NUMBER, CELL_TEXT, CELL_BYTES };
#define COPY_COLUMNS_MAX 48u
#define COPY_PAGE 100                         /* rows read at once: some hold a megabyte */

struct copy_column { char name[64]; enum cell_kind kind; int key; };       /* key: place in the primary key from 1; 0: none */
struct copy_table {
    char name[64];
    struct copy_column column[COPY_COLUMNS_MAX];
    size_t columns, keys;
    size_t key[COPY_COLUMNS_MAX];             /* columns of the primary key, in its order */
    /* Owned; a connection knows a statement by the address of its text, so they outlive both connections. */
    char *first, *next, *insert, *last, *exists, *empty;
    bool done;                                /* in the order of references */
};
struct copy_tables { struct copy_table *list; size_t count; };

/* By name.  Free after the connections that used them are closed. */
MUST_USE bool copy_tables_read(struct db *db, struct copy_tables *tables, struct err *err);
void copy_tables_free(struct copy_tables *tables);
struct copy_table *copy_table_find(const struct copy_tables *tables, const char *name);       /* NULL: none */
/* ERR_BUG: other tables, columns, kinds or keys. */
MUST_USE bool copy_tables_same(const struct copy_tables *a, const struct copy_tables *b, struct err *err);
/* Calls visit for each, one that is referred to before those that refer to it. */
typedef bool copy_table_fn(void *self, struct copy_table *table, struct err *err);
MUST_USE bool copy_tables_in_order(struct db *db, struct copy_tables *tables, copy_table_fn *visit, void *self, struct err *err);

/* The key of a row: a copy of its values, in the order of the key's columns. */
struct copy_key { bool any; int64_t number[COPY_COLUMNS_MAX]; struct buf bytes[COPY_COLUMNS_MAX]; };
void copy_key_init(struct copy_key *key);
void copy_key_clear(struct copy_key *key);

/* One value, borrowed from its statement until that steps. */
struct cell { enum cell_kind kind; int64_t number; const void *bytes; size_t len; };
typedef bool copy_row_fn(void *self, const struct cell *cells, struct err *err);
/* Up to COPY_PAGE rows behind the key, which moves to the last of them; *rows: how many. */
MUST_USE bool copy_page(struct db *db, const struct copy_table *table, struct copy_key *after, copy_row_fn *visit, void *self,
                        uint64_t *rows, struct err *err);
MUST_USE bool copy_insert(struct db *db, const struct copy_table *table, const struct cell *cells, struct err *err);
/* The key of the last row; key->any false: there is none. */
MUST_USE bool copy_last_key(struct db *db, const struct copy_table *table, struct copy_key *key, struct err *err);
MUST_USE bool copy_is_empty(struct db *db, const struct copy_table *table, bool *is, struct err *err);
MUST_USE bool copy_make_empty(struct db *db, const struct copy_table *table, struct err *err);

#endif

/* Many keys of one question, asked now or with the next that waits (postgres_set.c writes the statement). */
#include "store/postgres_set.h"

#include <string.h>

bool postgres_key(void *connection, void *handle, struct err *err)
{
    struct postgres_statement *st = handle;

    (void)connection;
    return postgres_set_add(st, err);
}

static void forget_early(struct postgres_set *s)
{
    PQclear(s->early);
    s->early = NULL;
    s->early_in = 0;
    postgres_reset(s->whole);
}

bool postgres_soon(void *connection, void *handle, struct err *err)
{
    struct postgres_statement *st = handle;
    const struct postgres *p = connection;
    struct postgres_set *s = st->set;

    forget_early(s);
    postgres_set_bind(s, true);
    s->early_in = p->readings;
    postgres_set_empty(s);
    return postgres_ask_early(s->whole, &s->early, err);
}

static bool is_bound(const struct postgres_set *s)
{
    for (int i = 0; i < s->columns; i++) {
        const struct postgres_value *v = &s->whole->value[i];
        size_t len = s->column[i].elements.len;

        if (v->bytes == NULL || (size_t)v->len != POSTGRES_ARRAY_HEAD + len
            || memcmp(v->bytes + POSTGRES_ARRAY_HEAD, s->column[i].elements.data, len) != 0)
            return false;
    }
    return true;
}

/* The answer to these keys, where they were asked for early. */
static bool take_early(struct postgres_statement *st, bool *taken, struct err *err)
{
    struct postgres_set *s = st->set;

    *taken = false;
    if (s->early_in != st->p->readings || !is_bound(s))
        return true;
    if (s->early == NULL && !postgres_flush(st->p, err))
        return false;
    *taken = s->early != NULL;
    if (!*taken)
        return true;
    PQclear(st->result);
    st->result = s->early;
    s->early = NULL;
    return true;
}

static bool ask_now(struct postgres_statement *st, struct err *err)
{
    struct postgres_set *s = st->set;
    bool ok;

    postgres_set_bind(s, true);                       /* keys are never marked */
    ok = postgres_ask(s->whole, s->whole->sql, true, err);
    PQclear(st->result);
    st->result = s->whole->result;
    s->whole->result = NULL;
    return ok;
}

bool postgres_set_ask(struct postgres_statement *st, struct err *err)
{
    struct postgres_set *s = st->set;
    bool early, ok = take_early(st, &early, err) && (early || ask_now(st, err));

    st->row = -1;
    forget_early(s);
    postgres_set_empty(s);
    return ok;
}

bool postgres_has_keys(const struct postgres_statement *st)
{
    return st->set != NULL && st->set->rows > 0;
}

void postgres_keys_drop(struct postgres_statement *st)
{
    if (st->set != NULL && st->p->gathering != st)
        postgres_set_empty(st->set);
}

uint64_t postgres_key_of(void *handle)
{
    const struct postgres_statement *st = handle;

    return (uint64_t)postgres_i64(handle, PQnfields(st->result) - 1) - 1;
}

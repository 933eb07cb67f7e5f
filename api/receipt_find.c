#include "api/receipt_find.h"

#include <stdlib.h>

#include "api/parties.h"
#include "api/problem.h"
#include "gateway/base/hex.h"
#include "gateway/base/mem.h"

#define SHOWN_PROVIDERS_MAX 100

/* The receipts of one job, by provider; accepted ones come first in judging which is meant. */
struct candidates {
    struct receipt_row *list;                 /* owned */
    size_t count, accepted;
};

static bool add_candidate(void *self, const struct receipt_row *row, struct err *err)
{
    struct candidates *c = self;

    (void)err;
    if (c->count == SHOWN_PROVIDERS_MAX)
        return false;
    c->list[c->count++] = *row;
    c->accepted += row->state == RECEIPT_ACCEPTED;
    return true;
}

static void answer_choices(const struct candidates *c, struct reply *reply)
{
    json *object = json_new_object(), *providers = json_new_array();

    for (size_t i = 0; i < c->count; i++)
        if (c->accepted == 0 || c->list[i].state == RECEIPT_ACCEPTED)
            json_add(providers, json_new_address(c->list[i].signed_.receipt.provider));
    json_put(object, "providers", providers);
    reply_json(reply, 300, object);
}

struct finding { const struct catalog *catalog; const struct reader *reader; };

static bool may_read(const struct finding *f, struct db *db, const struct receipt_row *row, bool *may, struct err *err)
{
    *may = f->reader->all;
    return *may || receipt_is_of(db, f->catalog, row, f->reader->account, may, err);
}

/* To who may not read them they are not there. */
static bool leave_out_others(const struct finding *f, struct db *db, struct candidates *c, struct err *err)
{
    size_t kept = 0;

    c->accepted = 0;
    for (size_t i = 0; i < c->count; i++) {
        bool may;

        if (!may_read(f, db, &c->list[i], &may, err))
            return false;
        if (!may)
            continue;
        c->accepted += c->list[i].state == RECEIPT_ACCEPTED;
        c->list[kept++] = c->list[i];
    }
    c->count = kept;
    return true;
}

/* A stranger's held receipt must not make a job ambiguous that one provider was credited for: while any is accepted,
 * only accepted ones count.  false: the reply is set. */
static bool choose(struct db *db, struct job_id job, const struct finding *f, struct receipt_row *row, struct reply *reply)
{
    struct candidates c = { mem_array(SHOWN_PROVIDERS_MAX, sizeof *c.list), 0, 0 };
    struct err err = { 0 };
    bool ok = store_receipts_of_job(db, job, add_candidate, &c, &err) && leave_out_others(f, db, &c, &err);
    size_t among = c.accepted > 0 ? c.accepted : c.count;

    if (!ok && err.code != ERR_NONE)
        problem_from_err(reply, &err);
    else if (among == 0 && !f->reader->all)
        access_refuse(f->reader, reply);
    else if (among == 0)
        problem(reply, 404, "not-found", "No receipt with this jobId was posted here.");
    else if (among > 1)
        answer_choices(&c, reply);
    for (size_t i = 0; among == 1 && i < c.count; i++)
        if (c.accepted == 0 || c.list[i].state == RECEIPT_ACCEPTED)
            *row = c.list[i];
    free(c.list);
    return (ok || err.code == ERR_NONE) && among == 1;
}

bool receipt_find(struct request *req, struct db *db, const struct catalog *catalog, const struct reader *reader,
                  struct receipt_row *row, struct reply *reply)
{
    const struct finding f = { catalog, reader };
    const char *text = request_query(req, "provider");
    struct address provider;
    struct job_id job;
    struct err err = { 0 };
    bool found, may = false;

    if (!request_job_id(req, 0, &job, reply))
        return false;
    if (text == NULL)
        return choose(db, job, &f, row, reply);
    if (!address_from_text(text, strlen(text), &provider)) {
        problem(reply, 400, "malformed", "provider must be an address of 0x and 40 hex digits.");
        return false;
    }
    if (!store_receipt_find(db, job, provider, row, &found, &err) || (found && !may_read(&f, db, row, &may, &err))) {
        problem_from_err(reply, &err);
        return false;
    }
    /* A node may ask what became of its own. */
    if (!may && !reader->all && !address_eq(reader->account, provider))
        access_refuse(reader, reply);
    else if (!found)
        problem(reply, 404, "not-found", "This provider has posted no receipt with this jobId here.");
    return may;
}

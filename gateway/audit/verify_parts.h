/* gateway/audit/verify_parts.h - the inside of verify.h, shared by verify*.c only. */
#ifndef QUITTANCE_AUDIT_VERIFY_PARTS_H
#define QUITTANCE_AUDIT_VERIFY_PARTS_H

#include "gateway/audit/verify.h"
#include "gateway/core/charges.h"
#include "gateway/core/header.h"
#include "gateway/core/savings.h"
#include "gateway/core/tree.h"

/* What of an answer was read and holds so far. */
struct verification {
    const struct verify_config *config;
    const json *answer;
    struct verify_report *report;
    struct address token;
    bool has_token;
    uint64_t now_ms;                          /* the chain's time where there is one */
    struct signed_receipt receipt;
    struct hash hash;                         /* computed */
    bool has_hash;
    bool has_settlement, has_header, in_tree; /* in_tree: the receipt leads to receiptsRoot, and the header holds it */
    bool cancelled, active;
    struct settlement_content content;
    struct hash header, previous_header;
    uint64_t committed_at_s;
};

/* One check more; returns holds.  The detail is in words. */
bool verify_note(struct verification *v, const char *name, bool holds, const char *format, ...) __attribute__((format(printf, 4, 5)));
void verify_unchecked(struct verification *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A check that computed one value and found another. */
bool verify_hash(struct verification *v, const char *name, const char *what, struct hash computed, struct hash found);
bool verify_address(struct verification *v, const char *name, const char *what, struct address computed, struct address found);
/* A check that fails when a member is missing or of another form; silent while all is well. */
bool verify_shape(struct verification *v, const char *name, const char *member, bool well_formed);
const json *verify_member(const struct verification *v, const char *object, const char *member);     /* of an object in the answer */
bool verify_read_path(const json *array, struct proof *path);
bool verify_signature(struct verification *v, const char *name, const struct signature *sig, struct hash struct_hash, struct address signer);
bool verify_text_is(const json *value, const char *text);

/* Whether the gateway published this key, for that time; what: "promise" or "quote". */
void verify_signer(struct verification *v, const char *what, struct address signer, uint64_t at_ms);

/* A charge statement as it was read; false: too broken to go on. */
struct charges { struct charge_statement statement; struct charge_line *lines; size_t count; };      /* lines owned: free */
bool verify_charge_statement(struct verification *v, const json *answer, struct charges *charges);
/* Its lines against published archives. */
MUST_USE bool verify_archived(struct verification *v, const struct charges *charges, struct err *err);
/* A savings statement as it was read. */
struct claimed_savings {
    struct savings_statement statement;
    uint64_t version;
    struct signature signature;
    struct address signer;
    struct savings savings;                   /* numbers as claimed, figures computed */
    struct reference reference;               /* the terms and mapping as claimed, prices out of the list */
};
MUST_USE bool verify_savings(struct verification *v, struct err *err);
/* verify_reference.c.  *priced: the list was at hand, is the one that the statement names, and has the prices, which are c->reference's
 * from now on. */
MUST_USE bool verify_list(struct verification *v, struct claimed_savings *c, bool *priced, struct err *err);
/* What is pinned is the same for everybody: not a mapping made up for this statement. */
MUST_USE bool verify_pinned(struct verification *v, const struct claimed_savings *c, struct err *err);
/* As verify_signer; of a statement only its end is known, so the key must have been the gateway's at that time or later. */
void verify_signer_since(struct verification *v, const char *what, struct address signer, uint64_t since_ms);

void verify_receipt(struct verification *v);
void verify_quote(struct verification *v);
void verify_settlement(struct verification *v);
void verify_payments(struct verification *v);
void verify_promise(struct verification *v);
/* With rpc only; before verify_promise, as it tells whether the settlement is active. */
MUST_USE bool verify_on_chain(struct verification *v, struct err *err);
MUST_USE bool verify_claim(struct verification *v, struct err *err);

#endif

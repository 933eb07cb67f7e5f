/* gateway/core/model.h - a creator's registration of a model and its parents (design 2, 3 and 5). */
#ifndef QUITTANCE_CORE_MODEL_H
#define QUITTANCE_CORE_MODEL_H

#include "gateway/base/amount.h"
#include "gateway/lib/json.h"

#define MODEL_PARENTS_MAX 16
#define MODEL_DEPTH_MAX 8            /* steps to the farthest ancestor */
#define MODEL_PATHS_MAX 1024         /* paths to ancestors, walked one by one for each payment: bounds the work */
#define MODEL_NAME_MAX 64            /* characters (code points) */
#define BPS 10000

struct lineage_parent { struct hash model; uint16_t share_bps; };

struct model {
    struct hash model;               /* SHA-256 of the weights manifest */
    struct address creator;
    char name[MODEL_NAME_MAX * 4 + 1];
    size_t parent_count;
    struct lineage_parent parents[MODEL_PARENTS_MAX];
    uint64_t registered_at_ms;
    struct signature signature;
    uint64_t verified_at_ms;         /* 0: unverified */
    struct address contract;         /* whose domain the signature is under; zero: that of the gateway's own */
};

/* Reads {model, creator, name, parents, registeredAt, signature}.  ERR_INVALID names the member and the rule:
 * unknown or missing members, name of 1 to 64 characters without control characters, at most 16 parents, no parent
 * twice and not itself, each share 0..10000 and their sum at most 10000. */
MUST_USE bool model_from_json(const json *object, struct model *m, struct err *err);
json *model_to_json(const struct model *m);              /* the same members; caller owns */
json *model_parents_to_json(const struct model *m);      /* of these the parents alone */
bool model_same(const struct model *a, const struct model *b);       /* content, signature apart */

#endif

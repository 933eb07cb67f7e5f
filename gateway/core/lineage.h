/* gateway/core/lineage.h - a model among its relatives: what it descends from, what descends from it, who gets which part.
 *
 * What may be a lineage (design 5): parents are claimed before their child and verified before it is, so nothing unknown and no
 * circle is ever paid, though claims of strangers may point at each other; its depth, paths and shares are bounded (model.h), asked
 * at the claim and again at the verification.  Late changes: a creator's claim keeps its content, a verified model its creator and
 * parents, for ever; another merge is another model.  A payment goes by what was verified when its receipt was accepted.
 *
 * Ancestors are followed along the claims that stand (the verified one, else the first), to MODEL_DEPTH_MAX steps; descendants
 * are the direct ones.  Anybody may claim a descendant, so of those LINEAGE_DESCENDANTS_MAX are kept, verified ones first.
 * Parts are exact: LINEAGE_WHOLE is divided by 10^4 once a step, at most eight times, so no floor drops anything. */
#ifndef QUITTANCE_CORE_LINEAGE_H
#define QUITTANCE_CORE_LINEAGE_H

#include "gateway/core/ledger.h"

#define LINEAGE_DESCENDANTS_MAX 1000u
#define LINEAGE_DECIMALS 32                   /* LINEAGE_WHOLE is 10^32: 10^4 to the power of MODEL_DEPTH_MAX */

enum lineage_relation { LINEAGE_SELF, LINEAGE_ANCESTOR, LINEAGE_DESCENDANT };
struct lineage_node {
    struct hash model;
    const struct model *claim;                /* borrowed from the catalog; NULL: nobody's */
    enum lineage_relation relation;
    unsigned steps;                           /* of the shortest way; 0 for the model itself */
    bool has_part;
    struct amount part;                       /* of what the model's creator is paid, of LINEAGE_WHOLE */
};
struct lineage_edge { struct hash model, parent; uint16_t share_bps; };
struct lineage {
    struct lineage_node *nodes;               /* owned; the model first, then ancestors, then descendants; each digest once */
    struct lineage_edge *edges;               /* owned */
    size_t node_count, node_capacity, edge_count, edge_capacity;
    bool more_descendants;
};
/* m: a claim of this catalog.  Parts are there where it is verified.  ERR_BUG: the catalog breaks a bound of registration. */
MUST_USE bool lineage_of(const struct catalog *c, const struct model *m, struct lineage *l, struct err *err);
void lineage_clear(struct lineage *l);
const char *lineage_relation_name(enum lineage_relation relation);      /* self, ancestor, descendant */

#endif

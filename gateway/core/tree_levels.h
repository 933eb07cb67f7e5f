/* gateway/core/tree_levels.h - inside of a struct tree, for tree.c and steps.c only. */
#ifndef QUITTANCE_CORE_TREE_LEVELS_H
#define QUITTANCE_CORE_TREE_LEVELS_H

#include "gateway/core/tree.h"

/* level[0] are the leaves, level[levels - 1] is the root alone; all lie in one piece of memory.  No leaves: no levels. */
struct tree {
    size_t levels;
    size_t width[TREE_DEPTH_MAX + 1];
    struct hash *level[TREE_DEPTH_MAX + 1];     /* level[0] is owned */
};

#endif

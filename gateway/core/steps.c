/* The steps of `distribute`: a walk in post-order that proves any set of leaves at once (tree.h, contract.md 3). */
#include "gateway/core/tree_levels.h"

#include "gateway/base/mem.h"

#include <stdlib.h>

#define STEP_LEAF 0x00
#define STEP_NODE 0x80     /* bit 7: the next hash of `nodes`; the low bits count the joins that follow */

struct walk {
    const struct tree *tree;
    const size_t *wanted_before;     /* [i]: how many of the leaves below i are wanted */
    struct buf *nodes, *steps;
};

static bool has_wanted(const struct walk *w, size_t level, size_t index)
{
    size_t from = index << level, to = (index + 1) << level;

    if (to > w->tree->width[0])
        to = w->tree->width[0];
    return w->wanted_before[to] > w->wanted_before[from];
}

static void walk_node(const struct walk *w, size_t level, size_t index)
{
    size_t right = index * 2 + 1;

    if (!has_wanted(w, level, index)) {
        buf_add(w->nodes, w->tree->level[level][index].b, sizeof (struct hash));
        buf_add_byte(w->steps, STEP_NODE);
        return;
    }
    if (level == 0) {
        buf_add_byte(w->steps, STEP_LEAF);
        return;
    }
    walk_node(w, level - 1, index * 2);
    if (right >= w->tree->width[level - 1])
        return;                      /* an odd last node moves up unchanged: nothing to join */
    walk_node(w, level - 1, right);
    if (!w->steps->failed)
        w->steps->data[w->steps->len - 1]++;
}

void tree_steps(const struct tree *tree, const bool *wanted, struct buf *nodes, struct buf *steps)
{
    size_t count = tree->width[0];
    size_t *wanted_before;

    if (tree->levels == 0)
        return;
    wanted_before = mem_array(count + 1, sizeof *wanted_before);
    for (size_t i = 0; i < count; i++)
        wanted_before[i + 1] = wanted_before[i] + (wanted[i] ? 1 : 0);
    walk_node(&(struct walk){ tree, wanted_before, nodes, steps }, tree->levels - 1, 0);
    free(wanted_before);
}

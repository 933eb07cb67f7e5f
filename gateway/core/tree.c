#include "gateway/core/tree.h"

#include "gateway/core/tree_levels.h"
#include "gateway/base/mem.h"
#include "gateway/lib/keccak.h"

#include <stdlib.h>

static struct hash join(struct hash a, struct hash b)
{
    return memcmp(a.b, b.b, sizeof a.b) <= 0 ? keccak256_pair(a, b) : keccak256_pair(b, a);
}

void tree_stream_init(struct tree_stream *s)
{
    memset(s, 0, sizeof *s);
}

/* node[k] is the top of a full subtree of 2^k leaves, and is in use where bit k of count is set. */
void tree_stream_add(struct tree_stream *s, struct hash leaf)
{
    size_t level = 0;

    for (; (s->count >> level & 1) != 0; level++)
        leaf = join(s->node[level], leaf);
    if (level == TREE_DEPTH_MAX)
        bug("a tree of 2^%d leaves", TREE_DEPTH_MAX);
    s->node[level] = leaf;
    s->count++;
}

struct hash tree_stream_root(const struct tree_stream *s)
{
    struct hash root = { { 0 } };
    bool any = false;

    /* The smaller subtree is the odd last node that moved up until it met the next larger one. */
    for (size_t level = 0; level < TREE_DEPTH_MAX; level++) {
        if ((s->count >> level & 1) == 0)
            continue;
        root = any ? join(s->node[level], root) : s->node[level];
        any = true;
    }
    return root;
}

static size_t nodes_of(size_t count)
{
    size_t nodes = count;

    while (count > 1) {
        count = (count + 1) / 2;
        nodes += count;
    }
    return nodes;
}

#define JOINED_AT_ONCE 64u                    /* pairs put in order before they are hashed side by side */

static void join_pairs(const struct hash *below, size_t pairs, struct hash *above)
{
    struct hash sorted[2 * JOINED_AT_ONCE];

    for (size_t i = 0; i < pairs; i++) {
        bool swap = memcmp(below[2 * i].b, below[2 * i + 1].b, sizeof below->b) > 0;

        sorted[2 * i] = below[2 * i + swap];
        sorted[2 * i + 1] = below[2 * i + !swap];
    }
    keccak256_many(sorted, 2 * sizeof *sorted, 2 * sizeof *sorted, pairs, above);
}

/* above may be where below is: a pair is read before its parent is written. */
static void build_level(const struct hash *below, size_t width, struct hash *above)
{
    size_t pairs = width / 2;

    for (size_t i = 0; i < pairs; i += JOINED_AT_ONCE)
        join_pairs(below + 2 * i, pairs - i < JOINED_AT_ONCE ? pairs - i : JOINED_AT_ONCE, above + i);
    if (width % 2 == 1)
        above[pairs] = below[width - 1];
}

struct hash tree_root(const struct hash *leaves, size_t count)
{
    struct hash *level, root = { { 0 } };

    if (count == 0)
        return root;
    level = mem_array(count, sizeof *level);
    memcpy(level, leaves, count * sizeof *level);
    for (; count > 1; count = (count + 1) / 2)
        build_level(level, count, level);
    root = level[0];
    free(level);
    return root;
}

/* A known tree that begins where a subtree of 2^level leaves does has the same nodes on this level, but for its last leaves, which do
 * not fill one: those are joined with what follows them here. */
static void fill_level(struct tree *tree, size_t level, const struct tree_known *known, size_t known_count)
{
    const struct hash *below = tree->level[level - 1];
    size_t at = 0;

    for (size_t i = 0; i < known_count; i++) {
        size_t first = known[i].first >> level, full = known[i].tree->width[0] >> level;

        if (first << level != known[i].first || full == 0)
            continue;
        build_level(below + 2 * at, 2 * (first - at), tree->level[level] + at);
        memcpy(tree->level[level] + first, known[i].tree->level[level], full * sizeof *below);
        at = first + full;
    }
    build_level(below + 2 * at, tree->width[level - 1] - 2 * at, tree->level[level] + at);
}

struct tree *tree_new(const struct hash *leaves, size_t count)
{
    return tree_new_of(leaves, count, NULL, 0);
}

struct tree *tree_new_of(const struct hash *leaves, size_t count, const struct tree_known *known, size_t known_count)
{
    struct tree *tree = mem_new(sizeof *tree);

    if (count == 0)
        return tree;
    tree->level[0] = mem_array(nodes_of(count), sizeof *leaves);
    tree->width[0] = count;
    tree->levels = 1;
    memcpy(tree->level[0], leaves, count * sizeof *leaves);
    for (; tree->width[tree->levels - 1] > 1; tree->levels++) {
        size_t top = tree->levels;

        if (top > TREE_DEPTH_MAX)
            bug("a tree of more than 2^%d leaves", TREE_DEPTH_MAX);
        tree->level[top] = tree->level[top - 1] + tree->width[top - 1];
        tree->width[top] = (tree->width[top - 1] + 1) / 2;
        fill_level(tree, top, known, known_count);
    }
    return tree;
}

bool tree_is_over(const struct tree *tree, const struct hash *leaves, size_t count)
{
    return tree->width[0] == count && (count == 0 || memcmp(tree->level[0], leaves, count * sizeof *leaves) == 0);
}

void tree_free(struct tree *tree)
{
    if (tree == NULL)
        return;
    free(tree->level[0]);
    free(tree);
}

struct hash tree_top(const struct tree *tree)
{
    return tree->levels == 0 ? (struct hash){ { 0 } } : tree->level[tree->levels - 1][0];
}

void tree_prove(const struct tree *tree, size_t index, struct proof *proof)
{
    if (tree->levels == 0 || index >= tree->width[0])
        bug("a proof of leaf %zu of %zu", index, tree->width[0]);
    proof->len = 0;
    for (size_t level = 0; level + 1 < tree->levels; level++, index /= 2) {
        size_t sibling = index ^ 1;

        if (sibling < tree->width[level])     /* else the odd last node: it has none */
            proof->path[proof->len++] = tree->level[level][sibling];
    }
}

void tree_proof(const struct hash *leaves, size_t count, size_t index, struct proof *proof)
{
    struct tree *tree = tree_new(leaves, count);

    tree_prove(tree, index, proof);
    tree_free(tree);
}

#define PART_LEVEL 6                           /* TREE_PART is 2 to this */
_Static_assert(1u << PART_LEVEL == TREE_PART, "a node of this level stands for a part");

void tree_upper(const struct tree *tree, struct buf *nodes)
{
    for (size_t level = PART_LEVEL; level < tree->levels; level++)
        buf_add(nodes, tree->level[level], tree->width[level] * sizeof(struct hash));
}

/* A last part that is not full has fewer levels: its top moves up unchanged, as odd last nodes do. */
bool tree_prove_part(const struct hash *part, uint64_t count, const struct buf *nodes, uint64_t index, struct proof *proof)
{
    uint64_t first = index - index % TREE_PART, left = count - first, width = (count + TREE_PART - 1) / TREE_PART, at = 0;

    if (index >= count || nodes->len / sizeof *part != nodes_of(width))
        return false;
    tree_proof(part, left < TREE_PART ? left : TREE_PART, index % TREE_PART, proof);
    for (index /= TREE_PART; width > 1; at += width, width = (width + 1) / 2, index /= 2)
        if ((index ^ 1) < width)
            memcpy(&proof->path[proof->len++], nodes->data + (at + (index ^ 1)) * sizeof *part, sizeof *part);
    return true;
}

struct hash tree_fold(struct hash leaf, const struct proof *proof)
{
    for (size_t i = 0; i < proof->len; i++)
        leaf = join(leaf, proof->path[i]);
    return leaf;
}

const struct hash *tree_level(const struct tree *tree, size_t level, size_t *width)
{
    if (level >= tree->levels)
        return NULL;
    *width = tree->width[level];
    return tree->level[level];
}

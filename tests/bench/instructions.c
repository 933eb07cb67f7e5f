/* A fixed input for counting instructions: receipts signed one by one in arrays, or in bundles, into a store on disk; what is counted
 * is everything that all threads do from the submission to the answer.  Making and signing the input is not.
 *
 *     valgrind --tool=callgrind --instr-atstart=no build/tests/bench/instructions single|bundle
 *
 * tests/bench/instructions.mjs runs it and compares.  Outside of valgrind it does the same and counts nothing.  One verify thread, one
 * submission after the other, a clock that stands, keys and jobs from a seed: so that two runs differ by far less than 1 %. */
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/callgrind.h>

#include "gateway/base/mem.h"
#include "tests/support/world.h"

#define ARRAYS 8u
#define ARRAY 100u
#define BUNDLES 2u
#define BUNDLE 5000u

static void make_submission(struct world *w, struct submission *s, size_t count, bool bundled)
{
    struct signed_receipt *list = mem_array(count, sizeof *list);

    for (size_t i = 0; i < count; i++) {
        list[i] = world_receipt(w, &w->node, 1000);
        list[i].has_signature = !bundled;
    }
    world_submission(s, list, count);
    if (bundled)
        world_bundle(w, &w->node, s);
    free(list);
}

static void warm_up(struct world *w, size_t count, bool bundled)
{
    struct submission s;

    make_submission(w, &s, count, bundled);
    world_post(w, &s);
    submission_clear(&s);
}

int main(int argc, char **argv)
{
    bool bundled = argc == 2 && strcmp(argv[1], "bundle") == 0;
    size_t submissions = bundled ? BUNDLES : ARRAYS, count = bundled ? BUNDLE : ARRAY;
    struct submission *list = mem_array(submissions, sizeof *list);
    struct world *w;
    void *state = NULL;

    if (!bundled && (argc != 2 || strcmp(argv[1], "single") != 0))
        return 64;
    if (world_setup(&state) != 0)
        return 1;
    w = state;
    w->config.verify_threads = 1;
    world_restart(w);
    /* What is done once, and statements that are prepared once, are not of the path. */
    warm_up(w, 1, bundled);
    for (size_t i = 0; i < submissions; i++)
        make_submission(w, &list[i], count, bundled);
    CALLGRIND_START_INSTRUMENTATION;
    for (size_t i = 0; i < submissions; i++)
        world_post(w, &list[i]);
    CALLGRIND_STOP_INSTRUMENTATION;
    for (size_t i = 0; i < submissions; i++) {
        for (size_t k = 0; k < count; k++)
            assert_item(&list[i].items[k], ITEM_ACCEPTED, CODE_ACCEPTED);
        submission_clear(&list[i]);
    }
    free(list);
    world_teardown(&state);
    printf("{\"receipts\":%zu}\n", submissions * count);
    return 0;
}

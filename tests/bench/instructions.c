/* A fixed input for counting instructions: receipts signed one by one, each a submission or in arrays, or in bundles, into a store on
 * disk; what is counted is everything that all threads do from the submission to the answer.  Making and signing the input is not.
 *
 *     valgrind --tool=callgrind --instr-atstart=no build/tests/bench/instructions object|single|bundle
 *
 * tests/bench/instructions.mjs runs it and compares.  Outside of valgrind it does the same and counts nothing.  One verify thread, one
 * submission after the other, or so many objects a group as come together under load, a clock that stands, keys and jobs from a seed:
 * so that two runs differ by far less than 1 %. */
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/callgrind.h>

#include "gateway/base/mem.h"
#include "tests/support/world.h"

static const struct kind { const char *name; size_t submissions, receipts, group; bool bundled; } kinds[] = {
    { "object", 256, 1, 32, false },
    { "single", 8, 100, 1, false },
    { "bundle", 2, 5000, 1, true },
};

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

static sem_t ended;

static void end(struct submission *s, bool ok, const struct err *err)
{
    (void)s;
    if (!ok)
        bug("%s", err->text);
    sem_post(&ended);
}

/* All of them in one group: the writer stands still until they wait. */
static void post_group(struct world *w, struct submission *list, size_t count)
{
    struct err err;

    world_block(w);
    for (size_t i = 0; i < count; i++) {
        list[i].done = end;
        if (!intake_submit(w->intake, &list[i], &err))
            bug("%s", err.text);
    }
    world_wait_for_queue(w, count * (list->count + 1));
    world_unblock(w);
    for (size_t i = 0; i < count; i++)
        sem_wait(&ended);
}

static const struct kind *kind_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const struct kind *kind = argc == 2 ? kind_of(argv[1]) : NULL;
    struct submission *list;
    struct world *w;
    void *state = NULL;

    if (kind == NULL)
        return 64;
    sem_init(&ended, 0, 0);
    list = mem_array(kind->submissions, sizeof *list);
    if (world_setup(&state) != 0)
        return 1;
    w = state;
    w->config.verify_threads = 1;
    world_restart(w);
    /* What is done once, and statements that are prepared once, are not of the path. */
    warm_up(w, 1, kind->bundled);
    for (size_t i = 0; i < kind->submissions; i++)
        make_submission(w, &list[i], kind->receipts, kind->bundled);
    CALLGRIND_START_INSTRUMENTATION;
    for (size_t i = 0; i < kind->submissions; i += kind->group)
        if (kind->group == 1)
            world_post(w, &list[i]);
        else
            post_group(w, &list[i], kind->group);
    CALLGRIND_STOP_INSTRUMENTATION;
    for (size_t i = 0; i < kind->submissions; i++) {
        for (size_t k = 0; k < kind->receipts; k++)
            assert_item(&list[i].items[k], ITEM_ACCEPTED, CODE_ACCEPTED);
        submission_clear(&list[i]);
    }
    free(list);
    world_teardown(&state);
    printf("{\"receipts\":%zu}\n", kind->submissions * kind->receipts);
    return 0;
}

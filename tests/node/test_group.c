/* What an answer lets a node let go of: only what it accounts for, receipt by receipt. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "gateway/node/group.h"
#include "tests/support/fixture.h"

#define COUNT 3
#define SIGNATURE "0x" "11111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111" "11"
#define PROMISES(n) "\"promises\":[{\"count\":" n ",\"signature\":\"" SIGNATURE "\"}]"

#define A OUTCOME_ACCEPTED
#define D OUTCOME_DUPLICATE
#define Q OUTCOME_QUARANTINED
#define R OUTCOME_REJECTED
#define L OUTCOME_LATER

static const struct answer_case {
    const char *name, *answer;
    bool ok;
    enum outcome_kind want[COUNT];
} cases[] = {
    { "silence and counts accept all",
      "{\"results\":[],\"counts\":{\"accepted\":3}," PROMISES("3") "}", true, { A, A, A } },
    { "what is listed is what it says",
      "{\"results\":[{\"index\":0,\"status\":\"duplicate\"},{\"index\":2,\"status\":\"quarantined\"}],\"counts\":{\"accepted\":1}," PROMISES("9") "}",
      true, { D, A, Q } },
    { "a rejection is for good, too-many is not",
      "{\"results\":[{\"index\":1,\"status\":\"rejected\",\"code\":\"too-many\"},{\"index\":0,\"status\":\"rejected\",\"code\":\"malformed\"}],"
      "\"counts\":{\"accepted\":1}," PROMISES("1") "}", true, { R, L, A } },
    { "a full list needs no counts",
      "{\"results\":[{\"index\":0,\"status\":\"accepted\"},{\"index\":1,\"status\":\"accepted\"},{\"index\":2,\"status\":\"duplicate\"}]," PROMISES("2") "}",
      true, { A, A, D } },
    { "what an operator refused meanwhile is refused",
      "{\"results\":[{\"index\":0,\"status\":\"duplicate\",\"state\":\"refused\"}],\"counts\":{\"accepted\":2}," PROMISES("2") "}", true, { R, A, A } },
    { "silence without counts says nothing",            "{\"results\":[]," PROMISES("3") "}", false, { A } },
    { "nor with counts that say another thing",         "{\"results\":[],\"counts\":{\"accepted\":2}," PROMISES("3") "}", false, { A } },
    { "acceptance needs a promise",                     "{\"results\":[],\"counts\":{\"accepted\":3},\"promises\":[]}", false, { A } },
    { "that covers as many",                            "{\"results\":[],\"counts\":{\"accepted\":3}," PROMISES("2") "}", false, { A } },
    { "an item for no receipt is no answer",            "{\"results\":[{\"index\":3,\"status\":\"rejected\"}],\"counts\":{\"accepted\":3}," PROMISES("3") "}", false, { A } },
    { "nor are two for one",
      "{\"results\":[{\"index\":0,\"status\":\"duplicate\"},{\"index\":0,\"status\":\"duplicate\"}],\"counts\":{\"accepted\":2}," PROMISES("3") "}", false, { A } },
    { "nor a status nobody knows",                      "{\"results\":[{\"index\":0,\"status\":\"fine\"}],\"counts\":{\"accepted\":2}," PROMISES("3") "}", false, { A } },
    { "nor one for another job",
      "{\"results\":[{\"index\":0,\"status\":\"duplicate\",\"jobId\":\"00000000-0000-7000-8000-000000000000\"}],\"counts\":{\"accepted\":2}," PROMISES("3") "}",
      false, { A } },
    { "a list alone is no answer",                      "[]", false, { A } },
};

static void outcomes_match(void **state)
{
    const struct answer_case *c = *state;
    struct spool_item items[COUNT];
    struct outcome outcomes[COUNT];
    struct rng rng = { 1 };
    struct err err = { 0 };
    json *answer;

    for (size_t i = 0; i < COUNT; i++)
        items[i] = (struct spool_item){ .receipt = { .receipt = rng_receipt(&rng, FIXTURE_NOW) } };
    assert_true(json_read(c->answer, strlen(c->answer), &answer, &err));
    assert_int_equal(group_outcomes(answer, items, COUNT, outcomes, &err), c->ok);
    for (size_t i = 0; c->ok && i < COUNT; i++)
        assert_int_equal(outcomes[i].kind, c->want[i]);
    if (!c->ok)
        assert_int_equal(err.code, ERR_AGAIN);
    json_free(answer);
}

int main(void)
{
    FIXTURE_TESTS(tests, cases, outcomes_match);
    return cmocka_run_group_tests_name("group", tests, NULL, NULL);
}

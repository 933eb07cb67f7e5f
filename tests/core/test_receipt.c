/* Words, packed form and content rules: vectors `receipts`, words of `bundleRejects` are in test_bundle.c. */
#include "tests/support/fixture.h"

static void words_and_hash_match(void **state)
{
    const json *row = *state;
    struct signed_receipt r = fixture_receipt(vector_member(row, "json"));
    struct buf want = vector_bytes(row, "words");
    uint8_t words[RECEIPT_WORDS];

    receipt_to_words(&r.receipt, words);
    assert_int_equal(want.len, RECEIPT_WORDS);
    assert_memory_equal(words, want.data, RECEIPT_WORDS);
    assert_hash_is(receipt_struct_hash(&r.receipt), vector_hash(row, "structHash"));
    assert_hash_is(receipt_words_hash(words), vector_hash(row, "structHash"));
    buf_clear(&want);
}

/* Any number of them side by side, each with a word of its own. */
static void many_words_are_hashed_as_each_alone(void **state)
{
    enum { MOST = 77 };
    static uint8_t words[MOST * RECEIPT_WORDS];
    struct hash hashes[MOST];

    (void)state;
    for (size_t i = 0; i < MOST; i++)
        words[i * RECEIPT_WORDS + i] = (uint8_t)(i + 1);
    receipt_words_hashes(words, MOST, hashes);
    for (size_t i = 0; i < MOST; i++)
        assert_hash_is(hashes[i], receipt_words_hash(words + i * RECEIPT_WORDS));
}

static const struct check_case {
    const char *name;
    int64_t job, started, finished;     /* ms from now */
    uint64_t input, cached;
    uint8_t version, variant;           /* jobId's bytes 6 and 8 */
    enum receipt_code want;
} cases[] = {
    { "a plain receipt passes",                             -3000, -2000, -1000, 5, 2, 0x70, 0x80, CODE_ACCEPTED },
    { "the variant's low bits are free",                    -3000, -2000, -1000, 5, 2, 0x7f, 0xbf, CODE_ACCEPTED },
    { "version 4 is malformed",                             -3000, -2000, -1000, 5, 2, 0x40, 0x80, CODE_MALFORMED },
    { "another variant is malformed",                       -3000, -2000, -1000, 5, 2, 0x70, 0xc0, CODE_MALFORMED },
    { "24 h before the start is in time",                   -86402000, -2000, -1000, 5, 2, 0x70, 0x80, CODE_ACCEPTED },
    { "a ms more is not",                                   -86402001, -2000, -1000, 5, 2, 0x70, 0x80, CODE_MALFORMED },
    { "5 min after the finish is in time",                  299000, -2000, -1000, 5, 2, 0x70, 0x80, CODE_ACCEPTED },
    { "a ms later is not",                                  299001, -2000, -1000, 5, 2, 0x70, 0x80, CODE_MALFORMED },
    { "all input may be cached",                            -3000, -2000, -1000, 5, 5, 0x70, 0x80, CODE_ACCEPTED },
    { "more cached than input is malformed",                -3000, -2000, -1000, 5, 6, 0x70, 0x80, CODE_MALFORMED },
    { "a count of 2^53 is malformed",                       -3000, -2000, -1000, RECEIPT_COUNT_MAX + 1, 0, 0x70, 0x80, CODE_MALFORMED },
    { "the finish before the start is named as such",       -3000, -1000, -2000, 5, 2, 0x70, 0x80, CODE_FINISHED_BEFORE_STARTED },
    { "5 min ahead of our clock is in time",                -3000, -2000, 300000, 5, 2, 0x70, 0x80, CODE_ACCEPTED },
    { "a ms more is in the future",                         -3000, -2000, 300001, 5, 2, 0x70, 0x80, CODE_FINISHED_IN_FUTURE },
};

static void check_gives_the_code(void **state)
{
    const struct check_case *c = *state;
    struct rng rng = { 1 };
    struct receipt r = rng_receipt(&rng, FIXTURE_NOW);
    uint64_t job_ms = FIXTURE_NOW + (uint64_t)c->job;
    struct faults faults = { 0 };

    r.started_at_ms = FIXTURE_NOW + (uint64_t)c->started;
    r.finished_at_ms = FIXTURE_NOW + (uint64_t)c->finished;
    r.count[METER_INPUT] = c->input;
    r.count[METER_CACHED] = c->cached;
    for (size_t i = 0; i < 6; i++)
        r.job_id.b[i] = (uint8_t)(job_ms >> (40 - 8 * i));
    r.job_id.b[6] = c->version;
    r.job_id.b[8] = c->variant;
    assert_int_equal(job_id_time_ms(r.job_id), job_ms);
    receipt_check(&r, FIXTURE_NOW, &faults);
    assert_int_equal(faults_first(&faults), c->want);
    faults_clear(&faults);
}

static bool same(const struct receipt *a, const struct receipt *b)
{
    uint8_t left[RECEIPT_PACKED], right[RECEIPT_PACKED];

    receipt_pack(a, left);
    receipt_pack(b, right);
    return memcmp(left, right, sizeof left) == 0;
}

static void every_form_gives_the_receipt_back(void **state)
{
    struct rng rng = { 42 };

    (void)state;
    for (int i = 0; i < 500; i++) {
        struct signed_receipt r = { .receipt = rng_receipt(&rng, FIXTURE_NOW) }, from_json;
        struct receipt from_words = { 0 }, from_packed = { 0 };
        uint8_t words[RECEIPT_WORDS], packed[RECEIPT_PACKED];
        struct faults faults = { 0 };
        json *object = receipt_to_json(&r);

        receipt_to_words(&r.receipt, words);
        receipt_from_words(words, &from_words, &faults);
        receipt_pack(&r.receipt, packed);
        receipt_unpack(packed, &from_packed);
        from_json = fixture_receipt(object);
        receipt_check(&from_json.receipt, FIXTURE_NOW, &faults);
        assert_int_equal(faults.count, 0);
        assert_true(same(&r.receipt, &from_words));
        assert_true(same(&r.receipt, &from_packed));
        assert_true(same(&r.receipt, &from_json.receipt));
        assert_memory_equal(&r.receipt.count, &from_packed.count, sizeof r.receipt.count);
        assert_int_equal(r.receipt.finished_at_ms, from_packed.finished_at_ms);
        json_free(object);
    }
}

/* Every padding byte of every word, and the fields that have none. */
static void no_padding_byte_may_be_set(void **state)
{
    static const size_t from[RECEIPT_FIELDS] = { 0, 12, 0, 12, 24, 24, 24, 24, 24, 24, 24, 0, 0 };
    static const size_t to[RECEIPT_FIELDS] = { 16, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32 };
    struct rng rng = { 7 };
    struct receipt r = rng_receipt(&rng, FIXTURE_NOW), got;
    uint8_t words[RECEIPT_WORDS];

    (void)state;
    receipt_to_words(&r, words);
    for (size_t i = 0; i < RECEIPT_WORDS; i++) {
        struct faults faults = { 0 };
        size_t field = i / 32, at = i % 32;

        if (at >= from[field] && at < to[field])
            continue;
        words[i] ^= 1;
        receipt_from_words(words, &got, &faults);
        assert_int_equal(faults.count, 1);
        assert_int_equal(faults.list[0].code, CODE_MALFORMED);
        assert_string_equal(faults.list[0].pointer + 1, receipt_fields[field].name);
        assert_true(same(&r, &got));
        words[i] ^= 1;
        faults_clear(&faults);
    }
}

int main(void)
{
    FIXTURE_TESTS(checks, cases, check_gives_the_code);
    const struct CMUnitTest properties[] = {
        cmocka_unit_test(every_form_gives_the_receipt_back),
        cmocka_unit_test(no_padding_byte_may_be_set),
        cmocka_unit_test(many_words_are_hashed_as_each_alone),
    };

    return fixture_run("receipts", words_and_hash_match, NULL, NULL)
         + cmocka_run_group_tests_name("receipt_check", checks, NULL, NULL)
         + cmocka_run_group_tests_name("receipt forms", properties, NULL, NULL);
}

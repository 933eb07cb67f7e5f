/* Sealed archive lines: who opens them, and that what is public tells nothing about a job. */
#include "gateway/core/seal.h"

#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/lib/box.h"
#include "tests/support/fixture.h"

static const uint8_t secret[32] = { 0x5e };

static void line_key_matches(void **state)
{
    const json *row = *state;
    struct hash key = vector_hash(row, "secret");

    assert_hash_is(seal_line_key(key.b, vector_job_id(row, "jobId"), vector_address(row, "provider")), vector_hash(row, "lineKey"));
}

static struct archive_line receipt_line(uint64_t seed, bool with_bundle, bool countersigned)
{
    struct rng rng = { seed };
    struct archive_line line = { ARCHIVE_RECEIPT, { .receipt = { .has_bundle = with_bundle } } };
    struct archive_receipt *a = &line.of.receipt;

    a->receipt.receipt = rng_receipt(&rng, FIXTURE_NOW);
    a->receipt.has_signature = !with_bundle;
    a->receipt.has_consumer_signature = countersigned;
    rng_bytes(&rng, a->receipt.signature.b, sizeof a->receipt.signature.b);
    rng_bytes(&rng, a->receipt.consumer_signature.b, sizeof a->receipt.consumer_signature.b);
    if (with_bundle)
        a->bundle_root = rng_hash(&rng);
    a->salt = rng_hash(&rng);
    a->accepted_at_ms = FIXTURE_NOW;
    a->price_version = 3;
    a->amount = amount_from_u64(rng_next(&rng));
    return line;
}

static struct hash key_of(const struct archive_line *receipt)
{
    return seal_line_key(secret, receipt->of.receipt.receipt.receipt.job_id, receipt->of.receipt.receipt.receipt.provider);
}

static struct archive_line sealed(const struct archive_line *receipt, struct hash leaf)
{
    struct archive_line line = *receipt;
    struct err err = { 0 };

    if (!seal_receipt(&line, leaf, key_of(receipt), seal_settlement_key(secret, 7), &err))
        fail_msg("%s", err.text);
    return line;
}

static void assert_same_text(const struct archive_line *a, const struct archive_line *b)
{
    struct buf x, y;

    buf_init(&x);
    buf_init(&y);
    archive_write_line(a, &x);
    archive_write_line(b, &y);
    assert_string_equal(buf_text(&x), buf_text(&y));
    buf_clear(&x);
    buf_clear(&y);
}

/* As it is read back from a file. */
static struct archive_line through_text(struct archive_line *owned)
{
    struct archive_line read = { 0 };
    struct err err = { 0 };
    struct buf text;

    buf_init(&text);
    archive_write_line(owned, &text);
    if (!archive_read_line(buf_text(&text), text.len - 1, &read, &err))
        fail_msg("%s", err.text);
    assert_same_text(owned, &read);
    archive_line_clear(owned);
    buf_clear(&text);
    return read;
}

static void both_keys_open_a_receipt(void **state)
{
    const struct archive_line plain = receipt_line(1, false, true);
    const struct hash leaf = { { 0x1e } };
    struct err err = { 0 };

    (void)state;
    for (int with_line_key = 0; with_line_key < 2; with_line_key++) {
        struct archive_line line = sealed(&plain, leaf);
        bool opened = false;

        line = through_text(&line);
        assert_int_equal(line.type, ARCHIVE_SEALED);
        assert_hash_is(line.of.sealed.leaf, leaf);
        assert_true(with_line_key ? seal_open_line(&line, key_of(&plain), &opened, &err)
                                  : seal_open(&line, seal_settlement_key(secret, 7), &opened, &err));
        assert_true(opened);
        assert_same_text(&line, &plain);
    }
}

static void no_other_key_opens_it(void **state)
{
    const struct archive_line plain = receipt_line(1, false, false), other = receipt_line(2, false, false);
    struct archive_line line = sealed(&plain, (struct hash){ { 0x1e } });
    struct err err = { 0 };
    bool opened = true;

    (void)state;
    assert_true(seal_open_line(&line, key_of(&other), &opened, &err));
    assert_false(opened);
    opened = true;
    assert_true(seal_open(&line, seal_settlement_key(secret, 8), &opened, &err));
    assert_false(opened);
    assert_int_equal(line.type, ARCHIVE_SEALED);
    archive_line_clear(&line);
}

static void a_bundle_opens_by_its_settlement_alone(void **state)
{
    struct archive_line plain = { ARCHIVE_BUNDLE, { .bundle = { .bundle = { { { 1 } }, { { 2 } }, 3 }, .other_count = 1 } } }, line;
    struct err err = { 0 };
    bool opened = true;

    (void)state;
    plain.of.bundle.others = mem_array(1, sizeof *plain.of.bundle.others);
    line = through_text(&plain);
    plain = line;
    plain.of.bundle.others = mem_array(1, sizeof *plain.of.bundle.others);
    memcpy(plain.of.bundle.others, line.of.bundle.others, sizeof *plain.of.bundle.others);
    assert_true(seal_row(&line, seal_settlement_key(secret, 7), &err));
    assert_int_equal(line.of.sealed.box.len, 24 + BOX_OVERHEAD + SEAL_STEP);
    line = through_text(&line);
    assert_true(seal_open(&line, seal_settlement_key(secret, 8), &opened, &err));
    assert_false(opened);
    assert_true(seal_open(&line, seal_settlement_key(secret, 7), &opened, &err));
    assert_true(opened);
    assert_same_text(&line, &plain);
    archive_line_clear(&line);
    archive_line_clear(&plain);
}

static void a_consumer_opens_by_its_settlement_alone(void **state)
{
    struct archive_line plain = { ARCHIVE_CONSUMER, { .consumer = { .address = { { 7 } }, .since_ms = 8, .enrolled = true } } };
    struct archive_line line = plain;
    struct err err = { 0 };
    bool opened = true;

    (void)state;
    assert_true(seal_row(&line, seal_settlement_key(secret, 7), &err));
    line = through_text(&line);
    assert_int_equal(line.type, ARCHIVE_SEALED_CONSUMER);
    assert_true(seal_open(&line, seal_settlement_key(secret, 8), &opened, &err));
    assert_false(opened);
    assert_true(seal_open(&line, seal_settlement_key(secret, 7), &opened, &err));
    assert_true(opened);
    assert_same_text(&line, &plain);
    archive_line_clear(&line);
}

/* Nothing of a receipt in the clear, as hex or as base64, and no two that differ in length. */
static void the_public_part_tells_nothing_about_a_job(void **state)
{
    static const bool forms[][2] = { { false, false }, { false, true }, { true, false }, { true, true } };
    size_t length = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        const struct archive_line plain = receipt_line(10 + i, forms[i][0], forms[i][1]);
        struct archive_line line = sealed(&plain, (struct hash){ { 0x1e } });
        const struct receipt *r = &plain.of.receipt.receipt.receipt;
        char job[JOB_ID_TEXT], provider[2 * 20 + 1], model[2 * 32 + 1], signature[2 * 65 + 1], salt[2 * 32 + 1];
        const char *const told[] = { job, provider, model, signature, salt, "okens", "jobId", "provider", "consumer", "amount" };
        struct buf text;

        job_id_to_text(r->job_id, job);
        hex_encode_bare(r->provider.b, 20, provider);
        hex_encode_bare(r->model.b, 32, model);
        hex_encode_bare(plain.of.receipt.receipt.signature.b, 65, signature);
        hex_encode_bare(plain.of.receipt.salt.b, 32, salt);
        buf_init(&text);
        archive_write_line(&line, &text);
        for (size_t k = 0; k < ARRAY_LEN(told); k++)
            if (strcasestr(buf_text(&text), told[k]) != NULL)
                fail_msg("%s stands in %s", told[k], buf_text(&text));
        assert_true(length == 0 || text.len == length);
        length = text.len;
        buf_clear(&text);
        archive_line_clear(&line);
    }
}

/* The largest numbers there can be still fit the length that all lines have. */
static void the_longest_receipt_fits(void **state)
{
    struct archive_line plain = receipt_line(1, false, true), line;

    (void)state;
    for (size_t i = 0; i < METER_COUNT; i++)
        plain.of.receipt.receipt.receipt.count[i] = RECEIPT_COUNT_MAX;
    plain.of.receipt.receipt.receipt.started_at_ms = plain.of.receipt.receipt.receipt.finished_at_ms = INT64_MAX;
    plain.of.receipt.accepted_at_ms = plain.of.receipt.price_version = INT64_MAX;
    memset(&plain.of.receipt.amount, 0xff, sizeof plain.of.receipt.amount);
    line = sealed(&plain, (struct hash){ { 0x1e } });
    assert_int_equal(line.of.sealed.box.len, SEAL_RECEIPT_TEXT + BOX_OVERHEAD);
    archive_line_clear(&line);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_keys_open_a_receipt),
        cmocka_unit_test(no_other_key_opens_it),
        cmocka_unit_test(a_bundle_opens_by_its_settlement_alone),
        cmocka_unit_test(a_consumer_opens_by_its_settlement_alone),
        cmocka_unit_test(the_public_part_tells_nothing_about_a_job),
        cmocka_unit_test(the_longest_receipt_fits),
    };

    return fixture_run("lineKeys", line_key_matches, NULL, NULL) + cmocka_run_group_tests_name("sealed lines", tests, NULL, NULL);
}

#include "tests/support/fixture.h"

#include "gateway/base/mem.h"

static void write_line(const struct archive_line *line, struct buf *out)
{
    buf_init(out);
    archive_write_line(line, out);
    assert_false(out->failed);
    assert_int_equal(out->data[out->len - 1], '\n');
}

/* Written, read and written again must be the same bytes; the caller then looks at what was read. */
static void round_trip(const struct archive_line *line, struct archive_line *read)
{
    struct buf first, second;
    struct err err = { 0 };

    write_line(line, &first);
    if (!archive_read_line(buf_text(&first), first.len - 1, read, &err))
        fail_msg("%s: %s", err.text, buf_text(&first));
    write_line(read, &second);
    assert_string_equal(buf_text(&first), buf_text(&second));
    assert_int_equal(read->type, line->type);
    buf_clear(&first);
    buf_clear(&second);
}

static struct signature rng_signature(struct rng *rng)
{
    struct signature sig;

    rng_bytes(rng, sig.b, sizeof sig.b);
    return sig;
}

static struct amount rng_amount(struct rng *rng)
{
    return (struct amount){ { { rng_next(rng), rng_next(rng), 0, 0 } } };
}

static void a_batch_line_comes_back(void **state)
{
    struct rng rng = { 31 };
    struct archive_line line = { .type = ARCHIVE_BATCH }, read;
    struct archive_batch *b = &line.of.batch;

    (void)state;
    *b = (struct archive_batch){ 31337, rng_address(&rng), rng_address(&rng), rng_address(&rng), rng_hash(&rng),
        { .sequence = 5, .receipts_root = rng_hash(&rng), .rewards_root = rng_hash(&rng), .total = rng_amount(&rng), .receipts = 9 } };
    round_trip(&line, &read);
    assert_memory_equal(&read.of.batch, b, sizeof *b);
    archive_line_clear(&read);
}

static void a_price_line_comes_back(void **state)
{
    struct rng rng = { 32 };
    struct archive_line line = { .type = ARCHIVE_PRICE }, read;

    (void)state;
    for (int any = 0; any <= 1; any++) {
        struct price_version *p = &line.of.price;

        *p = (struct price_version){ .version = 3, .any_model = any == 1, .effective_from_ms = 4, .recorded_at_ms = 5,
                                     .unit = "second", .split_bps = { 9000, 600, 400 } };
        if (any == 0)
            p->model = rng_hash(&rng);
        p->per_million[METER_COMPUTE_MS] = amount_from_u64(rng_next(&rng));
        round_trip(&line, &read);
        assert_int_equal(read.of.price.any_model, any);
        assert_hash_is(read.of.price.model, p->model);
        assert_int_equal(read.of.price.version, 3);
        assert_int_equal(read.of.price.recorded_at_ms, 5);
        archive_line_clear(&read);
    }
}

static void a_provider_line_comes_back(void **state)
{
    struct rng rng = { 33 };
    struct archive_line line = { .type = ARCHIVE_PROVIDER }, read;

    (void)state;
    line.of.provider = (struct provider){ .address = rng_address(&rng), .payout = rng_address(&rng), .since_ms = 12, .admitted = true };
    round_trip(&line, &read);
    assert_memory_equal(&read.of.provider, &line.of.provider, sizeof line.of.provider);
    archive_line_clear(&read);
    line.of.provider.payout_word = (struct payout_word){ true, 9, rng_signature(&rng), rng_address(&rng) };
    round_trip(&line, &read);
    assert_int_equal(read.of.provider.payout_word.at_ms, 9);
    assert_memory_equal(&read.of.provider.payout_word.signature, &line.of.provider.payout_word.signature, 65);
    assert_true(address_eq(read.of.provider.payout_word.contract, line.of.provider.payout_word.contract));
    archive_line_clear(&read);
}

static void a_delegation_and_its_revocation_come_back(void **state)
{
    struct rng rng = { 38 };
    struct archive_line line = { .type = ARCHIVE_DELEGATION }, read;

    (void)state;
    line.of.delegation = (struct delegation){ rng_address(&rng), rng_address(&rng), 5, 6, rng_signature(&rng), 7 };
    round_trip(&line, &read);
    assert_memory_equal(&read.of.delegation.signature, &line.of.delegation.signature, 65);
    assert_true(address_eq(read.of.delegation.key, line.of.delegation.key));
    assert_int_equal(read.of.delegation.valid_from_ms, 5);
    assert_int_equal(read.of.delegation.valid_until_ms, 6);
    assert_int_equal(read.of.delegation.since_ms, 7);
    archive_line_clear(&read);
    for (int signed_ = 0; signed_ < 2; signed_++) {       /* by an administrator, then by the wallet */
        line = (struct archive_line){ .type = ARCHIVE_REVOCATION };
        line.of.revocation = (struct revocation){ rng_address(&rng), rng_address(&rng), 8, signed_ != 0, { { 0 } }, 9 };
        if (signed_ != 0)
            line.of.revocation.signature = rng_signature(&rng);
        round_trip(&line, &read);
        assert_int_equal(read.of.revocation.has_signature, signed_);
        assert_int_equal(read.of.revocation.at_ms, 8);
        assert_int_equal(read.of.revocation.since_ms, 9);
        archive_line_clear(&read);
    }
}

static void a_consumer_line_comes_back(void **state)
{
    struct rng rng = { 36 };
    struct archive_line line = { .type = ARCHIVE_CONSUMER }, read;

    (void)state;
    for (int enrolled = 0; enrolled < 2; enrolled++) {
        line.of.consumer = (struct consumer){ .address = rng_address(&rng), .since_ms = 12, .enrolled = enrolled != 0 };
        round_trip(&line, &read);
        assert_memory_equal(&read.of.consumer, &line.of.consumer, sizeof line.of.consumer);
        archive_line_clear(&read);
    }
}

static void a_model_line_comes_back(void **state)
{
    struct rng rng = { 34 };
    struct archive_line line = { .type = ARCHIVE_MODEL }, read;

    (void)state;
    line.of.model = (struct model){ .model = rng_hash(&rng), .creator = rng_address(&rng), .name = "a \"name\"", .parent_count = 2,
        .parents = { { rng_hash(&rng), 1 }, { rng_hash(&rng), 9999 } }, .registered_at_ms = 7, .signature = rng_signature(&rng),
        .verified_at_ms = 8 };
    round_trip(&line, &read);
    assert_true(model_same(&line.of.model, &read.of.model));
    assert_int_equal(read.of.model.verified_at_ms, 8);
    assert_true(address_is_zero(read.of.model.contract));
    archive_line_clear(&read);
    line.of.model.contract = rng_address(&rng);           /* registered for another contract */
    round_trip(&line, &read);
    assert_true(address_eq(read.of.model.contract, line.of.model.contract));
    archive_line_clear(&read);
}

static void the_lines_of_a_market_come_back(void **state)
{
    struct rng rng = { 38 };
    struct archive_line line = { .type = ARCHIVE_PRICE }, read;
    struct price_version *p = &line.of.price;
    struct announcement *a = &line.of.capacity;

    (void)state;
    *p = (struct price_version){ .version = 4, .model = rng_hash(&rng), .split_bps = { 10000, 0, 0 },
                                 .market = { 60, 7000, 500, 125, 5000, 20000 } };
    round_trip(&line, &read);
    assert_memory_equal(&read.of.price.market, &p->market, sizeof p->market);
    assert_int_equal(read.of.price.step.base, 0);
    p->market = (struct market_rule){ 0 };
    p->step = (struct market_step){ 4, 60000, u256_from_u64(5), u256_from_u64(6), u256_from_u64(MARKET_ONE) };
    round_trip(&line, &read);
    assert_memory_equal(&read.of.price.step, &p->step, sizeof p->step);

    line = (struct archive_line){ .type = ARCHIVE_CAPACITY };
    *a = (struct announcement){ { rng_address(&rng), rng_hash(&rng), 5, 6, 7 }, false, rng_signature(&rng), 8 };
    round_trip(&line, &read);
    assert_memory_equal(&read.of.capacity.capacity, &a->capacity, sizeof a->capacity);
    assert_memory_equal(&read.of.capacity.signature, &a->signature, sizeof a->signature);
    assert_int_equal(read.of.capacity.recorded_at_ms, 8);
    a->withdrawn = true;                      /* with the expulsion of its provider, whom nobody asked to sign */
    round_trip(&line, &read);
    assert_true(read.of.capacity.withdrawn);
}

static void a_quote_line_comes_back(void **state)
{
    struct rng rng = { 39 };
    struct archive_line line = { .type = ARCHIVE_QUOTE }, read;
    struct issued_quote *q = &line.of.quote, *got = &read.of.quote;

    (void)state;
    *q = (struct issued_quote){ { rng_hash(&rng), rng_address(&rng), rng_address(&rng), 3, 9 }, 8, rng_signature(&rng), rng_address(&rng) };
    round_trip(&line, &read);
    assert_memory_equal(&got->quote.model, &q->quote.model, sizeof q->quote.model);
    assert_true(address_eq(got->quote.provider, q->quote.provider) && address_eq(got->quote.consumer, q->quote.consumer));
    assert_int_equal(got->quote.price_version, 3);
    assert_int_equal(got->quote.valid_until_ms, 9);
    assert_int_equal(got->issued_at_ms, 8);
    assert_memory_equal(&got->signature, &q->signature, sizeof q->signature);
    assert_true(address_eq(got->signer, q->signer));
}

static void a_bundle_line_comes_back(void **state)
{
    struct rng rng = { 35 };
    struct archive_line line = { .type = ARCHIVE_BUNDLE }, read;
    struct archive_bundle *b = &line.of.bundle;

    (void)state;
    *b = (struct archive_bundle){ { rng_address(&rng), rng_hash(&rng), 5 }, rng_signature(&rng), rng_address(&rng), 2, NULL };
    b->others = mem_array(2, sizeof *b->others);
    b->others[0].index = 1;
    b->others[1].index = 4;
    b->others[1].leaf = rng_hash(&rng);
    round_trip(&line, &read);
    assert_int_equal(read.of.bundle.other_count, 2);
    assert_true(address_eq(read.of.bundle.key, b->key));
    assert_memory_equal(read.of.bundle.others, b->others, 2 * sizeof *b->others);
    archive_line_clear(&read);
    archive_line_clear(&line);
}

static void receipt_lines_come_back(void **state)
{
    struct rng rng = { 36 };

    (void)state;
    for (int i = 0; i < 200; i++) {
        struct archive_line line = { .type = ARCHIVE_RECEIPT }, read;
        struct archive_receipt *r = &line.of.receipt;
        uint8_t want[RECEIPT_PACKED], got[RECEIPT_PACKED];

        r->receipt.receipt = rng_receipt(&rng, FIXTURE_NOW);
        r->has_bundle = i % 2 == 1;
        r->receipt.has_signature = !r->has_bundle;
        r->receipt.signature = rng_signature(&rng);
        r->receipt.has_consumer_signature = i % 3 == 1;
        r->receipt.consumer_signature = rng_signature(&rng);
        r->bundle_root = rng_hash(&rng);
        r->bundle_index = rng_below(&rng, 100);
        r->salt = rng_hash(&rng);
        r->accepted_at_ms = FIXTURE_NOW;
        r->price_version = 3;
        r->amount = rng_amount(&rng);
        round_trip(&line, &read);
        receipt_pack(&r->receipt.receipt, want);
        receipt_pack(&read.of.receipt.receipt.receipt, got);
        assert_memory_equal(got, want, sizeof want);
        assert_int_equal(read.of.receipt.has_bundle, r->has_bundle);
        assert_int_equal(read.of.receipt.bundle_index, r->has_bundle ? r->bundle_index : 0);
        archive_line_clear(&read);
    }
}

static void a_reward_line_comes_back(void **state)
{
    struct rng rng = { 37 };
    struct archive_line line = { .type = ARCHIVE_REWARD }, read;

    (void)state;
    line.of.reward = (struct archive_reward){ rng_address(&rng), rng_amount(&rng), rng_amount(&rng) };
    round_trip(&line, &read);
    assert_memory_equal(&read.of.reward, &line.of.reward, sizeof line.of.reward);
    archive_line_clear(&read);
}

#define ACCOUNT "\"account\":\"0x6F06F89e438b982b0a422718E979e2DB75A4A495\""
#define HASH "\"0xf76bc23d38f20d5af031dc782f51806c3576c2667b3fb5a3ede7004acb926bc0\""
#define SIGNATURE "\"0x0000000000000000000000000000000000000000000000000000000000000000" \
    "000000000000000000000000000000000000000000000000000000000000000000\""
#define RECEIPT(more) "{\"type\":\"receipt\",\"jobId\":\"01a0ee06-0be1-73e7-a944-7bca3b3e6b5a\"," \
    "\"provider\":\"0x6F06F89e438b982b0a422718E979e2DB75A4A495\",\"model\":" HASH ",\"startedAt\":1,\"finishedAt\":2," more \
    "\"salt\":" HASH ",\"acceptedAt\":3,\"priceVersion\":1,\"amount\":\"5\"}"
#define BUNDLE(others) "{\"type\":\"bundle\",\"provider\":\"0x6F06F89e438b982b0a422718E979e2DB75A4A495\",\"root\":" HASH \
    ",\"count\":2,\"signature\":" SIGNATURE ",\"others\":" others "}"

static const struct bad_case { const char *name, *text, *says; } bad[] = {
    { "no JSON",                               "{\"type\":", "" },
    { "no object",                             "[]", "type: missing" },
    { "no type",                               "{}", "type: missing" },
    { "a type nobody knows",                   "{\"type\":\"gift\"}", "type: none" },
    { "an unknown member",                     "{\"type\":\"reward\"," ACCOUNT ",\"before\":\"1\",\"after\":\"2\",\"tip\":1}", "reward: tip: unknown" },
    { "a missing member",                      "{\"type\":\"reward\"," ACCOUNT ",\"before\":\"1\"}", "reward: after: missing" },
    { "an amount as a number",                 "{\"type\":\"reward\"," ACCOUNT ",\"before\":1,\"after\":\"2\"}", "reward: before:" },
    { "a receipt with nobody's signature",     RECEIPT(""), "receipt: signature: either" },
    { "a receipt with two",                    RECEIPT("\"signature\":" SIGNATURE ",\"bundle\":" HASH ",\"index\":0,"), "receipt: signature: either" },
    { "a place in no bundle",                  RECEIPT("\"signature\":" SIGNATURE ",\"index\":0,"), "receipt: index: only" },
    { "a bundle without the place",            RECEIPT("\"bundle\":" HASH ","), "receipt: index: missing" },
    { "a receipt field of another form",       RECEIPT("\"units\":\"1\",\"bundle\":" HASH ",\"index\":0,"), "receipt: units: an integer" },
    { "others that are no list",               BUNDLE("{}"), "bundle: others: an array" },
    { "an other without leaf",                 BUNDLE("[{\"index\":1}]"), "bundle: others/0: leaf: missing" },
    { "a model of no contract",                "{\"type\":\"model\",\"model\":" HASH "," "\"creator\":\"0x6F06F89e438b982b0a422718E979e2DB75A4A495\","
                                               "\"name\":\"m\",\"parents\":[],\"registeredAt\":1,\"signature\":" SIGNATURE ",\"verifiedAt\":1,"
                                               "\"contract\":\"0x0000000000000000000000000000000000000000\"}", "model: contract: not zero" },
    { "a step of a version with a market",     "{\"type\":\"price\",\"version\":1,\"model\":" HASH ",\"effectiveFrom\":1,\"recordedAt\":1,\"unit\":\"\","
                                               "\"perMillion\":{},\"split\":{\"provider\":10000,\"creator\":0,\"protocol\":0},\"market\":{\"window\":60,"
                                               "\"target\":2,\"deadBand\":1,\"maxStep\":1,\"floor\":1,\"ceiling\":10000},\"step\":{\"base\":1,\"from\":1,"
                                               "\"demand\":\"1\",\"capacity\":\"1\",\"multiplier\":\"1\"}}", "price: step: a version that has a market" },
    { "a capacity without a time",             "{\"type\":\"capacity\",\"provider\":\"0x6F06F89e438b982b0a422718E979e2DB75A4A495\",\"model\":" HASH
                                               ",\"unitsPerSecond\":1,\"validFrom\":1,\"validUntil\":2}", "capacity: recordedAt: missing" },
    { "a price that does not sum up",          "{\"type\":\"price\",\"version\":1,\"model\":\"*\",\"effectiveFrom\":1,\"recordedAt\":1,\"unit\":\"\","
                                               "\"perMillion\":{},\"split\":{\"provider\":1,\"creator\":1,\"protocol\":1}}", "price: split:" },
};

static void a_bad_line_names_its_member(void **state)
{
    const struct bad_case *c = *state;
    struct archive_line line = { .type = ARCHIVE_MODEL };
    struct err err = { 0 };

    assert_false(archive_read_line(c->text, strlen(c->text), &line, &err));
    assert_int_equal(err.code, ERR_INVALID);
    if (strstr(err.text, c->says) == NULL)
        fail_msg("%s", err.text);
    assert_int_equal(line.type, ARCHIVE_MODEL);     /* outputs change only on success */
}

int main(void)
{
    FIXTURE_TESTS(tests, bad, a_bad_line_names_its_member);
    const struct CMUnitTest lines[] = {
        cmocka_unit_test(a_batch_line_comes_back),
        cmocka_unit_test(a_price_line_comes_back),
        cmocka_unit_test(a_provider_line_comes_back), cmocka_unit_test(a_delegation_and_its_revocation_come_back),
        cmocka_unit_test(a_consumer_line_comes_back),
        cmocka_unit_test(a_model_line_comes_back),
        cmocka_unit_test(the_lines_of_a_market_come_back),
        cmocka_unit_test(a_quote_line_comes_back),
        cmocka_unit_test(a_bundle_line_comes_back),
        cmocka_unit_test(receipt_lines_come_back),
        cmocka_unit_test(a_reward_line_comes_back),
    };

    return cmocka_run_group_tests_name("archive lines", lines, NULL, NULL)
         + cmocka_run_group_tests_name("bad archive lines", tests, NULL, NULL);
}

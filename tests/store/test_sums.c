/* What groups left beside each other, folded into the tables of sums: as if each had written them itself. */
#include "tests/support/store_fixture.h"

#include "store/batches.h"
#include "store/catalog.h"
#include "store/ledger.h"
#include "store/market.h"
#include "store/measures.h"
#include "store/popularity.h"
#include "store/sums.h"
#include "tests/support/rng.h"

/* Few keys, so that groups meet: one of each account, role, model and place. */
enum { ACCOUNTS = 3, SIDES = 2, MODELS = 2, PLACES = 2, KEYS = ACCOUNTS * SIDES * MODELS * PLACES };
static const enum role sides[SIDES] = { ROLE_PROVIDER, ROLE_CREATOR };
struct expected { uint64_t amount[SUM_KINDS + 1][KEYS], count[SUM_KINDS + 1][KEYS]; };

static unsigned account_of(unsigned key) { return key % ACCOUNTS; }
static unsigned side_of(unsigned key) { return key / ACCOUNTS % SIDES; }
static unsigned model_of(unsigned key) { return key / ACCOUNTS / SIDES % MODELS; }
static unsigned place_of(unsigned key) { return key / ACCOUNTS / SIDES / MODELS; }

/* As sums.h says which kind names what; keys that are one of a kind fall together. */
static struct sum sum_of(enum sum_kind kind, unsigned key)
{
    struct sum s = { .key.kind = kind };

    if (kind != SUM_BATCH && kind != SUM_DEMAND)
        s.key.account = some_address(account_of(key) + 1);
    if (kind == SUM_POSTING || kind == SUM_FEE || kind == SUM_CACHE_DAY)
        s.key.model = some_hash(model_of(key) + 1);
    if (kind == SUM_POSTING)
        s.key.role = (int)sides[side_of(key)];
    s.key.number = kind == SUM_BATCH || kind == SUM_POSTING ? 1 : place_of(key) + 1;      /* one batch is open */
    if (kind == SUM_FEE || kind == SUM_DEMAND)
        s.key.second = 1;
    return s;
}

/* The first key that means the same. */
static unsigned meant(enum sum_kind kind, unsigned key)
{
    struct sum s = sum_of(kind, key);

    for (unsigned k = 0; k < key; k++) {
        struct sum other = sum_of(kind, k);

        if (memcmp(&other.key, &s.key, sizeof s.key) == 0)
            return k;
    }
    return key;
}

static void leave_some(struct rng *rng, struct buf *sums, struct expected *e)
{
    for (unsigned i = 0; i < 40; i++) {
        enum sum_kind kind = (enum sum_kind)(1 + rng_below(rng, SUM_KINDS));
        unsigned key = (unsigned)rng_below(rng, KEYS), of = meant(kind, key);
        uint64_t amount = rng_below(rng, 1000000), count = 1 + rng_below(rng, 9);
        struct sum s = sum_of(kind, key);

        s.count = count;
        s.amount = kind == SUM_CACHE_DAY ? cache_use_pack(amount, amount / 2) : amount_from_u64(amount);
        store_sum_pack(&s, sums);
        e->amount[kind][of] += amount;
        e->count[kind][of] += count;
    }
}

static void keep(struct store_fixture *f, uint64_t number, uint64_t now_ms, uint64_t clock_ms, const struct buf *sums)
{
    struct err err = { 0 };

    store_ok(store_sums_keep(f->db, number, now_ms, clock_ms, sums, &err));
}

/* Epochs and prices with the numbers of places. */
static void make_places(struct store_fixture *f)
{
    struct popularity_terms terms = { 0 };
    struct err err = { 0 };

    for (terms.epoch = 1; terms.epoch <= PLACES; terms.epoch++) {
        struct price_version price = { .model = some_hash(9), .effective_from_ms = terms.epoch, .market = { .window_s = 60 } };

        store_ok(store_epoch_add(f->db, &terms, &err));
        store_ok(store_price_add(f->db, &price, &err));
        assert_int_equal(price.version, terms.epoch);
    }
}

/* -- what the tables say of a key -- */
struct found { struct sum_key key; uint64_t amount, count; };

static uint64_t small(struct amount a)
{
    uint64_t v;

    assert_true(u256_to_u64(a.base_units, &v));
    return v;
}

static bool find_posting(void *self, const struct posting *p, struct err *err)
{
    struct found *f = self;

    (void)err;
    if (address_eq(p->share.account, f->key.account) && (int)p->share.role == f->key.role && hash_eq(p->share.model, f->key.model)) {
        f->amount = small(p->share.amount);
        f->count = p->count;
    }
    return true;
}

static bool find_cache(void *self, struct hash model, struct address provider, const struct cache_use *use)
{
    struct found *f = self;

    if (hash_eq(model, f->key.model) && address_eq(provider, f->key.account)) {
        f->amount += use->input;
        f->count += use->jobs;
    }
    return true;
}

static void find_batch(struct db *db, struct found *f)
{
    struct batch_row batch;
    struct err err = { 0 };

    store_ok(store_batch_open(db, &batch, &err));
    f->amount = small(batch.amount);
    f->count = batch.receipts;
}

static void find_fee(struct db *db, struct found *f)
{
    struct popularity_fees fees = { 0 };
    struct err err = { 0 };

    store_ok(store_pool_fees(db, f->key.number, &fees, &err));
    for (size_t i = 0; i < fees.count; i++)
        if (address_eq(fees.list[i].consumer, f->key.account) && hash_eq(fees.list[i].model, f->key.model))
            f->amount = small(fees.list[i].fees);
    popularity_fees_clear(&fees);
}

static void find_day(struct db *db, struct found *f)
{
    struct amount amount;
    struct err err = { 0 };

    store_ok(f->key.kind == SUM_PROVIDER_DAY ? store_provider_day(db, f->key.account, f->key.number, &amount, &err)
                                             : store_consumer_day(db, f->key.account, f->key.number, &amount, &err));
    f->amount = small(amount);
}

static void find_demand(struct db *db, struct found *f)
{
    struct amount units;
    struct err err = { 0 };

    store_ok(store_demand(db, f->key.number, f->key.second, &units.base_units, &err));
    f->amount = small(units);
}

/* Cache days are read from a day on: the later day alone, then the earlier less the later. */
static void find_cache_day(struct db *db, struct found *f)
{
    struct found later = *f;
    struct err err = { 0 };

    store_ok(store_cache_uses(db, f->key.number + 1, find_cache, &later, &err));
    store_ok(store_cache_uses(db, f->key.number, find_cache, f, &err));
    f->amount -= later.amount;
    f->count -= later.count;
}

static void look(struct db *db, struct found *f)
{
    struct err err = { 0 };

    switch (f->key.kind) {
    case SUM_BATCH: find_batch(db, f); break;
    case SUM_POSTING: store_ok(store_postings_of_batch(db, f->key.number, find_posting, f, &err)); break;
    case SUM_FEE: find_fee(db, f); break;
    case SUM_PROVIDER_DAY: case SUM_CONSUMER_DAY: find_day(db, f); break;
    case SUM_CACHE_DAY: find_cache_day(db, f); break;
    case SUM_DEMAND: find_demand(db, f); break;
    }
}

static bool has_count(enum sum_kind kind)
{
    return kind == SUM_BATCH || kind == SUM_POSTING || kind == SUM_CACHE_DAY;
}

static void assert_tables_say(struct db *db, const struct expected *e)
{
    for (unsigned kind = 1; kind <= SUM_KINDS; kind++)
        for (unsigned key = 0; key < KEYS; key++) {
            struct found f = { .key = sum_of((enum sum_kind)kind, key).key };
            unsigned of = meant((enum sum_kind)kind, key);

            look(db, &f);
            if (f.amount != e->amount[kind][of] || (has_count((enum sum_kind)kind) && f.count != e->count[kind][of]))
                fail_msg("kind %u key %u: %llu of %llu, not %llu of %llu", kind, key, (unsigned long long)f.amount,
                         (unsigned long long)f.count, (unsigned long long)e->amount[kind][of], (unsigned long long)e->count[kind][of]);
        }
}

static void what_many_groups_left_is_there_once_it_is_folded(void **state)
{
    struct store_fixture *f = *state;
    struct rng rng = { .state = 41 };
    struct expected e = { 0 };
    struct folded folded;
    struct err err = { 0 };
    struct buf sums;

    store_ok(db_begin(f->db, &err));
    make_places(f);
    store_ok(db_commit(f->db, &err));
    for (unsigned round = 0; round < 3; round++) {
        store_ok(db_begin(f->db, &err));
        for (unsigned group = 0; group < 20; group++) {
            buf_init(&sums);
            leave_some(&rng, &sums, &e);
            keep(f, 100 * round + group, 5000 + group, 4000 - group, &sums);
            buf_clear(&sums);
        }
        store_ok(store_sums_fold(f->db, &folded, &err));
        assert_int_equal(folded.groups, 20);
        assert_int_equal(folded.number, 100 * round + 19);
        assert_int_equal(folded.now_ms, 5019);
        assert_int_equal(folded.clock_ms, 4000);
        assert_int_equal(store_number(f->db, "SELECT COUNT(*) FROM group_sums"), 0);
        assert_tables_say(f->db, &e);
        store_ok(db_commit(f->db, &err));
    }
    store_ok(db_begin(f->db, &err));
    store_ok(store_sums_fold(f->db, &folded, &err));
    assert_int_equal(folded.groups, 0);
    assert_tables_say(f->db, &e);
    db_rollback(f->db);
}

/* Its number and time must be known to the next turn all the same. */
static void a_group_without_sums_is_one_too(void **state)
{
    struct store_fixture *f = *state;
    struct folded folded;
    struct err err = { 0 };
    struct buf sums;

    buf_init(&sums);
    keep(f, 3, 8, 9, &sums);
    store_ok(store_sums_fold(f->db, &folded, &err));
    assert_int_equal(folded.groups, 1);
    assert_int_equal(folded.now_ms, 8);
}

static const struct damaged_case { const char *name; size_t at, len; uint8_t byte; enum err_code want; } damaged[] = {
    { "a row that ends early",         0,  109, SUM_BATCH,     ERR_STORE },
    { "a row of one and a half",       0,  165, SUM_BATCH,     ERR_STORE },
    { "no kind",                       0,  110, 0,             ERR_STORE },
    { "a kind that nobody knows",      0,  110, SUM_KINDS + 1, ERR_STORE },
    { "a role that nobody has",        1,  110, 255,           ERR_STORE },
    { "a batch that there is not",     9,  110, 77,            ERR_BUG },
};

static void what_is_damaged_is_not_folded(void **state)
{
    const struct damaged_case *c = *state;
    void *own = NULL;
    struct store_fixture *f;
    uint8_t bytes[220] = { 0 };
    struct sum s = { .key = { .kind = SUM_BATCH, .number = 1 }, .count = 1 };
    struct folded folded;
    struct err err = { 0 };
    struct buf sums;

    assert_int_equal(store_db_setup(&own), 0);
    f = own;
    buf_init(&sums);
    store_sum_pack(&s, &sums);
    store_sum_pack(&s, &sums);
    assert_int_equal(sums.len, sizeof bytes);
    memcpy(bytes, sums.data, sizeof bytes);
    buf_clear(&sums);
    bytes[c->at] = c->byte;
    store_ok(store_sums_keep(f->db, 5, 6, 7, &(struct buf){ .data = bytes, .len = c->len }, &err));
    store_ok(db_begin(f->db, &err));
    store_fails(c->want, store_sums_fold(f->db, &folded, &err));
    db_rollback(f->db);
    assert_int_equal(store_number(f->db, "SELECT COUNT(*) FROM group_sums"), 1);
    store_teardown(&own);
}

static void sums_over_256_bits_are_an_error(void **state)
{
    struct store_fixture *f = *state;
    struct sum s = { .key = { .kind = SUM_PROVIDER_DAY, .number = 1 }, .amount = amount_of_256_bits() };
    struct folded folded;
    struct err err = { 0 };
    struct buf sums;

    buf_init(&sums);
    store_sum_pack(&s, &sums);
    s.amount = amount_from_u64(1);
    store_sum_pack(&s, &sums);
    keep(f, 1, 2, 3, &sums);
    buf_clear(&sums);
    store_fails(ERR_OVERFLOW, store_sums_fold(f->db, &folded, &err));
}

#define ON_STORE(test) cmocka_unit_test_setup_teardown(test, store_db_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STORE(what_many_groups_left_is_there_once_it_is_folded), ON_STORE(a_group_without_sums_is_one_too),
        ON_STORE(sums_over_256_bits_are_an_error),
    };
    struct CMUnitTest bad[ARRAY_LEN(damaged)];

    for (size_t i = 0; i < ARRAY_LEN(damaged); i++)
        bad[i] = (struct CMUnitTest){ damaged[i].name, what_is_damaged_is_not_folded, NULL, NULL, (void *)(uintptr_t)&damaged[i] };
    return cmocka_run_group_tests_name("store: sums of groups", tests, NULL, NULL)
         + cmocka_run_group_tests_name("store: damaged sums", bad, NULL, NULL);
}

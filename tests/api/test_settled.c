/* What is answered about settled things: a settlement put into the store by hand, as settle leaves it behind. */
#include "gateway/core/header.h"
#include "gateway/lib/file.h"
#include "store/archive_file.h"
#include "gateway/pool/pool.h"
#include "store/transactions.h"
#include "tests/api/service.h"

struct made { struct service *s; struct settlement_row row; struct reward_leaves leaves; struct hash receipts_leaf; };

static bool insert(void *self, struct group *group, struct err *err)
{
    struct made *m = self;

    return store_batch_close(group->db, group->now_ms, m->s->config.protocol_account, err)
        && store_settlement_insert(group->db, &m->row, err)
        && store_leaves_insert(group->db, m->row.sequence, &m->leaves, err)
        && store_batch_move(group->db, 1, BATCH_CLOSED, BATCH_PREPARED, err);
}

static bool commit(void *self, struct group *group, struct err *err)
{
    struct made *m = self;

    m->row.has_header = true;
    m->row.header = header_next(m->row.parent, &m->row.content, 1790718400);
    m->row.committed_at_s = m->row.active_at_s = 1790718400;
    m->row.commit_block = 5;
    return store_settlement_committed(group->db, &m->row, err)
        && store_batch_move(group->db, 1, BATCH_PREPARED, BATCH_COMMITTED, err);
}

static bool activate(void *self, struct group *group, struct err *err)
{
    (void)self;
    return store_batch_move(group->db, 1, BATCH_COMMITTED, BATCH_ACTIVE, err);
}

static bool cancel(void *self, struct group *group, struct err *err)
{
    (void)self;
    return store_batch_move(group->db, 1, BATCH_COMMITTED, BATCH_CANCELLED, err);
}

static bool pay_node(void *self, struct group *group, struct err *err)
{
    struct made *m = self;
    struct payment p = { .block = 9, .account = m->s->w->node.address, .amount = amount_from_u64(14), .tx = { { { 0x77 } } } };

    return store_payment_add(group->db, &p, err);
}

static void do_it(struct made *m, writer_fn *fn)
{
    struct err err = { 0 };

    must_work(writer_do(m->s->w->writer, fn, m, &err), &err);
}

static int leaf_cmp(const void *a, const void *b)
{
    return address_cmp(&((const struct reward_leaf *)a)->account, &((const struct reward_leaf *)b)->account);
}

static void write_file(const struct service *s, const char *name, const char *text)
{
    char path[200];
    struct err err = { 0 };

    snprintf(path, sizeof path, "%s/%s", s->w->dir, name);
    must_work(file_write(path, text, strlen(text), 0600, &err), &err);
}

/* Both files, and the index that proofs come from. */
static void write_archive(struct made *m, const struct signed_receipt *r)
{
    static const char head[] = "{\"type\":\"batch\"}\n";
    const struct archive_key key = archive_key(r->receipt.job_id, r->receipt.provider);
    struct archive_line line = { ARCHIVE_RECEIPT, { .receipt = { .receipt = *r, .accepted_at_ms = 1, .price_version = 1 } } };
    struct archive_packing *packing;
    struct err err = { 0 };
    struct buf text;

    line.of.receipt.salt = receipt_salt(m->s->secret, r->receipt.job_id, r->receipt.provider);
    buf_init(&text);
    archive_write_line(&line, &text);
    write_file(m->s, "1.archive.ndjson", head);
    must_work(archive_packing_begin(m->s->w->dir, 1, false, NULL, &packing, &err) && archive_packing_add(packing, head, strlen(head), &err)
              && archive_packing_add_receipt(packing, text.data, text.len, &key, &m->receipts_leaf, &err)
              && archive_packing_commit_free(packing, m->row.content.archive, &err), &err);
    buf_clear(&text);
}

/* One receipt of 20 base units: node 14, creator 5 (its ancestor's tenth is below one unit), protocol 1. */
static struct made settle(struct service *s, const struct signed_receipt *r)
{
    struct made m = { .s = s };
    struct reward_leaf leaves[3] = { { s->w->node.address, amount_from_u64(14) }, { s->w->creator.address, amount_from_u64(5) },
                                     { s->config.protocol_account, amount_from_u64(1) } };
    struct hash hashes[3];

    expect(post_receipt(s, r), 201);
    qsort(leaves, 3, sizeof leaves[0], leaf_cmp);
    m.leaves.list = mem_array(3, sizeof leaves[0]);
    m.leaves.count = 3;
    memcpy(m.leaves.list, leaves, sizeof leaves);
    for (size_t i = 0; i < 3; i++)
        hashes[i] = tree_rewards_leaf(leaves[i].account, s->config.token, leaves[i].claimable);
    m.receipts_leaf = tree_receipts_leaf(0, r->receipt.job_id, r->receipt.provider,
                                         receipt_salt(s->secret, r->receipt.job_id, r->receipt.provider),
                                         receipt_struct_hash(&r->receipt));
    m.row = (struct settlement_row){ .sequence = 1, .batch = 1, .state = BATCH_PREPARED, .accounts = 3, .prepared_at_ms = 1,
        .parent = { { 0x01 } }, .content = { .sequence = 1, .receipts_root = m.receipts_leaf, .rewards_root = tree_root(hashes, 3),
                                             .archive = { { 0x02 } }, .total = amount_from_u64(20), .receipts = 1 } };
    do_it(&m, insert);
    write_archive(&m, r);
    write_file(s, "1.rewards.json", "{\"id\":\"x\",\"metadata\":{\"chainId\":1},\"root\":\"0x00\",\"tree\":[]}");
    return m;
}

static void forget(struct made *m)
{
    static const char *const names[] = { "1.archive.ndjson", "1.archive.ndjson.zst", "1.archive.index", "1.rewards.json" };
    char path[200];

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", m->s->w->dir, names[i]);
        unlink(path);
    }
    reward_leaves_clear(&m->leaves);
}

static struct answer read_receipt(struct service *s, const struct signed_receipt *r)
{
    char path[200];

    return get(s, path_of("receipt", r, path));
}

static void a_receipt_grows_its_proof(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);
    struct made m = settle(s, &r);
    struct answer a = read_receipt(s, &r);
    struct proof proof;

    assert_text_at(&a, "state", "batched");
    assert_null(at(a.body, "settlement.header"));
    answer_clear(&a);
    do_it(&m, commit);
    a = read_receipt(s, &r);
    assert_text_at(&a, "state", "committed");
    assert_hash_is(vector_hash(at(a.body, "settlement"), "header"), m.row.header);
    assert_number_at(&a, "inclusion.index", 0);
    assert_int_equal(json_count(at(a.body, "payments")), 3);
    for (size_t i = 0; i < 3; i++) {
        const json *payment = json_at(at(a.body, "payments"), i);

        proof = fixture_proof(payment, "proof");
        assert_hash_is(tree_fold(tree_rewards_leaf(vector_address(payment, "account"), s->config.token,
                                                   vector_amount(payment, "claimable")), &proof), m.row.content.rewards_root);
    }
    answer_clear(&a);
    do_it(&m, activate);
    do_it(&m, pay_node);
    a = read_receipt(s, &r);
    assert_text_at(&a, "state", "committed");      /* the creator still waits */
    assert_text_at(&a, "payments.0.claimed", "14");
    assert_non_null(at(a.body, "payments.0.transaction"));
    answer_clear(&a);
    forget(&m);
}

static void a_claim_is_ready_to_send(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);
    struct made m = settle(s, &r);
    char path[200];
    struct answer a;

    do_it(&m, commit);
    expect_problem(get(s, account_path(s->w->creator.address, "/claim", path)), 404, "nothing-to-claim");
    do_it(&m, activate);
    a = get(s, path);
    assert_status(&a, 200);
    assert_text_at(&a, "claimable", "5");
    assert_text_at(&a, "due", "5");
    assert_memory_equal(vector_text(a.body, "calldata"), "0x", 2);
    answer_clear(&a);
    do_it(&m, pay_node);
    expect_problem(get(s, account_path(s->w->node.address, "/claim", path)), 404, "nothing-to-claim");
    a = get(s, account_path(s->w->node.address, "", path));
    assert_text_at(&a, "earned", "14");
    assert_text_at(&a, "settled", "14");
    assert_text_at(&a, "paid", "14");
    assert_text_at(&a, "pending", "0");
    answer_clear(&a);
    expect_problem(get(s, account_path(s->w->stranger.address, "/claim", path)), 404, "nothing-to-claim");
    forget(&m);
}

static void unknown_accounts_have_zeros(void **state)
{
    struct service *s = *state;
    char path[200];
    struct answer a = get(s, account_path(s->w->stranger.address, "", path));

    assert_status(&a, 200);
    assert_text_at(&a, "earned", "0");
    assert_text_at(&a, "byRole.lineage", "0");
    assert_int_equal(json_count(at(a.body, "byModel")), 0);
    assert_null(at(a.body, "charged"));
    answer_clear(&a);
}

static void files_are_public_from_the_commit_on(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);
    struct made m = settle(s, &r);
    struct answer a;

    expect_problem(get(s, "/v1/settlements/1/rewards.json"), 404, "not-found");
    expect_problem(get(s, "/v1/settlements/1/archive"), 404, "not-found");
    do_it(&m, commit);
    a = get(s, "/v1/settlements/1/rewards.json");
    assert_string_equal(buf_text(&a.text), "{\"id\":\"x\",\"metadata\":{\"active\":false,\"chainId\":1},\"root\":\"0x00\",\"tree\":[]}");
    answer_clear(&a);
    do_it(&m, activate);
    a = get(s, "/v1/settlements/1/rewards.json");
    assert_string_equal(buf_text(&a.text), "{\"id\":\"x\",\"metadata\":{\"active\":true,\"chainId\":1},\"root\":\"0x00\",\"tree\":[]}");
    answer_clear(&a);
    a = get(s, "/v1/settlements/1/archive");
    assert_string_equal(buf_text(&a.text), "{\"type\":\"batch\"}\n");
    answer_clear(&a);
    assert_raw(s->address, "GET /v1/settlements/1/archive HTTP/1.1\r\nHost: a\r\nAccept-Encoding: zstd\r\nConnection: close\r\n\r\n",
               "HTTP/1.1 200", "Content-Encoding: zstd\r\n");
    assert_raw(s->address, "GET /v1/settlements/1/archive HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\nConnection: close\r\n\r\n",
               "HTTP/1.1 304", "ETag: \"02");
    forget(&m);
}

static void settlements_are_listed_and_shown(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);
    struct made m = settle(s, &r);
    struct answer a;

    do_it(&m, commit);
    do_it(&m, activate);
    do_it(&m, pay_node);
    a = get(s, "/v1/settlements");
    assert_number_at(&a, "items.0.sequence", 1);
    assert_text_at(&a, "items.0.state", "active");
    answer_clear(&a);
    a = get(s, "/v1/settlements/1");
    assert_text_at(&a, "total", "20");
    assert_text_at(&a, "left", "6");               /* the node claimed its 14 by itself */
    assert_text_at(&a, "paid", "0");
    assert_int_equal(json_count(at(a.body, "transactions")), 0);
    answer_clear(&a);
    a = admin(s, "GET", "/admin/v1/settlements/1", s->viewer.text, NULL);
    assert_text_at(&a, "state", "active");
    assert_text_at(&a, "total", "20");
    answer_clear(&a);
    expect_problem(admin(s, "POST", "/admin/v1/settlements/1/carry", s->operator_.text, "{\"reason\":\"x\"}"), 409, "conflict");
    a = get(s, "/v1/info");
    assert_number_at(&a, "sequence", 1);
    answer_clear(&a);
    forget(&m);
}

static void a_cancelled_batch_is_carried_by_a_person(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);
    struct made m = settle(s, &r);
    struct answer a;

    do_it(&m, commit);
    do_it(&m, cancel);
    a = read_receipt(s, &r);
    assert_text_at(&a, "state", "batched");
    answer_clear(&a);
    expect(admin(s, "POST", "/admin/v1/settlements/1/carry", s->operator_.text, "{\"reason\":\"the root was right\"}"), 200);
    expect_problem(admin(s, "POST", "/admin/v1/settlements/1/carry", s->operator_.text, "{\"reason\":\"again\"}"), 409, "conflict");
    forget(&m);
}

static void models_show_price_and_use(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);
    char path[200] = "/v1/models/";
    struct answer a;

    expect(post_receipt(s, &r), 201);
    hash_to_text(s->w->model, path + strlen(path));
    a = get(s, path);
    assert_status(&a, 200);
    assert_text_at(&a, "state", "verified");
    assert_number_at(&a, "receipts", 1);
    assert_text_at(&a, "usage", "20");
    assert_number_at(&a, "price.version", 1);
    assert_number_at(&a, "parents.0.shareBps", 1000);
    assert_number_at(&a, "popularity.epoch", 0);
    assert_text_at(&a, "popularity.score", "0");
    answer_clear(&a);
    a = get(s, "/v1/models?limit=1");
    assert_int_equal(json_count(at(a.body, "items")), 1);
    assert_int_equal(json_kind_of(at(a.body, "next")), JSON_KIND_TEXT);
    answer_clear(&a);
    memset(path + 11, '0', 66);
    path[12] = 'x';
    expect_problem(get(s, path), 404, "not-found");
}

static bool turn_on_the_pool(void *self, struct group *group, struct err *err)
{
    (void)self;
    return pool_set(group->db, group->now_ms, &(struct pool_settings){ 1000, amount_from_u64(1000), 5000 }, err);
}

static bool book_the_pool(void *self, struct group *group, struct err *err)
{
    return pool_book(group->db, group->now_ms, AMOUNT_ZERO, self, err);
}

static void models_show_how_popular_they_are(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 8000);
    char path[200] = "/v1/models/", account[200];
    struct err err = { 0 };
    struct answer a;
    size_t booked;

    must_work(writer_do(s->w->writer, turn_on_the_pool, NULL, &err), &err);
    world_countersign(s->w, &s->w->consumer, &r);
    expect(post_receipt(s, &r), 201);
    hash_to_text(s->w->model, path + strlen(path));
    a = get(s, path);
    assert_number_at(&a, "popularity.epoch", 1);
    assert_text_at(&a, "popularity.score", "28");
    assert_text_at(&a, "popularity.fees", "800");
    assert_null(at(a.body, "popularity.last"));
    answer_clear(&a);
    world_script(s->w, "UPDATE batches SET state = 7, closed_at = 1 WHERE number = 1; INSERT INTO batches VALUES (2, 1, 1, NULL, 0, zeroblob(32),"
                       " zeroblob(20), NULL); UPDATE meta SET value = 2 WHERE key = 'open_batch'");
    s->w->now_ms += 1000;
    must_work(writer_do(s->w->writer, book_the_pool, &booked, &err), &err);
    a = get(s, path);
    assert_number_at(&a, "popularity.epoch", 2);
    assert_text_at(&a, "popularity.score", "0");
    assert_number_at(&a, "popularity.last.epoch", 1);
    assert_text_at(&a, "popularity.last.share", "400");
    assert_text_at(&a, "usage", "15600");     /* less the ancestor's part; the pool's is no use */
    answer_clear(&a);
    a = get(s, account_path(s->w->ancestor.address, "", account));
    assert_text_at(&a, "byRole.popularity", "40");
    answer_clear(&a);
    a = admin(s, "GET", "/metrics", s->viewer.text, NULL);
    assert_non_null(strstr(buf_text(&a.text), "\nquittance_popularity_epoch_booked 1\n"));
    answer_clear(&a);
}

static void a_model_is_registered_by_its_creator(void **state)
{
    struct service *s = *state;
    struct model m = { .model = { { 0xcc } }, .creator = s->w->creator.address, .name = "new", .registered_at_ms = FIXTURE_NOW };
    struct buf text;
    json *object;

    m.signature = world_sign_hash(s->w, &s->w->creator, model_struct_hash(&m));
    buf_init(&text);
    object = model_to_json(&m);
    json_write(object, &text);
    expect(post(s, "/v1/models", "application/json", buf_text(&text)), 201);
    expect(post(s, "/v1/models", "application/json", buf_text(&text)), 200);
    json_put_text(object, "name", "other");
    buf_reset(&text);
    json_write(object, &text);
    expect_problem(post(s, "/v1/models", "application/json", buf_text(&text)), 422, "invalid-signature");
    expect_problem(post(s, "/v1/models", "application/json", "{}"), 422, "malformed");
    expect_problem(post(s, "/v1/models", "application/json", ""), 400, "malformed");
    json_free(object);
    buf_clear(&text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, service_setup, service_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_receipt_grows_its_proof), TEST(a_claim_is_ready_to_send), TEST(unknown_accounts_have_zeros),
        TEST(files_are_public_from_the_commit_on), TEST(settlements_are_listed_and_shown),
        TEST(a_cancelled_batch_is_carried_by_a_person), TEST(models_show_price_and_use), TEST(models_show_how_popular_they_are), TEST(a_model_is_registered_by_its_creator),
    };

    return cmocka_run_group_tests_name("settled", tests, NULL, NULL);
}

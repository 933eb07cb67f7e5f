#include "gateway/lib/emit.h"

#include "tests/support/rng.h"
#include "tests/support/vectors.h"

/* Each kind of member, straight and by a tree of values: the same bytes. */
static void what_is_emitted_is_what_json_write_gives(void **state)
{
    struct rng rng = { 17 };

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        struct amount amount = { { { rng_next(&rng), i & 1 ? rng_next(&rng) : 0, 0, i & 2 ? rng_next(&rng) : 0 } } };
        uint64_t number = i < 3 ? i : rng_next(&rng) >> (1 + rng_below(&rng, 62));
        struct hash list[3] = { rng_hash(&rng), rng_hash(&rng), rng_hash(&rng) };
        struct address address = rng_address(&rng);
        struct signature signature;
        struct job_id job;
        json *tree = json_new_object(), *hashes = json_new_array();
        struct buf got, want;

        rng_bytes(&rng, signature.b, sizeof signature.b);
        rng_bytes(&rng, job.b, sizeof job.b);
        buf_init(&got);
        buf_add_byte(&got, '{');
        emit_u64(&got, "n", number);
        emit_word(&got, "word", "finished-in-future");
        emit_text(&got, "text", "a \"quote\", a \\ and a \n of \xc3\xa9");
        emit_hash(&got, "hash", list[0]);
        emit_hashes(&got, "hashes", list, i % 4);
        emit_address(&got, "address", address);
        emit_job_id(&got, "job", job);
        emit_amount(&got, "amount", amount);
        emit_signature(&got, "signature", &signature);
        emit_json(&got, "tree", json_new_array());
        buf_add_byte(&got, '}');

        json_put_u64(tree, "n", number);
        json_put_text(tree, "word", "finished-in-future");
        json_put_text(tree, "text", "a \"quote\", a \\ and a \n of \xc3\xa9");
        json_put_hash(tree, "hash", list[0]);
        for (unsigned k = 0; k < i % 4; k++)
            json_add(hashes, json_new_hash(list[k]));
        json_put(tree, "hashes", hashes);
        json_put_address(tree, "address", address);
        json_put_job_id(tree, "job", job);
        json_put_amount(tree, "amount", amount);
        json_put_signature(tree, "signature", &signature);
        json_put(tree, "tree", json_new_array());
        buf_init(&want);
        json_write(tree, &want);

        assert_string_equal(buf_text(&got), buf_text(&want));
        json_free(tree);
        buf_clear(&got);
        buf_clear(&want);
    }
}

static void emit_all(struct buf *out)
{
    const struct hash list[2] = { { { 1 } }, { { 2 } } };
    const struct signature signature = { { 3 } };

    buf_add_byte(out, '{');
    emit_u64(out, "n", 12);
    emit_word(out, "word", "late");
    emit_hashes(out, "hashes", list, 2);
    emit_address(out, "address", (struct address){ { 4 } });
    emit_job_id(out, "job", (struct job_id){ { 5 } });
    emit_amount(out, "amount", (struct amount){ { { 6 } } });
    emit_signature(out, "signature", &signature);
    emit_hash(out, "hash", list[0]);
    buf_add_byte(out, '}');
}

/* At any length: a text to its zero byte, and nothing behind the cap. */
static void a_full_buffer_fails(void **state)
{
    struct buf whole;

    (void)state;
    buf_init(&whole);
    emit_all(&whole);
    for (size_t max = 0; max <= whole.len; max++) {
        struct buf out;

        buf_init_max(&out, max);
        emit_all(&out);
        assert_int_equal(out.failed, max < whole.len);
        assert_true(out.len <= max);
        assert_int_equal(strlen(buf_text(&out)), out.len);
        assert_memory_equal(buf_text(&out), whole.data, out.len);
        buf_clear(&out);
    }
    buf_clear(&whole);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_emitted_is_what_json_write_gives),
        cmocka_unit_test(a_full_buffer_fails),
    };

    return cmocka_run_group_tests_name("emit", tests, NULL, NULL);
}

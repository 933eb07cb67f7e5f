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

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_emitted_is_what_json_write_gives) };

    return cmocka_run_group_tests_name("emit", tests, NULL, NULL);
}

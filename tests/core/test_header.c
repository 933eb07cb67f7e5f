#include "tests/support/fixture.h"

static void the_chain_of_headers_matches(void **state)
{
    const json *row = *state, *commits = vector_member(row, "commits");
    struct hash header = header_first(vector_u64(row, "chainId"), vector_address(row, "contract"), vector_address(row, "token"));

    assert_hash_is(header, vector_hash(row, "header0"));
    for (size_t i = 0; i < json_count(commits); i++) {
        const json *c = json_at(commits, i);
        struct settlement_content content = {
            .sequence = vector_u64(c, "sequence"), .receipts_root = vector_hash(c, "receiptsRoot"),
            .rewards_root = vector_hash(c, "rewardsRoot"), .archive = vector_hash(c, "archive"),
            .total = vector_amount(c, "total"), .receipts = vector_u64(c, "receipts"),
        };

        assert_hash_is(header, vector_hash(c, "parent"));
        header = header_next(header, &content, vector_u64(c, "timestamp"));
        assert_hash_is(header, vector_hash(c, "header"));
        if (vector_has(c, "cancelledHeader")) {
            header = header_cancelled(header);
            assert_hash_is(header, vector_hash(c, "cancelledHeader"));
        }
    }
}

int main(void)
{
    return fixture_run("headers", the_chain_of_headers_matches, NULL, NULL);
}

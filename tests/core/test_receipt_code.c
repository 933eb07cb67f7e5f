#include "tests/support/fixture.h"

static void every_code_is_found_by_its_name(void **state)
{
    enum receipt_code code = CODE_ACCEPTED;

    (void)state;
    for (int i = CODE_MALFORMED; i < RECEIPT_CODES; i++) {
        assert_true(receipt_code_from_name(receipt_codes[i].name, &code));
        assert_int_equal(code, i);
    }
    assert_false(receipt_code_from_name("", &code));
    assert_false(receipt_code_from_name("Late", &code));
}

static void only_what_may_settle_itself_is_released_by_itself(void **state)
{
    (void)state;
    for (int i = 0; i < RECEIPT_CODES; i++)
        if (receipt_codes[i].released_by_itself)
            assert_int_equal(receipt_codes[i].status, ITEM_QUARANTINED);
    assert_true(receipt_codes[CODE_UNPRICED].released_by_itself);
    assert_false(receipt_codes[CODE_LATE].released_by_itself);
}

static void the_first_fault_is_the_earliest_rule(void **state)
{
    struct faults faults = { 0 };

    (void)state;
    assert_int_equal(faults_first(&faults), CODE_ACCEPTED);
    faults_add(&faults, CODE_LATE, "/finishedAt", "%d ms", 1);
    faults_add(&faults, CODE_UNPRICED, "/model", "none");
    faults_add(&faults, CODE_QUOTE_MISMATCH, "/quote", "none");
    assert_int_equal(faults_first(&faults), CODE_UNPRICED);
    assert_string_equal(faults.list[0].detail, "1 ms");
    faults_clear(&faults);
    assert_int_equal(faults_first(&faults), CODE_ACCEPTED);
}

static void faults_are_bounded(void **state)
{
    struct faults faults = { 0 };

    (void)state;
    for (int i = 0; i < 2 * FAULTS_MAX; i++)
        faults_add(&faults, CODE_MALFORMED, "/x", "%d", i);
    assert_int_equal(faults.count, FAULTS_MAX);
    assert_string_equal(faults.list[FAULTS_MAX - 1].detail, "23");
    faults_clear(&faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_is_found_by_its_name),
        cmocka_unit_test(only_what_may_settle_itself_is_released_by_itself),
        cmocka_unit_test(the_first_fault_is_the_earliest_rule),
        cmocka_unit_test(faults_are_bounded),
    };

    return cmocka_run_group_tests_name("receipt codes", tests, NULL, NULL);
}

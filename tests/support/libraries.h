/* tests/support/libraries.h - what must be started once a process, as cmocka's set-up and teardown of a group.
 *
 * What is logged below errors is not shown, unless QUITTANCE_TEST_LOG is set. */
#ifndef QUITTANCE_TESTS_LIBRARIES_H
#define QUITTANCE_TESTS_LIBRARIES_H

int secp_setup(void **state);
int secp_teardown(void **state);
int http_setup(void **state);
int http_teardown(void **state);
int secp_and_http_setup(void **state);
int secp_and_http_teardown(void **state);

#endif

#include "tests/support/libraries.h"

#include <stdio.h>
#include <stdlib.h>

#include "chain/http.h"
#include "gateway/base/log.h"
#include "gateway/lib/secp.h"

static int started(bool ok, const struct err *err)
{
    if (getenv("QUITTANCE_TEST_LOG") == NULL)
        log_set_level(LOG_ERROR_LEVEL);
    if (!ok)
        fprintf(stderr, "%s\n", err->text);
    return ok ? 0 : -1;
}

int secp_setup(void **state)
{
    struct err err = { 0 };

    (void)state;
    return started(secp_start(&err), &err);
}

int secp_teardown(void **state)
{
    (void)state;
    secp_stop();
    return 0;
}

int http_setup(void **state)
{
    struct err err = { 0 };

    (void)state;
    return started(http_start(&err), &err);
}

int http_teardown(void **state)
{
    (void)state;
    http_stop();
    return 0;
}

int secp_and_http_setup(void **state)
{
    return secp_setup(state) == 0 && http_setup(state) == 0 ? 0 : -1;
}

int secp_and_http_teardown(void **state)
{
    return http_teardown(state) + secp_teardown(state);
}

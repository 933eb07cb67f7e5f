/* Secrets of endpoints: from a file, to their own endpoint alone, shown nowhere. */
#include "chain/rpc_auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/rpc_health.h"
#include "tests/support/fake_http.h"
#include "tests/support/vectors.h"

#define RESULT "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x5\"}"
#define NO_RESULT "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32000,\"message\":\"rate limit\"}}"

static char dir[] = "/tmp/quittance-auth-XXXXXX";

static const char *write_file(const char *text, mode_t mode)
{
    static char path[64];
    FILE *file;

    snprintf(path, sizeof path, "%s/rpc.auth", dir);
    unlink(path);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static const struct file_case { const char *name, *text; mode_t mode; const char *error; } files[] = {
    { "basic over https is taken",          "https://a basic me:hunter2\n", 0600, NULL },
    { "bearer over https is taken",         "https://a bearer hunter2\n", 0600, NULL },
    { "blank lines and comments are passed over", "# ours\n\n  \t\nhttps://a bearer hunter2\r\n", 0600, NULL },
    { "http on this machine is taken",      "http://127.0.0.1:8545 bearer hunter2", 0600, NULL },
    { "a secret in the clear is refused",   "http://b bearer hunter2\n", 0600, ":1: a secret needs https://" },
    { "a name that only begins like this machine's is refused", "http://localhost.example bearer hunter2\n", 0600,
      ":1: a secret needs https://" },
    { "an unknown endpoint is refused",     "https://a bearer hunter2\nhttps://c bearer hunter2\n", 0600, ":2: names no endpoint" },
    { "two secrets of one are refused",     "https://a bearer hunter2\nhttps://a basic me:hunter2\n", 0600, ":2: names no endpoint" },
    { "another scheme is refused",          "https://a digest hunter2\n", 0600, ":1: must say basic" },
    { "basic without a user is refused",    "https://a basic hunter2\n", 0600, ":1: must say basic" },
    { "a secret with blanks is refused",    "https://a bearer hunter2 hunter2\n", 0600, ":1: must be an endpoint" },
    { "a line without a secret is refused", "https://a bearer\n", 0600, ":1: must be an endpoint" },
    { "control characters are refused",     "https://a bearer hun\001ter2\n", 0600, ":1: must be an endpoint" },
    { "a file that others may read is refused", "https://a bearer hunter2\n", 0640, "chmod 600" },
};

static void file_is_judged(void **state)
{
    const struct file_case *c = *state;
    const struct rpc_config config = { "https://a/v3/KEY,http://127.0.0.1:8545,http://b,http://localhost.example",
                                       write_file(c->text, c->mode), NULL };
    struct rpc *rpc = NULL;
    struct err err = { 0 };

    assert_int_equal(rpc_open(&config, &rpc, &err), c->error == NULL);
    if (c->error != NULL) {
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.text, c->error));
    }
    assert_null(strstr(err.text, "hunter2"));
    rpc_free(rpc);
}

static void a_file_that_is_not_there_is_told(void **state)
{
    struct rpc *rpc = NULL;
    struct err err = { 0 };

    (void)state;
    assert_false(rpc_open(&(struct rpc_config){ "https://a", "/nowhere/rpc.auth", NULL }, &rpc, &err));
    assert_non_null(strstr(err.text, "[chain] rpc_auth"));
}

static const struct sent_case { const char *name, *line, *header; } sents[] = {
    { "basic is user and password in base64 (RFC 7617)", "basic Aladdin:open-sesame",
      "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuLXNlc2FtZQ==\r\n" },
    { "a password may hold a colon", "basic a:b:c", "\r\nAuthorization: Basic YTpiOmM=\r\n" },
    { "a token goes as it is (RFC 6750)", "bearer mF_9.B5f-4.1JqM", "\r\nAuthorization: Bearer mF_9.B5f-4.1JqM\r\n" },
};

/* The first cannot answer, so that the second is asked, too: each gets what is its own. */
static void secret_goes_to_its_endpoint_alone(void **state)
{
    static const struct fake_reply no = { .body = NO_RESULT }, yes = { .body = RESULT };
    const struct sent_case *c = *state;
    struct fake_http *first = fake_http_new(&no, 1), *second = fake_http_new(&yes, 1);
    char urls[2 * FAKE_URL_MAX], line[256];
    struct rpc *rpc = NULL;
    struct err err = { 0 };
    uint64_t id;

    snprintf(urls, sizeof urls, "%s,%s", fake_http_url(first), fake_http_url(second));
    snprintf(line, sizeof line, "%.*s %s\n", (int)strlen(fake_http_url(second)) - 1, fake_http_url(second), c->line);
    if (!rpc_open(&(struct rpc_config){ urls, write_file(line, 0600), NULL }, &rpc, &err) || !rpc_chain_id(rpc, &id, &err))
        fail_msg("%s", err.text);
    assert_null(strstr(fake_http_last_head(first), "Authorization"));
    assert_non_null(strstr(fake_http_last_head(second), c->header));
    rpc_free(rpc);
    fake_http_free(first);
    fake_http_free(second);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(files) + ARRAY_LEN(sents) + 1] = {
        cmocka_unit_test(a_file_that_is_not_there_is_told),
    };
    char command[64];
    struct err err = { 0 };
    size_t n = 1;
    int failed;

    for (const struct file_case *c = files; c < files + ARRAY_LEN(files); c++)
        tests[n++] = (struct CMUnitTest){ c->name, file_is_judged, NULL, NULL, (void *)(uintptr_t)c };
    for (const struct sent_case *c = sents; c < sents + ARRAY_LEN(sents); c++)
        tests[n++] = (struct CMUnitTest){ c->name, secret_goes_to_its_endpoint_alone, NULL, NULL, (void *)(uintptr_t)c };
    if (mkdtemp(dir) == NULL || !http_start(&err))
        return 1;
    failed = cmocka_run_group_tests_name("rpc_auth", tests, NULL, NULL);
    http_stop();
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) != 0 ? 1 : failed;
}

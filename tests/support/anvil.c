#include "tests/support/anvil.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "chain/http.h"
#include "gateway/base/clock.h"
#include "gateway/base/hex.h"
#include "gateway/lib/file.h"
#include "gateway/lib/json.h"

#define PROGRAM "node_modules/.bin/anvil"
#define START_MS 20000u

bool anvil_available(void)
{
    return file_exists(PROGRAM) && file_exists("build/contracts/Settlement.json")
        && file_exists("build/contracts/DevToken.json");
}

/* It says where it listens; port 0 leaves the choice to the kernel. */
static bool read_address(struct anvil *anvil)
{
    static const char says[] = "Listening on ";
    struct err err = { 0 };
    const char *at;
    struct buf out;
    char host[40];
    bool found;

    buf_init(&out);
    found = file_read(anvil->log, MIB, &out, &err) && (at = strstr(buf_text(&out), says)) != NULL
         && sscanf(at + sizeof says - 1, "%39[0-9.:]\n", host) == 1;
    if (found)
        snprintf(anvil->url, sizeof anvil->url, "http://%s", host);
    buf_clear(&out);
    return found;
}

void anvil_start(struct anvil *anvil)
{
    uint64_t until = clock_monotonic_ms() + START_MS;
    int log;

    snprintf(anvil->log, sizeof anvil->log, "/tmp/quittance-anvil-XXXXXX");
    log = mkstemp(anvil->log);
    assert_true(log >= 0);
    anvil->pid = fork();
    assert_true(anvil->pid >= 0);
    if (anvil->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);      /* a test that fails half-way leaves nothing running */
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        execl(PROGRAM, PROGRAM, "--port", "0", "--enable-tx-gas-limit", (char *)NULL);
        _exit(127);
    }
    close(log);
    while (!read_address(anvil)) {
        if (clock_monotonic_ms() > until || waitpid(anvil->pid, NULL, WNOHANG) != 0)
            fail_msg("anvil does not start, see %s", anvil->log);
        clock_sleep_ms(20);
    }
}

void anvil_stop(struct anvil *anvil)
{
    kill(anvil->pid, SIGKILL);
    waitpid(anvil->pid, NULL, 0);
    unlink(anvil->log);
}

void anvil_do(const struct anvil *anvil, const char *method, const char *params)
{
    struct http_client *client = http_new();
    struct http_request request = { .method = "POST", .url = anvil->url,
                                    .headers = { "Content-Type: application/json" },
                                    .timeout_ms = 10000, .max_bytes = MIB };
    struct http_answer answer = { 0 };
    struct err err = { 0 };
    struct buf body;

    buf_init(&body);
    buf_printf(&body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params);
    request.body = body.data;
    request.body_len = body.len;
    if (!http_do(client, &request, &answer, &err))
        fail_msg("%s: %s", method, err.text);
    if (strstr(buf_text(&answer.body), "\"error\"") != NULL)
        fail_msg("%s: %s", method, buf_text(&answer.body));
    http_answer_clear(&answer);
    buf_clear(&body);
    http_free(client);
}

void anvil_key(struct secret_key *key)
{
    static const char text[] = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

    assert_true(hex_decode(text, sizeof text - 1, key->b, sizeof key->b));
}

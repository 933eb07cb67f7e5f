/* A request that waits for a commit: in which order the library's threads read and write its connection. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "tests/api/service.h"

#define REQUESTS 8
#define IDLE 32
#define REQUEST "POST /v1/receipts HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}"

static atomic_bool in_vain;                   /* the last look at the socket found nothing */
static atomic_uint answers, after_in_vain;

static bool is_library_thread(void)
{
    char name[16] = "";

    return pthread_getname_np(pthread_self(), name, sizeof name) == 0 && strcmp(name, "MHD-worker") == 0;
}

/* In place of libc's, for the libraries too. */
ssize_t recv(int fd, void *to, size_t len, int flags)
{
    ssize_t got = (ssize_t)syscall(SYS_recvfrom, fd, to, len, flags, NULL, NULL);

    if (is_library_thread())
        atomic_store(&in_vain, got < 0);
    return got;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (is_library_thread()) {
        atomic_fetch_add(&answers, 1);
        atomic_fetch_add(&after_in_vain, atomic_load(&in_vain));
    }
    return (ssize_t)syscall(SYS_sendmsg, fd, message, flags);
}

static int connected(const struct service *s)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_port = htons((uint16_t)strtoul(strrchr(s->address, ':') + 1, NULL, 10));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* Each thread has some idle connections, or the library looks after the only one on another way. */
static void who_waited_is_answered_before_the_socket_is_looked_at(void **state)
{
    struct service *s = *state;
    int idle[IDLE], fd;
    char answer[4096];

    for (size_t i = 0; i < ARRAY_LEN(idle); i++)
        idle[i] = connected(s);
    fd = connected(s);
    atomic_store(&answers, 0);
    atomic_store(&after_in_vain, 0);
    for (int i = 0; i < REQUESTS; i++) {
        assert_int_equal(send(fd, REQUEST, strlen(REQUEST), MSG_NOSIGNAL), (ssize_t)strlen(REQUEST));
        assert_true(recv(fd, answer, sizeof answer, 0) > 12);
        assert_memory_equal(answer, "HTTP/1.1 422", 12);
    }
    assert_int_equal(atomic_load(&answers), REQUESTS);
    assert_int_equal(atomic_load(&after_in_vain), 0);
    for (size_t i = 0; i < ARRAY_LEN(idle); i++)
        close(idle[i]);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_waited_is_answered_before_the_socket_is_looked_at, service_setup, service_teardown),
    };

    return cmocka_run_group_tests_name("waiting", tests, NULL, NULL);
}

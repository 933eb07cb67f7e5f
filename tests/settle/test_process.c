/* A process by its name: dead only where that is certain. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/settle/process.h"
#include "tests/support/store_fixture.h"

/* A child that says its name and then waits; its number. */
static pid_t child_of_name(char name[PROCESS_NAME])
{
    int ends[2];
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        process_self(name);
        if (write(ends[1], name, PROCESS_NAME) == PROCESS_NAME)
            pause();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(read(ends[0], name, PROCESS_NAME), PROCESS_NAME);
    close(ends[0]);
    close(ends[1]);
    return pid;
}

static void a_child_is_dead_once_it_is_gone(void **state)
{
    char name[PROCESS_NAME] = { 0 };
    pid_t pid = child_of_name(name);

    (void)state;
    assert_false(process_is_dead(name));
    assert_int_equal(kill(pid, SIGSTOP), 0);
    assert_false(process_is_dead(name));       /* stopped is not dead */
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(process_is_dead(name));
}

static void a_number_that_was_given_again_is_another_process(void **state)
{
    char name[PROCESS_NAME], *started;

    (void)state;
    process_self(name);
    assert_true(name[0] != '\0');
    assert_false(process_is_dead(name));
    started = strrchr(name, ' ');
    snprintf(started, (size_t)(name + sizeof name - started), " 1");
    assert_true(process_is_dead(name));
}

static void of_another_machine_nothing_can_be_told(void **state)
{
    char name[PROCESS_NAME] = { 0 };
    pid_t pid = child_of_name(name);

    (void)state;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    name[0] = name[0] == '0' ? '1' : '0';
    assert_false(process_is_dead(name));
    assert_false(process_is_dead(""));
    assert_false(process_is_dead("process 1 on host"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_is_dead_once_it_is_gone), cmocka_unit_test(a_number_that_was_given_again_is_another_process),
        cmocka_unit_test(of_another_machine_nothing_can_be_told),
    };

    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}

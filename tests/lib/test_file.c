#include "gateway/lib/file.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A folder of its own for each test. */
struct folder { char path[64], file[96]; };

static int setup(void **state)
{
    struct folder *f = calloc(1, sizeof *f);

    snprintf(f->path, sizeof f->path, "/tmp/quittance-file-XXXXXX");
    if (mkdtemp(f->path) == NULL)
        return -1;
    snprintf(f->file, sizeof f->file, "%s/a", f->path);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct folder *f = *state;
    int left;

    unlink(f->file);
    left = rmdir(f->path);      /* fails when a test left something behind */
    free(f);
    return left;
}

static void contains(const char *path, const char *want)
{
    struct err err = { 0 };
    struct buf got;

    buf_init(&got);
    assert_true(file_read(path, 1000, &got, &err));
    assert_string_equal(buf_text(&got), want);
    buf_clear(&got);
}

static size_t count_files(const char *path)
{
    DIR *dir = opendir(path);
    size_t count = 0;

    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        count += e->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void a_written_file_replaces_the_old_one(void **state)
{
    const struct folder *f = *state;
    struct err err = { 0 };
    struct stat st;

    assert_true(file_write(f->file, "old", 3, 0600, &err));
    contains(f->file, "old");
    assert_true(file_write(f->file, "newer", 5, 0600, &err));
    contains(f->file, "newer");
    assert_int_equal(stat(f->file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(count_files(f->path), 1);
}

static void a_file_appears_only_when_it_is_committed(void **state)
{
    const struct folder *f = *state;
    struct err err = { 0 };
    struct file_out *out;

    assert_true(file_begin(f->file, &out, &err));
    assert_true(file_add(out, "line\n", 5, &err));
    assert_true(file_add(out, NULL, 0, &err));
    assert_false(file_exists(f->file));
    assert_true(file_add(out, "two\n", 4, &err));
    assert_true(file_commit_free(out, &err));
    contains(f->file, "line\ntwo\n");
}

/* Longer than what is sent to the disk at a time, in pieces that fit no step. */
static void a_long_file_is_whole(void **state)
{
    enum { WORDS = 5 << 20, PIECE = 77777 };
    static uint32_t words[WORDS];
    const struct folder *f = *state;
    struct err err = { 0 };
    struct file_out *out;
    struct buf got;

    for (uint32_t i = 0; i < WORDS; i++)
        words[i] = i * UINT32_C(2654435761);
    assert_true(file_begin(f->file, &out, &err));
    for (size_t at = 0; at < sizeof words; at += PIECE)
        assert_true(file_add(out, (const uint8_t *)words + at, sizeof words - at < PIECE ? sizeof words - at : PIECE, &err));
    assert_true(file_commit_free(out, &err));
    buf_init(&got);
    assert_true(file_read(f->file, sizeof words, &got, &err));
    assert_int_equal(got.len, sizeof words);
    assert_memory_equal(got.data, words, sizeof words);
    buf_clear(&got);
}

static void an_abandoned_file_leaves_the_old_one(void **state)
{
    const struct folder *f = *state;
    struct err err = { 0 };
    struct file_out *out;

    assert_true(file_write(f->file, "old", 3, 0644, &err));
    assert_true(file_begin(f->file, &out, &err));
    assert_true(file_add(out, "new", 3, &err));
    file_abandon_free(out);
    contains(f->file, "old");
    assert_int_equal(count_files(f->path), 1);
}

static void a_failed_rename_leaves_nothing_behind(void **state)
{
    const struct folder *f = *state;
    struct err err = { 0 };

    /* The target is a folder. */
    assert_true(file_make_dir(f->file, 0700, &err));
    assert_false(file_write(f->file, "x", 1, 0600, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(count_files(f->path), 1);
    rmdir(f->file);
}

static void reading_has_a_limit(void **state)
{
    const struct folder *f = *state;
    struct err err = { 0 };
    struct buf got;

    assert_true(file_write(f->file, "12345", 5, 0644, &err));
    buf_init(&got);
    buf_add_text(&got, "0");
    assert_true(file_read(f->file, 5, &got, &err));
    assert_string_equal(buf_text(&got), "012345");
    assert_false(file_read(f->file, 4, &got, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(buf_text(&got), "012345");
    buf_clear(&got);
}

static void a_missing_file_is_not_found(void **state)
{
    const struct folder *f = *state;
    struct err err = { 0 };
    struct buf got;

    buf_init(&got);
    assert_false(file_read(f->file, 5, &got, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_false(file_read(f->path, 5, &got, &err));       /* a folder */
    assert_int_equal(err.code, ERR_IO);
    buf_clear(&got);
}

static void a_secret_loses_its_newline(void **state)
{
    const struct folder *f = *state;
    struct err err = { 0 };
    struct buf got;

    assert_true(file_write(f->file, "pass phrase \r\n", 14, 0600, &err));
    buf_init(&got);
    assert_true(file_read_secret(f->file, &got, &err));
    assert_string_equal(buf_text(&got), "pass phrase ");
    buf_wipe(&got);
}

static void a_secret_that_others_may_open_is_refused(void **state)
{
    static const mode_t modes[] = { 0640, 0620, 0604, 0602, 0666 };
    const struct folder *f = *state;
    struct err err = { 0 };
    struct buf got;

    buf_init(&got);
    assert_true(file_write(f->file, "x", 1, 0600, &err));
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(f->file, modes[i]), 0);
        assert_false(file_read_secret(f->file, &got, &err));
        assert_int_equal(err.code, ERR_CONFIG);
    }
    assert_int_equal(got.len, 0);
    buf_clear(&got);
}

static void folders_are_made_with_their_parents(void **state)
{
    const struct folder *f = *state;
    struct err err = { 0 };
    char deep[128];

    snprintf(deep, sizeof deep, "%s/a/b/c", f->path);
    assert_true(file_make_dir(deep, 0700, &err));
    assert_true(file_make_dir(deep, 0700, &err));
    assert_true(file_exists(deep));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rmdir(deep), 0);
        *strrchr(deep, '/') = '\0';
    }
    assert_true(file_write(f->file, "x", 1, 0600, &err));
    assert_false(file_make_dir(f->file, 0700, &err));
    assert_int_equal(err.code, ERR_IO);
}

static void beside(const char *base, const char *relative, const char *want)
{
    char *path = file_beside(base, relative);

    assert_string_equal(path, want);
    free(path);
}

static void paths_are_relative_to_the_file_that_names_them(void **state)
{
    (void)state;
    beside("/etc/q/q.ini", "key.json", "/etc/q/key.json");
    beside("/etc/q/q.ini", "/var/key.json", "/var/key.json");
    beside("q.ini", "key.json", "key.json");
    beside("/q.ini", "key.json", "/key.json");
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_written_file_replaces_the_old_one),
        IN_FOLDER(a_file_appears_only_when_it_is_committed),
        IN_FOLDER(a_long_file_is_whole),
        IN_FOLDER(an_abandoned_file_leaves_the_old_one),
        IN_FOLDER(a_failed_rename_leaves_nothing_behind),
        IN_FOLDER(reading_has_a_limit),
        IN_FOLDER(a_missing_file_is_not_found),
        IN_FOLDER(a_secret_loses_its_newline),
        IN_FOLDER(a_secret_that_others_may_open_is_refused),
        IN_FOLDER(folders_are_made_with_their_parents),
        cmocka_unit_test(paths_are_relative_to_the_file_that_names_them),
    };

    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}

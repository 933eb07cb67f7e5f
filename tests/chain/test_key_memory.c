/* Where an unlocked key lies: in one place, that is locked and left out of core dumps, and nowhere once it is freed.
 *
 * The process looks through its own memory.  So that it finds nothing of its own making, key and passphrase exist here
 * as rules only; their bytes are written by a child that ends before the search begins. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chain/keystore.h"
#include "chain/signer.h"
#include "gateway/base/mem.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "tests/support/vectors.h"

#define NEEDLE 32u
#define SHADOW_MIN (UINT64_C(1) << 30)       /* a sanitizer's own mappings are larger than anything of ours */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MLOCK_IS_REAL false                   /* their mlock does nothing */
#else
#define MLOCK_IS_REAL true
#endif

enum needle { KEY, PASSPHRASE, MARKER };

static struct { char dir[64], keystore[96], spec[128], passphrase[96]; } files;

static uint8_t needle_byte(enum needle n, unsigned i)
{
    return n == PASSPHRASE ? (uint8_t)('a' + (i * 7 + i / 5) % 26) : (uint8_t)(0x3b + 41 * i + 97 * (unsigned)n + i * i);
}

static void write_files(void)
{
    uint8_t passphrase[NEEDLE];
    struct secret_key key;
    struct err err = { 0 };
    struct buf text;

    for (unsigned i = 0; i < NEEDLE; i++) {
        key.b[i] = needle_byte(KEY, i);
        passphrase[i] = needle_byte(PASSPHRASE, i);
    }
    buf_init(&text);
    if (!keystore_seal(&key, passphrase, sizeof passphrase, &text, &err)
        || !file_write(files.keystore, text.data, text.len, 0600, &err)
        || !file_write(files.passphrase, passphrase, sizeof passphrase, 0600, &err))
        bug("%s", err.text);
    _exit(0);
}

static int setup(void **state)
{
    struct err err = { 0 };
    int status = 0;
    pid_t child;

    (void)state;
    snprintf(files.dir, sizeof files.dir, "/tmp/quittance-memory-XXXXXX");
    if (mkdtemp(files.dir) == NULL || !secp_start(&err))
        return -1;
    snprintf(files.keystore, sizeof files.keystore, "%s/key.json", files.dir);
    snprintf(files.spec, sizeof files.spec, "keystore:%s", files.keystore);
    snprintf(files.passphrase, sizeof files.passphrase, "%s/passphrase", files.dir);
    child = fork();
    if (child == 0)
        write_files();
    return child > 0 && waitpid(child, &status, 0) == child && status == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    unlink(files.keystore);
    unlink(files.passphrase);
    rmdir(files.dir);
    secp_stop();
    return 0;
}

/* ---- looking ---- */

struct found { unsigned times; uintptr_t at; };

/* Reads what is there, without copying it anywhere: a buffer would be found, too. */
__attribute__((no_sanitize("address"))) static void search(uintptr_t from, uintptr_t to, enum needle n, struct found *found)
{
    const volatile uint8_t *bytes = (const volatile uint8_t *)from;

    for (size_t i = 0; i + NEEDLE <= to - from; i++) {
        unsigned same = 0;

        while (same < NEEDLE && bytes[i + same] == needle_byte(n, same))
            same++;
        if (same == NEEDLE) {
            found->times++;
            found->at = from + i;
        }
    }
}

static struct found search_all(enum needle n)
{
    struct found found = { 0 };
    char line[512], permissions[8];
    FILE *maps = fopen("/proc/self/maps", "re");
    uint64_t from, to;

    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL)
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &from, &to, permissions) == 3 && strncmp(permissions, "rw", 2) == 0
            && to - from < SHADOW_MIN)
            search((uintptr_t)from, (uintptr_t)to, n, &found);
    fclose(maps);
    return found;
}

/* Whether the mapping around `at` has this flag: proc(5), VmFlags. */
static bool has_flag(uintptr_t at, const char *flag)
{
    FILE *smaps = fopen("/proc/self/smaps", "re");
    bool inside = false, has = false;
    char line[512];
    uint64_t from, to;

    assert_non_null(smaps);
    while (fgets(line, sizeof line, smaps) != NULL) {
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &from, &to) == 2)
            inside = at >= from && at < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            has = strstr(line, flag) != NULL;
    }
    fclose(smaps);
    return has;
}

static struct signer *opened(void)
{
    struct signer *signer = NULL;
    struct err err = { 0 };

    if (!signer_open(files.spec, files.passphrase, &signer, &err))
        fail_msg("%s", err.text);
    return signer;
}

static void sign_something(const struct signer *signer)
{
    struct tx_hash hash;
    struct signature sig;
    struct err err = { 0 };
    struct buf raw;
    struct tx t;

    tx_init(&t);
    buf_init(&raw);
    assert_true(signer_sign_tx(signer, &t, &raw, &hash, &err));
    assert_true(signer_sign_digest(signer, hash.h, &sig, &err));
    buf_clear(&raw);
    tx_clear(&t);
}

/* ---- what must hold ---- */

static void a_needle_that_lies_about_is_found(void **state)
{
    uint8_t *lost = mem_new(NEEDLE);

    (void)state;
    for (unsigned i = 0; i < NEEDLE; i++)
        lost[i] = needle_byte(MARKER, i);
    assert_int_equal(search_all(MARKER).times, 1);
    assert_false(has_flag((uintptr_t)lost, " dd"));
    free(lost);
}

static void an_unlocked_key_lies_in_one_place_that_is_locked(void **state)
{
    struct signer *signer = opened();
    struct found found;

    (void)state;
    sign_something(signer);
    found = search_all(KEY);
    assert_int_equal(found.times, 1);
    assert_true(has_flag(found.at, " dd"));
    assert_true(has_flag(found.at, " lo") || !MLOCK_IS_REAL);
    assert_int_equal(search_all(PASSPHRASE).times, 0);
    signer_free(signer);
    assert_int_equal(search_all(KEY).times, 0);
}

static void a_freed_secret_is_gone(void **state)
{
    uint8_t *secret = secret_new(NEEDLE);

    (void)state;
    for (unsigned i = 0; i < NEEDLE; i++)
        secret[i] = needle_byte(MARKER, i);
    assert_int_equal(search_all(MARKER).times, 1);
    assert_true(has_flag((uintptr_t)secret, " dd"));
    secret_free(secret);
    assert_int_equal(search_all(MARKER).times, 0);
}

static _Noreturn void crash_with_a_key(void)
{
    const struct rlimit whole = { RLIM_INFINITY, RLIM_INFINITY };
    volatile uint8_t *lost = mem_new(NEEDLE);
    struct err err = { 0 };
    struct signer *signer;

    for (unsigned i = 0; i < NEEDLE; i++)
        lost[i] = needle_byte(MARKER, i);
    if (setrlimit(RLIMIT_CORE, &whole) != 0 || chdir(files.dir) != 0
        || !signer_open(files.spec, files.passphrase, &signer, &err))
        _exit(1);
    abort();                       /* not SIGQUIT: a shell has it ignored in what it starts in the background */
}

static bool cores_are_files_here(void)
{
    struct rlimit limit;
    struct err err = { 0 };
    struct buf pattern;
    bool ok;

    buf_init(&pattern);
    ok = getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == RLIM_INFINITY && MLOCK_IS_REAL
      && file_read("/proc/sys/kernel/core_pattern", 256, &pattern, &err) && strcmp(buf_text(&pattern), "core\n") == 0
      && file_read("/proc/sys/kernel/core_uses_pid", 16, &pattern, &err) && strstr(buf_text(&pattern), "\n0") != NULL;
    buf_clear(&pattern);
    return ok;
}

/* As main() forbids core dumps, this is the second wall: one that is made all the same has no key in it. */
static void a_core_dump_holds_no_key(void **state)
{
    struct found marker = { 0 }, key = { 0 };
    struct err err = { 0 };
    struct buf core;
    char path[96];
    int status = 0;
    pid_t child;

    (void)state;
    if (!cores_are_files_here())
        skip();                    /* core_pattern leads elsewhere: the flags above say the same */
    child = fork();
    if (child == 0)
        crash_with_a_key();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WCOREDUMP(status));
    snprintf(path, sizeof path, "%s/core", files.dir);
    buf_init_max(&core, 256 * MIB);
    if (!file_read(path, 256 * MIB, &core, &err))
        fail_msg("%s", err.text);
    unlink(path);
    search((uintptr_t)core.data, (uintptr_t)core.data + core.len, MARKER, &marker);
    search((uintptr_t)core.data, (uintptr_t)core.data + core.len, KEY, &key);
    buf_clear(&core);
    assert_int_equal(marker.times, 1);
    assert_int_equal(key.times, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_needle_that_lies_about_is_found),
        cmocka_unit_test(an_unlocked_key_lies_in_one_place_that_is_locked),
        cmocka_unit_test(a_freed_secret_is_gone),
        cmocka_unit_test(a_core_dump_holds_no_key),
    };

    return cmocka_run_group_tests_name("key memory", tests, setup, teardown);
}

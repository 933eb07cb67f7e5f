#include "tests/support/vectors.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/hex.h"
#include "gateway/base/mem.h"

#define FILES_MAX 8
#define FILE_BYTES_MAX (8 * MIB)
#define NAME_MAX_LEN 160

static struct { const char *name; json *root; } loaded[FILES_MAX];

/* Else the leak checker reports them. */
static void forget_all(void)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        json_free(loaded[i].root);
}

const json *vectors_load(const char *name)
{
    char path[256];
    struct err err = { 0 };
    size_t i = 0;

    while (i < FILES_MAX && loaded[i].name != NULL && strcmp(loaded[i].name, name) != 0)
        i++;
    if (i == FILES_MAX)
        bug("more than %d files of vectors", FILES_MAX);
    if (loaded[i].root != NULL)
        return loaded[i].root;
    snprintf(path, sizeof path, "tests/vectors/%s.json", name);
    if (!json_read_file(path, FILE_BYTES_MAX, &loaded[i].root, &err))
        bug("%s", err.text);
    loaded[i].name = name;
    if (i == 0)
        atexit(forget_all);
    return loaded[i].root;
}

const json *vectors_group(const char *name, const char *group)
{
    const json *rows = json_member(vectors_load(name), group);

    if (rows == NULL || json_kind_of(rows) != JSON_KIND_ARRAY || json_count(rows) == 0)
        bug("%s.json has no rows %s", name, group);
    return rows;
}

/* "accept 3", with what the row itself says it is about. */
static char *row_name(const char *group, size_t index, const json *row)
{
    static const char *const about[] = { "label", "name", "why", "description", "input" };
    char text[NAME_MAX_LEN];
    const char *words = "";
    size_t len;

    for (size_t i = 0; i < ARRAY_LEN(about) && *words == '\0'; i++)
        (void)!json_get_text(json_member(row, about[i]), &words, &len);
    snprintf(text, sizeof text, "%s %zu%s%.100s", group, index, *words != '\0' ? ": " : "", words);
    return mem_text(text);
}

int vectors_run(const char *name, const struct vector_group *groups, size_t count, CMFixtureFunction setup,
                CMFixtureFunction teardown)
{
    struct CMUnitTest *tests;
    size_t total = 0, next = 0;
    int result;

    for (size_t g = 0; g < count; g++)
        total += json_count(vectors_group(name, groups[g].group));
    tests = mem_array(total, sizeof *tests);
    for (size_t g = 0; g < count; g++) {
        const json *rows = vectors_group(name, groups[g].group);

        for (size_t i = 0; i < json_count(rows); i++) {
            /* cmocka's state is not const; the bodies take it as const json *. */
            union { const json *row; void *state; } u = { .row = json_at(rows, i) };

            tests[next++] = (struct CMUnitTest){ row_name(groups[g].group, i, u.row), groups[g].row, NULL, NULL,
                                                 u.state };
        }
    }
    result = _cmocka_run_group_tests(name, tests, total, setup, teardown);
    for (size_t i = 0; i < total; i++) {
        union { const char *in; char *out; } u = { .in = tests[i].name };

        free(u.out);
    }
    free(tests);
    return result;
}

static _Noreturn void no_such(const json *row, const char *key, const char *type)
{
    struct buf text;

    buf_init(&text);
    json_write(row, &text);
    bug("no %s %s in the vector %.300s", type, key, buf_text(&text));
}

const json *vector_member(const json *row, const char *key)
{
    const json *v = json_member(row, key);

    if (v == NULL)
        no_such(row, key, "member");
    return v;
}

bool vector_has(const json *row, const char *key)
{
    const json *v = json_member(row, key);

    return v != NULL && json_kind_of(v) != JSON_KIND_NULL;
}

const char *vector_text(const json *row, const char *key)
{
    const char *text;
    size_t len;

    if (!json_get_text(json_member(row, key), &text, &len))
        no_such(row, key, "text");
    return text;
}

uint64_t vector_u64(const json *row, const char *key)
{
    const json *v = json_member(row, key);
    struct amount a;
    uint64_t number;

    if (json_get_u64(v, &number))
        return number;
    if (!json_get_amount(v, &a) || !u256_to_u64(a.base_units, &number))
        no_such(row, key, "number");
    return number;
}

bool vector_bool(const json *row, const char *key)
{
    bool flag;

    if (!json_get_bool(json_member(row, key), &flag))
        no_such(row, key, "truth value");
    return flag;
}

struct amount vector_amount(const json *row, const char *key)
{
    struct amount a;

    if (!json_get_amount(json_member(row, key), &a))
        no_such(row, key, "decimal");
    return a;
}

struct u256 vector_u256(const json *row, const char *key)
{
    return vector_amount(row, key).base_units;
}

struct hash vector_hash(const json *row, const char *key)
{
    struct hash h;

    if (!json_get_hash(json_member(row, key), &h))
        no_such(row, key, "hash");
    return h;
}

struct address vector_address(const json *row, const char *key)
{
    struct address a;

    if (!json_get_address(json_member(row, key), &a))
        no_such(row, key, "address");
    return a;
}

struct job_id vector_job_id(const json *row, const char *key)
{
    struct job_id id;

    if (!json_get_job_id(json_member(row, key), &id))
        no_such(row, key, "UUID");
    return id;
}

struct signature vector_signature(const json *row, const char *key)
{
    struct signature s;

    if (!json_get_signature(json_member(row, key), &s))
        no_such(row, key, "signature");
    return s;
}

struct buf vector_bytes(const json *row, const char *key)
{
    struct buf bytes;

    buf_init(&bytes);
    if (!json_get_bytes(json_member(row, key), &bytes))
        no_such(row, key, "hex");
    return bytes;
}

void assert_hash_is(struct hash got, struct hash want)
{
    char got_text[HASH_TEXT], want_text[HASH_TEXT];

    hash_to_text(got, got_text);
    hash_to_text(want, want_text);
    assert_string_equal(got_text, want_text);
}

void assert_address_is(struct address got, struct address want)
{
    char got_text[ADDRESS_TEXT], want_text[ADDRESS_TEXT];

    hex_encode(got.b, sizeof got.b, got_text);
    hex_encode(want.b, sizeof want.b, want_text);
    assert_string_equal(got_text, want_text);
}

void assert_u256_is(struct u256 got, struct u256 want)
{
    char got_text[U256_DECIMAL_MAX], want_text[U256_DECIMAL_MAX];

    u256_to_decimal(got, got_text);
    u256_to_decimal(want, want_text);
    assert_string_equal(got_text, want_text);
}

void assert_bytes_are(const struct buf *got, const struct buf *want)
{
    assert_int_equal(got->len, want->len);
    assert_memory_equal(buf_text(got), buf_text(want), want->len);
}

#include "gateway/lib/json.h"

#include <jansson.h>
#include <stdlib.h>

#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/file.h"
#include "gateway/lib/json_scan.h"

bool json_read(const void *text, size_t len, json **out, struct err *err)
{
    /* Any value may stand alone; what follows it, a duplicate key and a zero byte are refused. */
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    char *copy = mem_text_n(text, len);
    json_error_t error;
    json *v = NULL;

    if (json_scan(copy, len, err)) {
        v = json_loadb(copy, len, flags, &error);
        if (v == NULL)
            err_set(err, ERR_INVALID, "line %d column %d: %s", error.line, error.column, error.text);
    }
    free(copy);
    if (v != NULL)
        *out = v;
    return v != NULL;
}

bool json_read_file(const char *path, size_t max, json **out, struct err *err)
{
    struct buf text;
    bool ok;

    buf_init_max(&text, max);
    ok = file_read(path, max, &text, err);
    if (ok && !json_read(buf_text(&text), text.len, out, err))
        ok = err_prefix(err, "%s", path);
    buf_wipe(&text);      /* may be a keystore */
    return ok;
}

void json_free(json *owned)
{
    json_decref(owned);
}

enum json_kind json_kind_of(const json *v)
{
    switch (json_typeof(v)) {
    case JSON_NULL:    return JSON_KIND_NULL;
    case JSON_TRUE:
    case JSON_FALSE:   return JSON_KIND_BOOL;
    case JSON_INTEGER: return JSON_KIND_INTEGER;
    case JSON_REAL:    return JSON_KIND_REAL;
    case JSON_STRING:  return JSON_KIND_TEXT;
    case JSON_ARRAY:   return JSON_KIND_ARRAY;
    case JSON_OBJECT:  return JSON_KIND_OBJECT;
    }
    bug("JSON type %d", (int)json_typeof(v));
}

const json *json_member(const json *object, const char *key)
{
    return json_object_get(object, key);
}

size_t json_count(const json *v)
{
    return json_is_object(v) ? json_object_size(v) : json_array_size(v);
}

const json *json_at(const json *array, size_t index)
{
    return json_array_get(array, index);
}

/* jansson's iterators and reference counts want a pointer to what they do not change for the reader. */
static json *unconst(const json *v)
{
    union { const json *in; json *out; } u = { .in = v };

    return u.out;
}

const char *json_next_member(const json *object, void **cursor, const json **value)
{
    json *o = unconst(object);
    void *next = *cursor == NULL ? json_object_iter(o) : json_object_iter_next(o, *cursor);

    *cursor = next;
    if (next == NULL)
        return NULL;
    *value = json_object_iter_value(next);
    return json_object_iter_key(next);
}

bool json_get_text(const json *v, const char **text, size_t *len)
{
    if (!json_is_string(v))
        return false;
    *text = json_string_value(v);
    *len = json_string_length(v);
    return true;
}

bool json_get_i64(const json *v, int64_t *number)
{
    if (!json_is_integer(v))
        return false;
    *number = json_integer_value(v);
    return true;
}

bool json_get_u64(const json *v, uint64_t *number)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *number = (uint64_t)json_integer_value(v);
    return true;
}

bool json_get_bool(const json *v, bool *flag)
{
    if (!json_is_boolean(v))
        return false;
    *flag = json_is_true(v);
    return true;
}

bool json_get_hash(const json *v, struct hash *h)
{
    return json_is_string(v) && hash_from_text(json_string_value(v), json_string_length(v), h);
}

bool json_get_address(const json *v, struct address *a)
{
    return json_is_string(v) && address_from_text(json_string_value(v), json_string_length(v), a);
}

bool json_get_job_id(const json *v, struct job_id *id)
{
    return json_is_string(v) && job_id_from_text(json_string_value(v), json_string_length(v), id);
}

bool json_get_signature(const json *v, struct signature *s)
{
    return json_is_string(v) && hex_decode(json_string_value(v), json_string_length(v), s->b, sizeof s->b);
}

bool json_get_amount(const json *v, struct amount *a)
{
    return json_is_string(v) && u256_from_decimal(json_string_value(v), json_string_length(v), &a->base_units);
}

bool json_get_quantity(const json *v, struct u256 *q)
{
    return json_is_string(v) && u256_from_quantity(json_string_value(v), json_string_length(v), q);
}

bool json_get_bytes(const json *v, struct buf *bytes)
{
    size_t text_len = json_string_length(v), had = bytes->len, len;
    uint8_t *room;

    if (text_len < 2)
        return false;
    len = text_len / 2 - 1;
    room = buf_extend(bytes, len);
    if (room == NULL)
        return false;
    if (!hex_decode(json_string_value(v), text_len, room, len)) {
        bytes->len = had;
        bytes->data[had] = '\0';
        return false;
    }
    return true;
}

static json *made(json *v)
{
    if (v == NULL)
        bug("no memory for a JSON value");
    return v;
}

json *json_new_object(void)
{
    return made(json_object());
}

json *json_new_array(void)
{
    return made(json_array());
}

json *json_new_text(const char *text)
{
    json *v = json_string(text);
    char *ascii;

    if (v != NULL)
        return v;
    /* No UTF-8: a text from a node or the system.  Better shown with holes than not at all. */
    ascii = mem_text(text);
    for (char *c = ascii; *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    v = made(json_string(ascii));
    free(ascii);
    return v;
}

json *json_new_u64(uint64_t v)
{
    if (v > INT64_MAX)
        bug("%llu is too large for a JSON integer", (unsigned long long)v);
    return made(json_integer((json_int_t)v));
}

json *json_new_bool(bool v)
{
    return json_boolean(v);
}

json *json_new_null(void)
{
    return json_null();
}

json *json_new_hash(struct hash h)
{
    return json_new_hex(h.b, sizeof h.b);
}

json *json_new_address(struct address a)
{
    char text[ADDRESS_TEXT];

    address_to_text(a, text);
    return json_new_text(text);
}

json *json_new_amount(struct amount a)
{
    char text[U256_DECIMAL_MAX];

    u256_to_decimal(a.base_units, text);
    return json_new_text(text);
}

json *json_new_hex(const uint8_t *bytes, size_t len)
{
    char *text = mem_new(2 * len + 3);
    json *v;

    hex_encode(bytes, len, text);
    v = json_new_text(text);
    free(text);
    return v;
}

json *json_share(const json *v)
{
    return json_incref(unconst(v));
}

void json_put(json *object, const char *key, json *owned)
{
    if (json_object_set_new(object, key, owned) != 0)
        bug("JSON member %s cannot be put", key);
}

void json_put_text(json *object, const char *key, const char *text)
{
    json_put(object, key, json_new_text(text));
}

void json_put_u64(json *object, const char *key, uint64_t v)
{
    json_put(object, key, json_new_u64(v));
}

void json_put_bool(json *object, const char *key, bool v)
{
    json_put(object, key, json_new_bool(v));
}

void json_put_hash(json *object, const char *key, struct hash h)
{
    json_put(object, key, json_new_hash(h));
}

void json_put_address(json *object, const char *key, struct address a)
{
    json_put(object, key, json_new_address(a));
}

void json_put_amount(json *object, const char *key, struct amount a)
{
    json_put(object, key, json_new_amount(a));
}

void json_put_wei(json *object, const char *key, struct wei wei)
{
    json_put_amount(object, key, (struct amount){ wei.v });
}

void json_put_job_id(json *object, const char *key, struct job_id id)
{
    char text[JOB_ID_TEXT];

    job_id_to_text(id, text);
    json_put_text(object, key, text);
}

void json_put_signature(json *object, const char *key, const struct signature *s)
{
    json_put(object, key, json_new_hex(s->b, sizeof s->b));
}

void json_add(json *array, json *owned)
{
    if (json_array_append_new(array, owned) != 0)
        bug("a JSON element cannot be added");
}

static int append(const char *text, size_t len, void *out)
{
    return buf_add(out, text, len) ? 0 : -1;
}

/* jansson keeps members in the order they were put (2.8 and later). */
void json_write(const json *v, struct buf *out)
{
    if (json_dump_callback(v, append, out, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
        out->failed = true;
}

void json_write_pretty(const json *v, struct buf *out)
{
    if (json_dump_callback(v, append, out, JSON_INDENT(2) | JSON_ENCODE_ANY) != 0)
        out->failed = true;
}

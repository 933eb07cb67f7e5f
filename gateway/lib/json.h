/* gateway/lib/json.h - the only door to jansson: strict reading of I-JSON (RFC 7493) and deterministic writing.
 *
 * json_read refuses duplicate keys, zero bytes, names with \u0000, anything after the text, nesting over JSON_DEPTH_MAX
 * and invalid UTF-8.  A number that int64 or double cannot hold (2^64, 1e400) and a text with \u0000 are still JSON:
 * they are read as null, so that the member they stand in is what gets refused, not the text around it.  Numbers with a
 * fraction or exponent are reals; -0 is the integer 0.
 * Getters give borrowed values; they never convert: a missing or wrong-typed member is false, NULL or absent. */
#ifndef QUITTANCE_LIB_JSON_H
#define QUITTANCE_LIB_JSON_H

#include "gateway/base/buf.h"
#include "gateway/base/types.h"

#define JSON_DEPTH_MAX 32

typedef struct json_t json;      /* jansson's own type; its header stays out of ours */

enum json_kind {
    JSON_KIND_NULL, JSON_KIND_BOOL, JSON_KIND_INTEGER, JSON_KIND_REAL, JSON_KIND_TEXT, JSON_KIND_ARRAY, JSON_KIND_OBJECT
};

/* ERR_INVALID with line, column and rule.  *out is owned: json_free. */
MUST_USE bool json_read(const void *text, size_t len, json **out, struct err *err);
MUST_USE bool json_read_file(const char *path, size_t max, json **out, struct err *err);
void json_free(json *owned);                                /* one reference; NULL is fine */

enum json_kind json_kind_of(const json *v);
const json *json_member(const json *object, const char *key);       /* NULL: absent or not an object */
size_t json_count(const json *v);                                   /* of an array or object, else 0 */
const json *json_at(const json *array, size_t index);
/* Walks an object's members in order of the text: start with *cursor NULL; NULL at the end. */
const char *json_next_member(const json *object, void **cursor, const json **value);
MUST_USE bool json_get_text(const json *v, const char **text, size_t *len);
MUST_USE bool json_get_u64(const json *v, uint64_t *number);        /* integer >= 0 */
MUST_USE bool json_get_i64(const json *v, int64_t *number);
MUST_USE bool json_get_bool(const json *v, bool *flag);
MUST_USE bool json_get_hash(const json *v, struct hash *h);
MUST_USE bool json_get_address(const json *v, struct address *a);
MUST_USE bool json_get_job_id(const json *v, struct job_id *id);
MUST_USE bool json_get_signature(const json *v, struct signature *s);
MUST_USE bool json_get_amount(const json *v, struct amount *a);     /* a decimal string, see u256_from_decimal */
MUST_USE bool json_get_bytes(const json *v, struct buf *bytes);     /* 0x hex of any even length, appended */
MUST_USE bool json_get_quantity(const json *v, struct u256 *q);     /* 0x quantity of JSON-RPC */

/* Building: values are owned by whoever made them until put into a parent, which takes them. */
json *json_new_object(void);
json *json_new_array(void);
json *json_new_text(const char *text);
json *json_new_u64(uint64_t v);                             /* below 2^63 */
json *json_new_bool(bool v);
json *json_new_null(void);
json *json_new_hash(struct hash h);
json *json_new_address(struct address a);                   /* EIP-55 */
json *json_new_amount(struct amount a);
json *json_new_hex(const uint8_t *bytes, size_t len);
json *json_share(const json *v);                            /* another reference to an unchanged value */
void json_put(json *object, const char *key, json *owned);
void json_put_text(json *object, const char *key, const char *text);
void json_put_u64(json *object, const char *key, uint64_t v);
void json_put_bool(json *object, const char *key, bool v);
void json_put_hash(json *object, const char *key, struct hash h);
void json_put_address(json *object, const char *key, struct address a);
void json_put_amount(json *object, const char *key, struct amount a);
void json_put_wei(json *object, const char *key, struct wei wei);      /* a decimal string, too */
void json_put_job_id(json *object, const char *key, struct job_id id);
void json_put_signature(json *object, const char *key, const struct signature *s);
void json_add(json *array, json *owned);

/* Compact, members in the order they were put, appended to out. */
void json_write(const json *v, struct buf *out);
void json_write_pretty(const json *v, struct buf *out);     /* two spaces, for people */

#endif

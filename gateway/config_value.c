/* gateway/config_value.c - see config_value.h. */
#include "gateway/config_value.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/base/u256.h"
#include "gateway/lib/file.h"

bool config_parse_count(const char *value, uint64_t *out)
{
    struct u256 v;

    return u256_from_decimal(value, strlen(value), &v) && u256_to_u64(v, out);
}

bool config_parse_seconds(const char *value, uint64_t *out)
{
    static const struct { char suffix; uint64_t seconds; } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    char digits[24];
    size_t len = strlen(value);
    uint64_t factor = 1, count;

    if (len == 0 || len >= sizeof digits)
        return false;
    memcpy(digits, value, len + 1);
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (digits[len - 1] == units[i].suffix) {
            factor = units[i].seconds;
            digits[len - 1] = 0;
            break;
        }
    }
    if (!config_parse_count(digits, &count) || count > UINT64_C(1000000000) / factor)
        return false;
    *out = count * factor;
    return true;
}

bool config_parse_bool(const char *value, bool *out)
{
    static const char *const yes[] = { "yes", "true", "on", "1" }, *const no[] = { "no", "false", "off", "0" };

    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
            *out = strcmp(value, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

/* "sqlite:PATH" and "keystore:PATH" are relative to the file too; other schemes are kept as they are. */
char *config_resolve_prefixed(const char *file, const char *value)
{
    const char *colon = strchr(value, ':');
    struct buf out;
    char *path, *text;

    if (colon == NULL || (strncmp(value, "sqlite:", 7) != 0 && strncmp(value, "keystore:", 9) != 0))
        return mem_text(value);
    path = file_beside(file, colon + 1);
    buf_init(&out);
    buf_add(&out, value, (size_t)(colon + 1 - value));
    buf_add_text(&out, path);
    text = mem_text(buf_text(&out));
    buf_clear(&out);
    free(path);
    return text;
}

bool config_urls_are_http(const char *urls)
{
    for (const char *at = urls; *at != '\0'; at += strcspn(at, ",")) {
        at += strspn(at, ", \t");
        if (*at != '\0' && strncmp(at, "http://", 7) != 0 && strncmp(at, "https://", 8) != 0)
            return false;
    }
    return true;
}

json *config_urls_shown(const char *urls)
{
    struct buf out;
    json *text;

    buf_init(&out);
    for (const char *at = urls; *at != '\0'; at += strcspn(at, ",")) {
        size_t len, host, end;

        if (*at == ',')
            buf_add_byte(&out, (uint8_t)*at++);
        len = strcspn(at, ",");
        host = strstr(at, "://") != NULL ? (size_t)(strstr(at, "://") - at) + 3 : 0;
        host = host < len ? host : 0;
        end = host + strcspn(at + host, "/?#,");
        buf_add(&out, at, host);
        if (memchr(at + host, '@', end - host) != NULL) {
            buf_add_text(&out, "…@");
            host += strcspn(at + host, "@") + 1;
        }
        buf_add(&out, at + host, end - host);
        if (end < len && !(end + 1 == len && at[end] == '/'))
            buf_add_text(&out, "/…");
    }
    text = json_new_text(buf_text(&out));
    buf_clear(&out);
    return text;
}

/* gateway/config_value.h - how single values of the configuration are read and shown; for config.c and its test. */
#ifndef QUITTANCE_CONFIG_VALUE_H
#define QUITTANCE_CONFIG_VALUE_H

#include "gateway/lib/json.h"

bool config_parse_count(const char *value, uint64_t *out);
bool config_parse_seconds(const char *value, uint64_t *out);    /* "90", "90s", "15m", "24h", "7d" */
bool config_parse_bool(const char *value, bool *out);
/* A path behind a scheme of ours, relative to the file; other schemes are kept as they are.  Caller frees. */
char *config_resolve_prefixed(const char *file, const char *value);
bool config_urls_are_http(const char *urls);                    /* each of those, by commas, begins with http:// or https:// */
/* Comma-separated URLs without what providers hide keys in: path, query and user. */
json *config_urls_shown(const char *urls);

#endif

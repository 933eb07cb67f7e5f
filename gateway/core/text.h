/* gateway/core/text.h - UTF-8 that came from outside and was found valid by json_read: cutting and judging it. */
#ifndef QUITTANCE_CORE_TEXT_H
#define QUITTANCE_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The longest prefix of at most max bytes that splits no character, in bytes. */
size_t text_cut(const char *text, size_t max);
/* least to most characters (code points), none of them a control character (C0, DEL, C1). */
bool text_is_plain(const char *text, size_t len, size_t least, size_t most);

#endif

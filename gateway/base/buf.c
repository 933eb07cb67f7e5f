#include "gateway/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

#define FIRST_CAPACITY ((size_t)64)

void buf_init(struct buf *b)
{
    buf_init_max(b, BUF_DEFAULT_MAX);
}

void buf_init_max(struct buf *b, size_t max)
{
    *b = (struct buf){ .max = max };
}

void buf_clear(struct buf *b)
{
    free(b->data);
    buf_init_max(b, b->max);
}

void buf_wipe(struct buf *b)
{
    if (b->data != NULL)
        mem_wipe(b->data, b->capacity);
    buf_clear(b);
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data != NULL)
        b->data[0] = '\0';
}

static bool grow(struct buf *b, size_t len)
{
    size_t wanted, capacity;
    uint8_t *data;

    /* capacity doubles and the zero byte adds one: the second test keeps both inside size_t */
    if (b->failed || len > b->max || b->len > b->max - len || b->max > SIZE_MAX / 2 - 1) {
        b->failed = true;
        return false;
    }
    wanted = b->len + len + 1;
    capacity = b->capacity > 0 ? b->capacity * 2 : FIRST_CAPACITY;
    if (capacity > b->max + 1)
        capacity = b->max + 1;
    if (capacity < wanted)
        capacity = wanted;
    data = realloc(b->data, capacity);
    if (data == NULL) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

/* Of bytes that are there already nothing passes the cap: capacity is at most one more. */
bool buf_reserve(struct buf *b, size_t len)
{
    return (!b->failed && len < b->capacity && b->len < b->capacity - len) || grow(b, len);
}

uint8_t *buf_extend(struct buf *b, size_t len)
{
    uint8_t *room;

    if (!buf_reserve(b, len))
        return NULL;
    room = b->data + b->len;
    b->len += len;
    b->data[b->len] = '\0';
    return room;
}

bool buf_add(struct buf *b, const void *bytes, size_t len)
{
    uint8_t *room = buf_extend(b, len);

    if (room != NULL && len > 0)
        memcpy(room, bytes, len);
    return room != NULL;
}

bool buf_add_byte(struct buf *b, uint8_t byte)
{
    uint8_t *room = buf_extend(b, 1);

    if (room != NULL)
        *room = byte;
    return room != NULL;
}

bool buf_add_zeros(struct buf *b, size_t count)
{
    uint8_t *room = buf_extend(b, count);

    if (room != NULL)
        memset(room, 0, count);
    return room != NULL;
}

bool buf_add_text(struct buf *b, const char *text)
{
    return buf_add(b, text, strlen(text));
}

bool buf_printf(struct buf *b, const char *format, ...)
{
    va_list args, again;
    int len;
    bool ok = false;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    if (len < 0)
        b->failed = true;
    else if (buf_reserve(b, (size_t)len)) {
        vsnprintf((char *)b->data + b->len, (size_t)len + 1, format, again);
        b->len += (size_t)len;
        ok = true;
    }
    va_end(again);
    va_end(args);
    return ok;
}

const char *buf_text(const struct buf *b)
{
    return b->data != NULL ? (const char *)b->data : "";
}

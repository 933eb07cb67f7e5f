#include "gateway/base/mem.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/err.h"

static void *must(void *memory)
{
    if (memory == NULL)
        bug("out of memory");
    return memory;
}

/* malloc(0) may be NULL, which is not a failure: a byte is always asked for. */
void *mem_new(size_t size)
{
    return must(calloc(1, size > 0 ? size : 1));
}

void *mem_array(size_t count, size_t size)
{
    return count > 0 && size > 0 ? must(calloc(count, size)) : mem_new(1);
}

void *mem_grow(void *owned, size_t count, size_t size)
{
    return must(count > 0 && size > 0 ? reallocarray(owned, count, size) : realloc(owned, 1));
}

char *mem_text(const char *text)
{
    return mem_text_n(text, strlen(text));
}

char *mem_text_n(const char *text, size_t len)
{
    char *copy = mem_new(len + 1);

    memcpy(copy, text, len);
    return copy;
}

void mem_wipe(void *bytes, size_t len)
{
    explicit_bzero(bytes, len);
}

void mem_trim(void)
{
    malloc_trim(0);
}

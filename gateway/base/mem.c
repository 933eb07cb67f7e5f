#include "gateway/base/mem.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/err.h"

#define KEPT_BY_THREAD_MAX ((size_t)1032)     /* glibc's tcache_max */

static void *must(void *memory)
{
    if (memory == NULL)
        bug("out of memory");
    return memory;
}

/* Not inlined: malloc and memset side by side are calloc to the compiler. */
static __attribute__((noinline)) void *take(size_t size)
{
    return must(malloc(size));
}

/* malloc(0) may be NULL, which is not a failure: a byte is always asked for.  calloc passes by what a thread keeps of small
 * memory that it freed (glibc 2.36), and looks for new under a lock. */
void *mem_new(size_t size)
{
    size_t wanted = size > 0 ? size : 1;

    return wanted <= KEPT_BY_THREAD_MAX ? memset(take(wanted), 0, wanted) : must(calloc(1, wanted));
}

void *mem_array(size_t count, size_t size)
{
    bool small = count == 0 || size == 0 || (count <= KEPT_BY_THREAD_MAX && size <= KEPT_BY_THREAD_MAX && count * size <= KEPT_BY_THREAD_MAX);

    return small ? mem_new(count * size) : must(calloc(count, size));
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

/* What clients say for a refusal, from the collected vectors: any of a class, as they differ by client and version. */
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/lib/json.h"
#include "tests/sim/node.h"

#define VECTORS "tests/vectors/rpc_errors.json"

struct text { char *message; int code; };
static struct text *texts[RPC_DOWN + 1];
static size_t counts[RPC_DOWN + 1];

static void add(const json *row)
{
    const char *message;
    int64_t code;
    size_t len;
    enum rpc_class class;

    if (!json_get_text(json_member(row, "message"), &message, &len) || !json_get_i64(json_member(row, "code"), &code)
        || len == 0)
        return;
    class = rpc_classify(message);
    texts[class] = mem_grow(texts[class], counts[class] + 1, sizeof *texts[class]);
    texts[class][counts[class]++] = (struct text){ mem_text(message), (int)code };
}

void words_load(void)
{
    struct err err = { 0 };
    json *file;

    if (!json_read_file(VECTORS, 1 * MIB, &file, &err))
        bug("%s: %s (run it in the root of the repository)", VECTORS, err.text);
    for (size_t i = 0; i < json_count(json_member(file, "vectors")); i++)
        add(json_at(json_member(file, "vectors"), i));
    json_free(file);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        if (counts[i] == 0)
            bug("no words for %s", rpc_class_name((enum rpc_class)i));
}

const char *words_for(struct sim *s, enum rpc_class class, int *code)
{
    const struct text *t = &texts[class][rng_below(&s->rng, counts[class])];

    *code = t->code;
    return t->message;
}

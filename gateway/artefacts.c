/* gateway/artefacts.c - see artefacts.h; the linker names embedded files by their path (Makefile). */
#include "gateway/artefacts.h"

#include "gateway/lib/json.h"

extern const char _binary_build_contracts_Settlement_json_start[], _binary_build_contracts_Settlement_json_end[];
extern const char _binary_build_contracts_DevToken_json_start[], _binary_build_contracts_DevToken_json_end[];

static bool read_bytecode(const char *start, const char *end, struct buf *bytecode, struct err *err)
{
    json *artefact;
    bool ok;

    if (!json_read(start, (size_t)(end - start), &artefact, err))
        return false;
    ok = json_get_bytes(json_member(artefact, "bytecode"), bytecode) || err_set(err, ERR_BUG, "an artefact without bytecode");
    json_free(artefact);
    return ok;
}

MUST_USE bool artefact_settlement(struct buf *bytecode, struct err *err)
{
    return read_bytecode(_binary_build_contracts_Settlement_json_start, _binary_build_contracts_Settlement_json_end, bytecode, err);
}

MUST_USE bool artefact_dev_token(struct buf *bytecode, struct err *err)
{
    return read_bytecode(_binary_build_contracts_DevToken_json_start, _binary_build_contracts_DevToken_json_end, bytecode, err);
}

#include "gateway/settle/behind.h"
#include "gateway/settle/parts.h"

#define DEPTH_WITHOUT_TAG 64u      /* two epochs of Ethereum; chains that know no `finalized` are given as much */

bool confirmed_block(struct rpc *rpc, uint64_t confirmations, uint64_t *height, bool *any, struct err *err)
{
    uint64_t depth = confirmations;
    struct block block;

    if (depth == 0) {
        if (rpc_block(rpc, BLOCK_FINALIZED, &block, err)) {
            *height = block.number;
            *any = true;
            return true;
        }
        if (err->code != ERR_NOT_FOUND)
            return false;
        depth = DEPTH_WITHOUT_TAG;
    }
    if (!rpc_block(rpc, BLOCK_LATEST, &block, err))
        return false;
    *any = block.number + 1 >= depth;          /* the mined block counts as 1 */
    if (*any)
        *height = block.number + 1 - depth;
    return true;
}

bool confirmed_height(struct settle *s, uint64_t *height, bool *any, struct err *err)
{
    return confirmed_block(s->rpc, s->config.confirmations, height, any, err);
}

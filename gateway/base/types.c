#include "gateway/base/types.h"

bool address_is_zero(struct address a)
{
    return address_eq(a, (struct address){ { 0 } });
}

bool hash_is_zero(struct hash h)
{
    return hash_eq(h, (struct hash){ { 0 } });
}

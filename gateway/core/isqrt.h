/* gateway/core/isqrt.h - the exact floor of a square root over 256 bits. */
#ifndef QUITTANCE_CORE_ISQRT_H
#define QUITTANCE_CORE_ISQRT_H

#include "gateway/base/u256.h"

/* The r with r^2 <= v < (r+1)^2; below 2^128. */
struct u256 u256_isqrt(struct u256 v);

#endif

/* gateway/settle/retention_parts.h - between retention.c and its thread. */
#ifndef QUITTANCE_SETTLE_RETENTION_PARTS_H
#define QUITTANCE_SETTLE_RETENTION_PARTS_H

#include "gateway/settle/retention.h"

#include <stdatomic.h>

void retention_quit(struct retention *retention);     /* ends what reads for long; any thread */

#endif

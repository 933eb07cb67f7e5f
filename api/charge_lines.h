/* api/charge_lines.h - all that a consumer was billed in a period: what both signed statements are made of. */
#ifndef QUITTANCE_API_CHARGE_LINES_H
#define QUITTANCE_API_CHARGE_LINES_H

#include "api/request.h"
#include "gateway/core/charges.h"
#include "gateway/core/typed.h"

/* Of a path /v1/accounts/{address}/...: reads consumer and ?from=&until= (Unix ms of acceptance, until not in the future) or
 * ?period=YYYY-MM (UTC), and who asks,
 * then all lines, newest first; more than CHARGE_LINES_MAX are 413.
 * statement: all of it is set; csv: a line a receipt (charge_columns), items the same as objects.
 * false: the reply says why. */
struct charge_lines { struct charge_statement statement; json *items; struct buf csv; };
bool charge_lines_read(struct request *req, struct charge_lines *lines, struct reply *reply);
void charge_lines_clear(struct charge_lines *lines);
/* The gateway's signature over a struct hash, with who signed: into the object.  false: the reply says why. */
bool statement_sign(const struct request *req, struct hash struct_hash, json *object, struct reply *reply);

#endif

/* tests/sim/disk.h - the simulated process's store; its url has the scheme "sim". */
#ifndef QUITTANCE_SIM_DISK_H
#define QUITTANCE_SIM_DISK_H

#include "tests/sim/sim.h"

#define DISK_BIRTH_MS UINT64_C(1790000000000)      /* when the template was made; lives begin later */

void disk_register(bool server);                   /* once, before anything is opened; server: PostgreSQL */
void disk_fill(const char *url);                   /* a catalog, in a store that has none */
void disk_template(const char *dir);               /* makes the store that all lives begin with */
void disk_template_clear(void);
void disk_reset(struct sim *s);

/* -- disk_server.c: the same of a database server, in a schema of the worker's own -- */
void server_template(const char *url, long worker, char *store, size_t size);      /* store: the url of that schema */
void server_template_clear(void);
void server_reset(void);
void disk_cut(void *connection);                   /* of PostgreSQL: the line to the server is gone */

#endif

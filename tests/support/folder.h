/* tests/support/folder.h - temporary folders that tests fill, copy as they are at one moment, and damage.
 *
 * They lie in $TMPDIR, else in /tmp: whoever tests nothing of what a disk does names one in memory. */
#ifndef QUITTANCE_TESTS_FOLDER_H
#define QUITTANCE_TESTS_FOLDER_H

#include <stddef.h>

#define FOLDER_PATH 600

struct folder { char path[256]; };
void folder_make(const char *name, char *path, size_t size);     /* an empty one, quittance-{name}-... */
struct folder folder_new(void);
void folder_free(struct folder *f);                              /* and its files; it has no folders in it */
void folder_copy(const struct folder *from, struct folder *to);  /* what `to` had is gone */
void folder_path(const struct folder *f, const char *name, char path[FOLDER_PATH]);
long folder_size(const struct folder *f, const char *name);      /* of a file; 0: there is none */
void folder_each(const struct folder *f, void (*each)(void *self, const char *name), void *self);

#endif

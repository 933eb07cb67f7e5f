/* gateway/core/archive_members.h - the member names of archive lines, for archive*.c only. */
#ifndef QUITTANCE_CORE_ARCHIVE_MEMBERS_H
#define QUITTANCE_CORE_ARCHIVE_MEMBERS_H

#include "gateway/core/archive.h"

#define ARCHIVE_TYPES (ARCHIVE_REVOCATION + 1)
extern const char *const archive_type_names[ARCHIVE_TYPES];
/* A getter and its outcome as an error that names the member. */
#define READ(get, object, name, out, err) \
    (get(json_member((object), (name)), (out)) || err_set((err), ERR_INVALID, "%s: missing or of another form", (name)))

/* archive_popularity.c */
void archive_put_epoch(json *line, const struct popularity_terms *terms);
void archive_put_popularity(json *line, const struct popularity *p);
MUST_USE bool archive_read_epoch(const json *line, struct popularity_terms *terms, struct err *err);
MUST_USE bool archive_read_popularity(const json *line, struct popularity *p, struct err *err);

#endif

/* gateway/core/archive_members.h - the member names of archive lines, for archive.c and archive_read.c only. */
#ifndef QUITTANCE_CORE_ARCHIVE_MEMBERS_H
#define QUITTANCE_CORE_ARCHIVE_MEMBERS_H

#include "gateway/core/archive.h"

#define ARCHIVE_TYPES (ARCHIVE_REVOCATION + 1)
extern const char *const archive_type_names[ARCHIVE_TYPES];

#endif

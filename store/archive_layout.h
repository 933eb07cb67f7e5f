/* store/archive_layout.h - the index's bytes (archive_file.h), for archive_pack.c and archive_file.c only. */
#ifndef QUITTANCE_STORE_ARCHIVE_LAYOUT_H
#define QUITTANCE_STORE_ARCHIVE_LAYOUT_H

#include "store/archive_file.h"

#define INDEX_MAGIC "QTARIDX1"
#define INDEX_MAGIC_LEN 8u
#define INDEX_HEAD (INDEX_MAGIC_LEN + 3 * 8u + 32u + ARCHIVE_KEY)
#define INDEX_FRAME (ARCHIVE_KEY + 8u + 2 * 4u)
#define FRAME_PLAIN_MAX (1024u * 1024)           /* 64 lines, sealed and in base64, are far below it */
_Static_assert((ARCHIVE_FRAME & (ARCHIVE_FRAME - 1)) == 0, "a frame is a subtree of the receipts tree");

#endif

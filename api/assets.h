/* api/assets.h - the files of the pages, as scripts/build-pages made them: names hold a hash of their content, but for
 * the documents that people ask for.  Read only. */
#ifndef QUITTANCE_API_ASSETS_H
#define QUITTANCE_API_ASSETS_H

#include <stddef.h>

struct asset {
    const char *name;                         /* "desk-AB12CD34.js"; a document: "desk.html" */
    const char *type;                         /* Content-Type */
    const char *etag;                         /* in quotes */
    const unsigned char *packed;              /* gzip */
    size_t packed_len, len;                   /* len: unpacked */
};
extern const struct asset assets[];
extern const size_t asset_count;

#endif

/* gateway/audit/source.h - where published files are read from: a gateway's URL, or a folder of files named as served. */
#ifndef QUITTANCE_AUDIT_SOURCE_H
#define QUITTANCE_AUDIT_SOURCE_H

#include "gateway/base/buf.h"
#include "gateway/base/types.h"
#include "gateway/lib/json.h"

struct source;
/* place: http(s)://HOST... or a folder with {sequence}.archive.ndjson and {sequence}.rewards.json (.zst taken too). */
MUST_USE bool source_open(const char *place, struct source **source, struct err *err);
/* Whose files are asked of a gateway: while a contract is replaced it has those of two.  Not asked: those it is for now. */
void source_of_contract(struct source *source, struct address contract);
void source_free(struct source *source);
bool source_is_folder(const struct source *source);
/* The published file as plain bytes: what is "archive" or "rewards.json". */
MUST_USE bool source_fetch(struct source *source, uint64_t sequence, const char *what, struct buf *plain, struct err *err);
/* What is of no settlement: of a gateway GET /v1/{path}, of a folder the file; appended.  ERR_NOT_FOUND: not there. */
MUST_USE bool source_document(struct source *source, const char *path, const char *file, size_t max, struct buf *plain, struct err *err);
/* Calls line for each line of the archive (without its newline) and gives the SHA-256 of all its bytes.  Streams. */
typedef bool source_line_fn(void *self, const char *text, size_t len, struct err *err);
MUST_USE bool source_archive(struct source *source, uint64_t sequence, source_line_fn *line, void *self, struct hash *digest, struct err *err);
MUST_USE bool source_rewards(struct source *source, uint64_t sequence, json **rewards, struct err *err);

#endif

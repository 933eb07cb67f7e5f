#include "gateway/node/refused.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "gateway/core/receipt_json.h"
#include "gateway/core/typed.h"

void refused_line(const json *item, const struct signed_receipt *r, struct buf *out)
{
    static const char *const members[] = { "status", "state", "code", "detail", "errors" };
    json *line = json_new_object();

    json_put_job_id(line, "jobId", r->receipt.job_id);
    json_put_hash(line, "receipt", receipt_struct_hash(&r->receipt));
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (json_member(item, members[i]) != NULL)
            json_put(line, members[i], json_share(json_member(item, members[i])));
    json_put(line, "signed", receipt_to_json(r));
    json_write(line, out);
    buf_add_byte(out, '\n');
    json_free(line);
}

void refused_malformed(uint64_t number, const char *why, struct buf *out)
{
    json *line = json_new_object();

    json_put_u64(line, "line", number);
    json_put_text(line, "status", item_status_name(ITEM_REJECTED));
    json_put_text(line, "code", receipt_codes[CODE_MALFORMED].name);
    json_put_text(line, "detail", why);
    json_write(line, out);
    buf_add_byte(out, '\n');
    json_free(line);
}

bool refused_write(const char *dir, const struct buf *lines, struct err *err)
{
    size_t size;
    char *path;
    int fd;
    bool ok;

    if (lines->len == 0)
        return true;
    if (dir == NULL)
        return fwrite(lines->data, 1, lines->len, stderr) == lines->len || err_set(err, ERR_IO, "write to stderr: %s", strerror(errno));
    size = strlen(dir) + sizeof "/refused.ndjson";
    path = mem_new(size);
    snprintf(path, size, "%s/refused.ndjson", dir);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ok = (fd >= 0 && write(fd, lines->data, lines->len) == (ssize_t)lines->len && fsync(fd) == 0)
      || err_set(err, ERR_IO, "write %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(path);
    return ok;
}

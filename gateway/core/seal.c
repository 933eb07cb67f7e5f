#include "gateway/core/seal.h"

#include "gateway/base/mem.h"
#include "gateway/core/word.h"
#include "gateway/lib/box.h"
#include "gateway/lib/crypt.h"

struct hash seal_line_key(const uint8_t secret[32], struct job_id job_id, struct address provider)
{
    uint8_t bytes[4 + 16 + 20] = { 'l', 'i', 'n', 'e' };

    memcpy(bytes + 4, job_id.b, 16);
    memcpy(bytes + 20, provider.b, 20);
    return hmac_sha256(secret, 32, bytes, sizeof bytes);
}

struct hash seal_settlement_key(const uint8_t secret[32], uint64_t sequence)
{
    uint8_t bytes[10 + 8] = { 's', 'e', 't', 't', 'l', 'e', 'm', 'e', 'n', 't' };

    be64_put(bytes + 10, sequence);
    return hmac_sha256(secret, 32, bytes, sizeof bytes);
}

static struct box_nonce nonce_of(const uint8_t *bytes)
{
    struct box_nonce nonce;

    memcpy(nonce.b, bytes, sizeof nonce.b);
    return nonce;
}

/* The line's object without its newline, and spaces up to a multiple of step. */
static bool write_padded(const struct archive_line *line, size_t step, struct buf *text, struct err *err)
{
    archive_write_line(line, text);
    if (text->failed)
        return err_set(err, ERR_LIMIT, "a line of the archive is too long");
    text->data[text->len - 1] = ' ';
    while (text->len % step != 0)
        buf_add_byte(text, ' ');
    return !text->failed || err_set(err, ERR_LIMIT, "a line of the archive is too long");
}

static bool take_box(struct archive_line *line, enum archive_type type, struct archive_sealed *sealed, struct err *err)
{
    if (sealed->box.failed) {
        buf_clear(&sealed->box);
        return err_set(err, ERR_LIMIT, "a sealed line of the archive is too long");
    }
    archive_line_clear(line);
    line->type = type;
    line->of.sealed = *sealed;
    return true;
}

bool seal_receipt(struct archive_line *line, struct hash leaf, struct hash line_key, struct hash settlement_key,
                  struct err *err)
{
    static const struct box_nonce zero;       /* the key seals this one line only */
    struct archive_sealed sealed = { .leaf = leaf, .has_wrap = true };
    const struct box_nonce wrap_nonce = nonce_of(leaf.b);
    struct buf text, wrap;
    bool ok;

    buf_init(&text);
    buf_init(&wrap);
    buf_init(&sealed.box);
    ok = write_padded(line, SEAL_RECEIPT_TEXT, &text, err)
      && (text.len == SEAL_RECEIPT_TEXT || err_set(err, ERR_BUG, "a receipt line of %zu bytes", text.len));
    if (ok) {
        box_seal(&line_key, &zero, text.data, text.len, &sealed.box);
        box_seal(&settlement_key, &wrap_nonce, line_key.b, sizeof line_key.b, &wrap);
        ok = (!wrap.failed && wrap.len == ARCHIVE_WRAP) || err_set(err, ERR_BUG, "a key of %zu bytes", wrap.len);
    }
    if (ok) {
        memcpy(sealed.wrap, wrap.data, sizeof sealed.wrap);
        ok = take_box(line, ARCHIVE_SEALED, &sealed, err);
    } else {
        buf_clear(&sealed.box);
    }
    buf_clear(&wrap);
    buf_clear(&text);
    return ok;
}

bool seal_row(struct archive_line *line, struct hash settlement_key, struct err *err)
{
    enum archive_type type = line->type == ARCHIVE_CONSUMER ? ARCHIVE_SEALED_CONSUMER : ARCHIVE_SEALED_BUNDLE;
    struct archive_sealed sealed = { 0 };
    struct box_nonce nonce;
    struct hash mark;
    struct buf text;
    bool ok;

    buf_init_max(&text, BUF_DEFAULT_MAX);
    buf_init_max(&sealed.box, BUF_DEFAULT_MAX);
    ok = write_padded(line, SEAL_STEP, &text, err);
    if (ok) {
        /* Of the content: the file is the same when it is made again, and no nonce ever seals two texts. */
        mark = hmac_sha256(settlement_key.b, sizeof settlement_key.b, text.data, text.len);
        nonce = nonce_of(mark.b);
        buf_add(&sealed.box, nonce.b, sizeof nonce.b);
        box_seal(&settlement_key, &nonce, text.data, text.len, &sealed.box);
        ok = take_box(line, type, &sealed, err);
    }
    buf_clear(&text);
    return ok;
}

static size_t without_padding(const struct buf *text)
{
    size_t len = text->len;

    while (len > 0 && text->data[len - 1] == ' ')
        len--;
    return len;
}

/* The opened text in the place of the sealed line. */
static bool take_text(struct archive_line *line, const struct buf *text, enum archive_type type, struct err *err)
{
    struct archive_line read = { 0 };

    if (!archive_read_line((const char *)text->data, without_padding(text), &read, err))
        return err_prefix(err, "sealed");
    if (read.type != type) {
        archive_line_clear(&read);
        return err_set(err, ERR_INVALID, "sealed: another type of line");
    }
    archive_line_clear(line);
    *line = read;
    return true;
}

static bool is_sealed_row(const struct archive_line *line)
{
    return line->type == ARCHIVE_SEALED_CONSUMER || line->type == ARCHIVE_SEALED_BUNDLE;
}

bool seal_open_line(struct archive_line *line, struct hash line_key, bool *opened, struct err *err)
{
    static const struct box_nonce zero;
    struct buf text;
    bool ok = true, fits;

    if (line->type != ARCHIVE_SEALED) {
        *opened = !is_sealed_row(line);
        return true;
    }
    buf_init(&text);
    fits = box_open(&line_key, &zero, line->of.sealed.box.data, line->of.sealed.box.len, &text);
    if (fits)
        ok = take_text(line, &text, ARCHIVE_RECEIPT, err);
    buf_clear(&text);
    if (ok)
        *opened = fits;
    return ok;
}

static bool open_row(struct archive_line *line, struct hash settlement_key, bool *opened, struct err *err)
{
    enum archive_type type = line->type == ARCHIVE_SEALED_CONSUMER ? ARCHIVE_CONSUMER : ARCHIVE_BUNDLE;
    const struct buf *box = &line->of.sealed.box;
    struct box_nonce nonce;
    struct buf text;
    bool ok = true, fits = false;

    buf_init_max(&text, BUF_DEFAULT_MAX);
    if (box->len > sizeof nonce.b) {
        nonce = nonce_of(box->data);
        fits = box_open(&settlement_key, &nonce, box->data + sizeof nonce.b, box->len - sizeof nonce.b, &text);
    }
    if (fits)
        ok = take_text(line, &text, type, err);
    buf_clear(&text);
    if (ok)
        *opened = fits;
    return ok;
}

bool seal_open(struct archive_line *line, struct hash settlement_key, bool *opened, struct err *err)
{
    struct hash line_key;
    struct box_nonce nonce;
    struct buf key;
    bool ok = true, fits;

    if (is_sealed_row(line))
        return open_row(line, settlement_key, opened, err);
    *opened = line->type != ARCHIVE_SEALED;
    if (*opened || !line->of.sealed.has_wrap)
        return true;
    nonce = nonce_of(line->of.sealed.leaf.b);
    buf_init(&key);
    fits = box_open(&settlement_key, &nonce, line->of.sealed.wrap, ARCHIVE_WRAP, &key);
    if (fits) {
        memcpy(line_key.b, key.data, sizeof line_key.b);
        ok = seal_open_line(line, line_key, opened, err);
        mem_wipe(&line_key, sizeof line_key);
    }
    buf_wipe(&key);
    return ok;
}

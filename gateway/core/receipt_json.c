#include "gateway/core/receipt_json.h"

#define MEMBERS (RECEIPT_FIELDS + 2)
#define MEMBER_SIGNATURE RECEIPT_FIELDS
#define MEMBER_CONSUMER_SIGNATURE (RECEIPT_FIELDS + 1)

static const char *member_name(size_t member)
{
    return member < RECEIPT_FIELDS ? receipt_fields[member].name
         : member == MEMBER_SIGNATURE ? "signature" : "consumerSignature";
}

/* Members mostly come in the order of the type: the search goes on where the last one ended. */
static size_t find_member(const char *name, size_t from)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        size_t member = (from + i) % MEMBERS;

        if (strcmp(name, member_name(member)) == 0)
            return member;
    }
    return MEMBERS;
}

static void add_malformed(struct faults *faults, const char *name, const char *detail)
{
    char pointer[sizeof ((struct fault *)NULL)->pointer * 2] = "/";
    size_t len = 1;

    /* RFC 6901: ~ and / inside a name are escaped. */
    for (const char *c = name; *c != '\0' && len + 3 < sizeof pointer; c++) {
        if (*c == '~' || *c == '/') {
            pointer[len++] = '~';
            pointer[len++] = *c == '~' ? '0' : '1';
        } else {
            pointer[len++] = *c;
        }
    }
    pointer[len] = '\0';
    faults_add(faults, CODE_MALFORMED, pointer, "%s", detail);
}

/* NULL when the value fits and was taken, else the rule in words. */
static const char *read_field(const json *value, const struct receipt_field *f, struct receipt *r)
{
    void *at = (uint8_t *)r + f->offset;
    uint64_t number;

    switch (f->kind) {
    case FIELD_JOB_ID:
        return json_get_job_id(value, at) ? NULL : "a UUID in text form, 36 characters";
    case FIELD_ADDRESS:
        return json_get_address(value, at) ? NULL : "a string of 0x and 40 hex digits";
    case FIELD_HASH:
        return json_get_hash(value, at) ? NULL : "a string of 0x and 64 hex digits";
    case FIELD_COUNT:
        if (!json_get_u64(value, &number) || number > RECEIPT_COUNT_MAX)
            return "an integer from 0 to 2^53 - 1";
        memcpy(at, &number, sizeof number);
        return NULL;
    case FIELD_TIME:
        return json_get_u64(value, at) ? NULL : "an integer of Unix milliseconds";
    }
    bug("receipt field kind %d", (int)f->kind);
}

static const char *read_signature(const json *value, struct signature *signature, bool *has)
{
    if (!json_get_signature(value, signature))
        return "a string of 0x and 130 hex digits";
    *has = true;
    return NULL;
}

static const char *read_member(const json *value, size_t member, enum receipt_form form, struct signed_receipt *r)
{
    if (member < RECEIPT_FIELDS)
        return read_field(value, &receipt_fields[member], &r->receipt);
    if (member == MEMBER_CONSUMER_SIGNATURE)
        return read_signature(value, &r->consumer_signature, &r->has_consumer_signature);
    if (form == RECEIPT_BUNDLED)
        return "receipts of a bundle have no signature of their own";
    return read_signature(value, &r->signature, &r->has_signature);
}

static void add_missing(enum receipt_form form, const bool seen[MEMBERS], struct faults *faults)
{
    for (size_t i = 0; i < RECEIPT_FIELDS; i++)
        if (receipt_fields[i].required && !seen[i])
            add_malformed(faults, receipt_fields[i].name, "missing");
    if (form == RECEIPT_SINGLE && !seen[MEMBER_SIGNATURE])
        add_malformed(faults, "signature", "missing");
}

void receipt_from_json(const json *object, enum receipt_form form, struct signed_receipt *r, bool *has_job_id, struct faults *faults)
{
    bool seen[MEMBERS] = { false };
    void *cursor = NULL;
    const json *value;
    const char *name;
    size_t next = 0;

    memset(r, 0, sizeof *r);
    *has_job_id = false;
    if (json_kind_of(object) != JSON_KIND_OBJECT) {
        faults_add(faults, CODE_MALFORMED, "", "not an object");
        return;
    }
    while ((name = json_next_member(object, &cursor, &value)) != NULL) {
        size_t member = find_member(name, next);
        const char *rule = member == MEMBERS ? "unknown member" : read_member(value, member, form, r);

        if (rule != NULL)
            add_malformed(faults, name, rule);
        if (member == MEMBERS)
            continue;
        seen[member] = true;
        if (member == 0 && rule == NULL)
            *has_job_id = true;
        next = member + 1;
    }
    add_missing(form, seen, faults);
}

/* MEMBERS: none of ours; the cursor stands behind the closing quote. */
static size_t take_name(struct fast *c, size_t from)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        size_t member = (from + i) % MEMBERS, len = strlen(member_name(member));
        struct fast next = *c;

        if (fast_text(&next, member_name(member), len) && FAST(&next, "\"")) {
            *c = next;
            return member;
        }
    }
    return MEMBERS;
}

static bool take_value(struct fast *c, size_t member, enum receipt_form form, struct signed_receipt *r)
{
    if (member < RECEIPT_FIELDS)
        return fast_field(c, &receipt_fields[member], &r->receipt);
    if (member == MEMBER_CONSUMER_SIGNATURE)
        return r->has_consumer_signature = fast_hex(c, r->consumer_signature.b, sizeof r->consumer_signature.b);
    return form != RECEIPT_BUNDLED && (r->has_signature = fast_hex(c, r->signature.b, sizeof r->signature.b));
}

static bool is_whole(enum receipt_form form, const bool seen[MEMBERS])
{
    for (size_t i = 0; i < RECEIPT_FIELDS; i++)
        if (receipt_fields[i].required && !seen[i])
            return false;
    return form != RECEIPT_SINGLE || seen[MEMBER_SIGNATURE];
}

bool receipt_from_text(struct fast *c, enum receipt_form form, struct signed_receipt *r)
{
    bool seen[MEMBERS] = { false };
    size_t member = MEMBERS - 1;

    memset(r, 0, sizeof *r);
    if (!FAST(c, "{"))
        return false;
    do {
        fast_blanks(c);
        if (!FAST(c, "\"") || (member = take_name(c, member + 1)) == MEMBERS || seen[member])
            return false;
        seen[member] = true;
        fast_blanks(c);
        if (!FAST(c, ":"))
            return false;
        fast_blanks(c);
        if (!take_value(c, member, form, r))
            return false;
        fast_blanks(c);
    } while (FAST(c, ","));
    if (!FAST(c, "}") || !is_whole(form, seen))
        return false;
    fast_blanks(c);
    return true;
}

static void put_field(json *object, const struct receipt_field *f, const struct receipt *r)
{
    const void *at = (const uint8_t *)r + f->offset;

    switch (f->kind) {
    case FIELD_JOB_ID:
        json_put_job_id(object, f->name, *(const struct job_id *)at);
        return;
    case FIELD_ADDRESS:
        json_put_address(object, f->name, *(const struct address *)at);
        return;
    case FIELD_HASH:
        json_put_hash(object, f->name, *(const struct hash *)at);
        return;
    case FIELD_COUNT:
    case FIELD_TIME:
        json_put_u64(object, f->name, *(const uint64_t *)at);
        return;
    }
    bug("receipt field kind %d", (int)f->kind);
}

json *receipt_to_json(const struct signed_receipt *r)
{
    json *object = json_new_object();

    for (size_t i = 0; i < RECEIPT_FIELDS; i++)
        put_field(object, &receipt_fields[i], &r->receipt);
    if (r->has_signature)
        json_put_signature(object, "signature", &r->signature);
    if (r->has_consumer_signature)
        json_put_signature(object, "consumerSignature", &r->consumer_signature);
    return object;
}

json *faults_to_json(const struct faults *faults)
{
    json *array = json_new_array();

    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->list[i];
        json *object = json_new_object();

        json_put_text(object, "code", receipt_codes[fault->code].name);
        json_put_text(object, "pointer", fault->pointer);
        json_put_text(object, "detail", fault->detail);
        json_add(array, object);
    }
    return array;
}

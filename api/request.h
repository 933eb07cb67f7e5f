/* api/request.h - one HTTP request as a handler sees it, and what it may answer with (reply.h).
 *
 * All text is borrowed and lives as long as the request.  Helpers that read input fill the reply with a problem and
 * return false when the input does not fit, so a handler reads: `if (!request_...) return;`. */
#ifndef QUITTANCE_API_REQUEST_H
#define QUITTANCE_API_REQUEST_H

#include "api/forwarded.h"
#include "api/reply.h"
#include "api/room.h"
#include "gateway/lib/json.h"

struct api;
struct route;

#define REQUEST_QUERY_MAX 16
#define REQUEST_PARAMS_MAX 3
#define REQUEST_PARAM_MAX 96         /* bytes of one {parameter} of a path; longer paths name nothing */
#define REQUEST_BODY_MAX (8 * MIB)
#define REQUEST_UNFOLDS_LITTLE (1 * MIB)
#define REQUEST_REASON_MAX 200       /* characters of an operator's reason */
#define REQUEST_WHO_MAX 64

/* Each may what those before it may. */
enum access_role { ACCESS_ANYONE, ACCESS_VIEWER, ACCESS_OPERATOR, ACCESS_ADMIN };

/* NULL: not sent. */
struct request_headers {
    const char *host, *authorization, *content_type, *content_encoding, *content_length, *expect;
    const char *accept, *accept_encoding, *if_none_match, *prefer, *idempotency_key, *quittance_auth, *range, *if_range;
    const char *cookie, *origin, *csrf, *last_event_id;
};
struct query_pair { const char *name, *value; };               /* value NULL: `?name` */

struct request {
    struct api *api;
    const char *method, *path;                                 /* HEAD is given to handlers as GET */
    bool head;
    struct request_headers header;
    struct query_pair *query;                                  /* REQUEST_QUERY_MAX from the first on; owned, NULL: none */
    size_t query_count;
    const struct route *route;
    char param[REQUEST_PARAMS_MAX][REQUEST_PARAM_MAX];         /* the {parameters} in order */
    char who[REQUEST_WHO_MAX];                                 /* id of the API key, or the wallet, for the audit log */
    enum access_role role;
    struct hash session;                                       /* signed in at the desk: its id; else zero */
    struct ip client;                                          /* who asks, behind trusted proxies too */
    struct room_share room;                                    /* of the memory for all requests: what this one holds */
    size_t unfolds;                                            /* the most its JSON takes when read; 0: it is none */
    struct buf body;                                           /* unpacked; a zero byte follows it */
    /* A handler that cannot answer yet sets these; see request_wake. */
    struct {
        /* Called with the connection suspended; false: the reply is set and there is nothing to wait for. */
        bool (*start)(struct request *req, struct reply *reply);
        void (*finish)(struct request *req, struct reply *reply);    /* after the wake, on a thread that may read */
        void (*free_state)(void *state);
        void *state;
    } later;
};

/* Any thread, once, after later.start: the answer can be made now.  The request may be gone when this returns. */
void request_wake(struct request *req);

void request_add_query(struct request *req, const char *name, const char *value);      /* beyond REQUEST_QUERY_MAX: left out */
const char *request_query(const struct request *req, const char *name);                /* NULL: absent */
bool request_flag(const struct request *req, const char *name);                        /* ?name, ?name=1, ?name=true */
/* Whether a comma-separated header holds the token; parameters after ';' must not be q=0. */
bool header_has(const char *header, const char *token);
/* The media type alone equals `type`; a missing header does not. */
bool header_is_type(const char *header, const char *type);

bool request_address(const struct request *req, size_t param, struct address *a, struct reply *reply);
bool request_job_id(const struct request *req, size_t param, struct job_id *id, struct reply *reply);
bool request_hash(const struct request *req, size_t param, struct hash *h, struct reply *reply);
bool request_number(const struct request *req, size_t param, uint64_t *n, struct reply *reply);
MUST_USE bool request_json(const struct request *req, json **out, struct reply *reply);      /* the body; *out: json_free */
/* The body as an object with no members but these; no body is an empty object.  *out: json_free. */
bool request_object(const struct request *req, const char *const *names, size_t count, json **out, struct reply *reply);
/* The same, read: what a reader (fields.h) says of a member that does not fit is the 422. */
typedef bool body_fn(const json *object, void *into, struct err *err);
bool request_read(const struct request *req, const char *const *names, size_t count, body_fn *read, void *into, struct reply *reply);

#endif

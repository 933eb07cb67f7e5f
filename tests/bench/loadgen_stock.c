/* Requests made ahead of time, by as many threads as there are cores, and handed out in the order of their numbers. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/mem.h"
#include "gateway/node/line.h"
#include "gateway/node/sign.h"
#include "tests/bench/loadgen.h"

#define MAKERS_MAX 64
#define SPAN_MS 1000u                         /* of the jobs of one request */

struct stock {
    const struct settings *settings;
    pthread_t makers[MAKERS_MAX];
    size_t maker_count;
    pthread_mutex_t lock;                     /* of what follows */
    pthread_cond_t changed;
    uint64_t next, taken, waits;              /* number to make, number to hand out */
    struct slot { struct buf request; uint64_t number; bool ready; } *slots;      /* `ahead` of them: number n lies in n % ahead */
    bool stop;
};

struct group { struct spool_item *items; size_t count; };

static bool add_receipt(void *self, const struct receipt *receipt, struct err *err)
{
    struct group *g = self;

    (void)err;
    g->items[g->count++].receipt = (struct signed_receipt){ .receipt = *receipt };
    return true;
}

static void must(bool ok, const struct err *err)
{
    if (!ok)
        bug("%s", err->text);
}

static void sign_each(const struct settings *s, const struct signer *signer, struct group *g)
{
    struct signature sig;
    struct err err = { 0 };

    for (size_t i = 0; i < g->count; i++) {
        struct signed_receipt *r = &g->items[i].receipt;

        must(signer_sign_digest(signer, typed_digest(&s->domain, receipt_struct_hash(&r->receipt)), &sig, &err), &err);
        r->signature = sig;
        r->has_signature = true;
    }
}

static void encode(const struct settings *s, const struct signer *signer, struct group *g, struct buf *body, const char **type)
{
    static const enum group_form forms[] = { GROUP_ARRAY, GROUP_ARRAY, GROUP_BUNDLE, GROUP_BINARY };
    struct err err = { 0 };

    if (s->form == FORM_OBJECT || s->form == FORM_ARRAY)
        sign_each(s, signer, g);
    if (s->form == FORM_OBJECT) {
        *type = "Content-Type: application/json";
        line_write(&g->items[0].receipt, body);
    } else {
        must(group_encode(forms[s->form], signer, signer_address(signer), &s->domain, g->items, g->count, body, type, &err), &err);
    }
}

void request_make(const struct settings *s, uint64_t number, struct buf *request)
{
    const struct signer *signer = s->providers[number % s->provider_count];
    struct load load = { .seed = s->seed + number, .now_ms = clock_now_ms(&clock_system), .start_ms = s->start_ms, .count = s->per_request,
                         .span_ms = SPAN_MS, .provider = signer_address(signer), .model_count = s->model_count };
    struct group g = { .items = mem_array(s->per_request, sizeof *g.items) };
    const char *type = NULL;
    struct err err = { 0 };
    struct buf body;

    if (s->pace > 0)
        load.start_ms += number * s->per_request * 1000 / s->pace;
    memcpy(load.models, s->models, sizeof load.models);
    must(load_make(&load, add_receipt, &g, &err), &err);
    buf_init(&body);
    encode(s, signer, &g, &body, &type);
    buf_printf(request, "POST /v1/receipts HTTP/1.1\r\nHost: %s\r\n%s\r\nContent-Length: %zu\r\n%s\r\n", s->host, type, body.len,
               s->minimal ? "Prefer: return=minimal\r\n" : "");
    buf_add(request, body.data, body.len);
    if (request->failed || body.failed)
        bug("a request of %zu bytes", body.len);
    buf_clear(&body);
    free(g.items);
}

static bool is_wanted(const struct settings *s, uint64_t number)
{
    return s->wanted == NULL || s->wanted[number];
}

/* A sender may still wait for the one that lies there before. */
static void put(struct stock *stock, uint64_t number, struct buf request)
{
    struct slot *slot = &stock->slots[number % stock->settings->ahead];

    while (slot->number != number && !stock->stop)
        pthread_cond_wait(&stock->changed, &stock->lock);
    if (slot->number == number) {
        slot->request = request;
        slot->ready = true;
    } else {
        buf_clear(&request);
    }
}

static void *maker_main(void *self)
{
    struct stock *stock = self;
    const struct settings *s = stock->settings;

    pthread_mutex_lock(&stock->lock);
    for (;;) {
        struct buf request;
        uint64_t number;

        while (!stock->stop && stock->next < s->requests && stock->next >= stock->taken + s->ahead)
            pthread_cond_wait(&stock->changed, &stock->lock);
        if (stock->stop || stock->next >= s->requests)
            break;
        number = stock->next++;
        pthread_mutex_unlock(&stock->lock);
        buf_init(&request);
        if (is_wanted(s, number))
            request_make(s, number, &request);
        pthread_mutex_lock(&stock->lock);
        put(stock, number, request);
        pthread_cond_broadcast(&stock->changed);
    }
    pthread_mutex_unlock(&stock->lock);
    return NULL;
}

static bool all_ready(const struct stock *stock)
{
    uint64_t wanted = stock->settings->ahead < stock->settings->requests ? stock->settings->ahead : stock->settings->requests;

    for (uint64_t i = 0; i < wanted; i++)
        if (!stock->slots[i].ready)
            return false;
    return true;
}

struct stock *stock_new(const struct settings *settings)
{
    struct stock *stock = mem_new(sizeof *stock);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    stock->settings = settings;
    pthread_mutex_init(&stock->lock, NULL);
    pthread_cond_init(&stock->changed, NULL);
    stock->slots = mem_array(settings->ahead, sizeof *stock->slots);
    for (uint64_t i = 0; i < settings->ahead; i++)
        stock->slots[i].number = i;
    stock->maker_count = cores < 1 ? 1 : cores > MAKERS_MAX ? MAKERS_MAX : (size_t)cores;
    for (size_t i = 0; i < stock->maker_count; i++)
        if (pthread_create(&stock->makers[i], NULL, maker_main, stock) != 0)
            bug("no thread");
    pthread_mutex_lock(&stock->lock);
    while (!all_ready(stock))
        pthread_cond_wait(&stock->changed, &stock->lock);
    pthread_mutex_unlock(&stock->lock);
    return stock;
}

void stock_free(struct stock *stock)
{
    pthread_mutex_lock(&stock->lock);
    stock->stop = true;
    pthread_cond_broadcast(&stock->changed);
    pthread_mutex_unlock(&stock->lock);
    for (size_t i = 0; i < stock->maker_count; i++)
        pthread_join(stock->makers[i], NULL);
    for (uint64_t i = 0; i < stock->settings->ahead; i++)
        if (stock->slots[i].ready)
            buf_clear(&stock->slots[i].request);
    free(stock->slots);
    free(stock);
}

static bool take_next(struct stock *stock, uint64_t *number, struct buf *request)
{
    struct slot *slot;

    if (stock->taken >= stock->settings->requests)
        return false;
    *number = stock->taken++;
    slot = &stock->slots[*number % stock->settings->ahead];
    if (!slot->ready || slot->number != *number)
        stock->waits++;
    while (!slot->ready || slot->number != *number)
        pthread_cond_wait(&stock->changed, &stock->lock);
    *request = slot->request;
    slot->ready = false;
    slot->number += stock->settings->ahead;
    pthread_cond_broadcast(&stock->changed);
    return true;
}

bool stock_take(struct stock *stock, uint64_t *number, struct buf *request)
{
    bool found;

    pthread_mutex_lock(&stock->lock);
    do
        found = take_next(stock, number, request);
    while (found && !is_wanted(stock->settings, *number));
    pthread_mutex_unlock(&stock->lock);
    return found;
}

uint64_t stock_waits(struct stock *stock)
{
    uint64_t waits;

    pthread_mutex_lock(&stock->lock);
    waits = stock->waits;
    pthread_mutex_unlock(&stock->lock);
    return waits;
}

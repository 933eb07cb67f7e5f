#include "gateway/intake/snapshot.h"

#include "gateway/base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* `public` comes first: a snapshot's address is its box's. */
struct box {
    struct snapshot public;
    struct catalog *catalog;
    atomic_uint references;
};
struct snapshots {
    pthread_mutex_t lock;                     /* for current: taking and replacing must not cross */
    struct box *current;
};

static bool box_load(struct db *db, struct box **box, struct err *err)
{
    struct catalog *catalog;
    uint64_t settings;

    if (!store_catalog_load(db, &catalog, &settings, err))
        return false;
    *box = mem_new(sizeof **box);
    (*box)->public = (struct snapshot){ catalog, settings };
    (*box)->catalog = catalog;
    atomic_init(&(*box)->references, 1);
    return true;
}

bool snapshots_new(struct db *db, struct snapshots **snapshots, struct err *err)
{
    struct box *box;

    if (!box_load(db, &box, err))
        return false;
    *snapshots = mem_new(sizeof **snapshots);
    pthread_mutex_init(&(*snapshots)->lock, NULL);
    (*snapshots)->current = box;
    return true;
}

void snapshots_free(struct snapshots *snapshots)
{
    if (snapshots == NULL)
        return;
    snapshot_release(&snapshots->current->public);
    pthread_mutex_destroy(&snapshots->lock);
    free(snapshots);
}

bool snapshots_refresh(struct snapshots *snapshots, struct db *db, struct err *err)
{
    struct box *box, *old;
    uint64_t settings;
    bool current;

    if (!store_catalog_settings(db, &settings, err))
        return false;
    pthread_mutex_lock(&snapshots->lock);
    current = snapshots->current->public.settings >= settings;
    pthread_mutex_unlock(&snapshots->lock);
    if (current)
        return true;
    if (!box_load(db, &box, err))
        return false;
    pthread_mutex_lock(&snapshots->lock);
    old = snapshots->current;
    /* Another thread may have loaded a newer one meanwhile: it is never put back. */
    if (old->public.settings < box->public.settings)
        snapshots->current = box;
    else
        old = box;
    pthread_mutex_unlock(&snapshots->lock);
    snapshot_release(&old->public);
    return true;
}

bool snapshot_load(struct db *db, const struct snapshot **snapshot, struct err *err)
{
    struct box *box;

    if (!box_load(db, &box, err))
        return false;
    *snapshot = &box->public;
    return true;
}

const struct snapshot *snapshot_take(struct snapshots *snapshots)
{
    struct box *box;

    pthread_mutex_lock(&snapshots->lock);
    box = snapshots->current;
    atomic_fetch_add(&box->references, 1);
    pthread_mutex_unlock(&snapshots->lock);
    return &box->public;
}

void snapshot_release(const struct snapshot *snapshot)
{
    union { const struct snapshot *in; struct box *box; } u = { .in = snapshot };

    if (snapshot == NULL || atomic_fetch_sub(&u.box->references, 1) != 1)
        return;
    catalog_free(u.box->catalog);
    free(u.box);
}

/* api/model_shape.h - a model as it is answered: the registration, its state, its price now, its use. */
#ifndef QUITTANCE_API_MODEL_SHAPE_H
#define QUITTANCE_API_MODEL_SHAPE_H

#include "api/context.h"

struct model_view { struct api *api; struct db *db; const struct snapshot *snapshot; struct usage_sums open; };
bool model_view_begin(struct api *api, struct model_view *view, struct reply *reply);      /* false: the reply is set */
void model_view_end(struct model_view *view);
/* *out is owned by the caller. */
MUST_USE bool model_to_answer(const struct model_view *view, const struct model *m, json **out, struct err *err);
/* One claim, as it stands in the store. */
void model_reply(struct api *api, struct hash model, struct address creator, int status, struct reply *reply);

#endif

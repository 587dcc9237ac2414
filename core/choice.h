/* choice: a class drawn by the logits of a net. */
#pragma once
#include "core/random.h"

typedef struct ls_choice {
    double temperature; /* divides the logits; 0: the most probable class */
    long top;           /* of the most probable so many only; 0: of all */
    ls_random stream;
    double *weight; /* [classes], borrowed: scratch */
    real *order;    /* [classes], borrowed: scratch */
} ls_choice;

/* Draw number `draw` of the stream: class k with a probability proportional to
 * exp(logits[k] / temperature), in double. Of equal logits the first counts as more probable. A
 * function of the stream and the number. -1: a logit is NaN or +infinity, or all are -infinity. */
long ls_choice_draw(const ls_choice *s, const real *logits, long classes, uint64_t draw);

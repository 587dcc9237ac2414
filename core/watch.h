/* watch: where the time of a step goes. Who spends time on something (a workspace on a layer, the
 * sum over the ranks on a wait, the training loop on a batch) tells the watch that it was given of
 * each span as the span ends. Where nobody watches, no clock is read. */
#pragma once
/* What a span was spent on. A gradient holds the passes of layers and, where sums begin before it
 * is done, sums and waits; a step holds all others. */
typedef enum ls_span_kind {
    LS_SPAN_STEP,
    LS_SPAN_DATA,     /* until the rows of a batch are there */
    LS_SPAN_GRADIENT, /* of this rank's shards in one phase */
    LS_SPAN_FORWARD,  /* a pass through one layer */
    LS_SPAN_BACKWARD,
    LS_SPAN_WAIT, /* for other ranks */
    LS_SPAN_SUM,  /* over the ranks: additions, and messages that are under way */
    LS_SPAN_UPDATE,
    LS_SPAN_PREPARE, /* weights are packed anew */
    LS_SPAN_CHECKPOINT,
    LS_SPAN_EVALUATION,
    LS_SPAN_SAMPLES,
    LS_SPANS
} ls_span_kind;

typedef struct ls_span {
    double begin, end; /* ls_clock_now() */
    ls_span_kind kind;
    int index; /* of a pass, the layer of its net; of a step, its number in the run */
} ls_span;

typedef struct ls_watch {
    void (*note)(void *context, const ls_span *span);
    void *context;
} ls_watch;

/* When a span begins. `watch` may be NULL. */
double ls_watch_begin(const ls_watch *watch);
/* Tells of a span that ends now. `watch` may be NULL. */
void ls_watch_end(const ls_watch *watch, ls_span_kind kind, double begin);
/* The same of a pass or a step, which has an index. */
void ls_watch_end_of(const ls_watch *watch, ls_span_kind kind, int index, double begin);

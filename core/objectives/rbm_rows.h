/* rbm_rows: what the files of the objective rbm share: its options, the arrays for rows, and chains
 * of Gibbs sampling. */
#pragma once
#include "core/descent.h"
#include "core/objective.h"

/* Where the last chunk left a chain that is longer than a chunk. */
typedef struct ls_rbm_trail {
    const ls_generation *of; /* NULL: there was none */
    long chain, shown;       /* the last row of it that was shown */
} ls_rbm_trail;

/* Arrays for the rows of a shard or of a chunk. */
typedef struct ls_rbm_rows {
    long rows;            /* that there is room for */
    ls_workspace *below;  /* of the lines below the machine's; NULL: there are none */
    ls_boltzmann machine; /* run NULL: there are no arrays */
    double log_z;         /* of the machine, as `conclude` found it */
    real *pixels;         /* [rows, numbers of a row of the data] as drawn, with binarize */
    real *visible;        /* [2 rows, visible] of the data; then those of chains */
    real *slope;          /* [2 rows, hidden] means, then slopes of the loss by hidden inputs */
    real *hidden;         /* [rows, hidden] samples; room for ls_boltzmann_change */
    real *means;          /* [rows, visible] inputs of visible units, or means */
    double *energy;       /* [rows] */
    ls_rbm_trail trail;   /* its chain is in the second half of `visible` */
} ls_rbm_rows;

typedef struct ls_rbm {
    char net_name[LS_WORD], layer_name[LS_WORD];
    int visible_units, hidden_units, lowest_units; /* of the options' choices */
    long k, chains;
    bool binarize;
    double sparsity, sparsity_cost;
    const ls_net *net;
    int layer; /* of the net: the machine's line */
    long visible, hidden;
    int activity; /* number of the metric */
    ls_rbm_rows training, evaluation;
    ls_descent down; /* of a machine above others, for `generate`; count 0: it is not */
    real *begun;     /* [chains, visible] chains that nothing carries; NULL: not yet */
    bool ended;      /* under constants_stay: the chains have been moved, and stay where they are */
} ls_rbm;

/* The units of an option's choice. */
ls_boltzmann_units ls_rbm_visible_units(const ls_rbm *self);
ls_boltzmann_units ls_rbm_hidden_units(const ls_rbm *self);
ls_boltzmann_units ls_rbm_lowest_units(const ls_rbm *self);
/* The bytes of arrays for n rows; creates and destroys them. */
size_t ls_rbm_rows_bytes(const ls_rbm *self, long n);
ls_rbm_rows ls_rbm_rows_create(const ls_rbm *self, long n);
void ls_rbm_rows_destroy(ls_rbm_rows *rows);
/* The rows of a batch as the visible units see them: pixels drawn by them, means of the layers
 * below. */
const real *ls_rbm_see(const ls_rbm *self, const ls_rbm_rows *rows, const ls_batch *batch,
                       const ls_pass *pass);
/* Fills v[n, visible] with first values of chains first, first + 1, ... of a stream: pixels of 0 or
 * 1 by a coin, or numbers of N(0, 1). */
void ls_rbm_begin(const ls_rbm *self, ls_random stream, long first, long n, real *v);

/* Rows of chains that are moved together, and what their random numbers depend on besides the row:
 * those of step t are drawn by (seed, step, draw + t), the first row's number being `first`. */
typedef struct ls_rbm_chains {
    uint64_t seed, step;
    uint32_t draw;
    long first, rows;
    real *v; /* [rows, visible] where they are */
} ls_rbm_chains;

/* Moves chains by `steps` steps of Gibbs sampling, numbered from `from` on. */
void ls_rbm_move(const ls_rbm *self, const ls_rbm_rows *rows, const ls_rbm_chains *chains,
                 long from, long steps);
/* Hidden units drawn by their inputs and means, and visible units by these: step t's, down. The
 * means of visible units stay in rows->means. */
void ls_rbm_down(const ls_rbm_rows *rows, const ls_rbm_chains *chains, long t, const real *inputs,
                 const real *means);
/* The sum over n numbers of the squared difference. */
double ls_rbm_distance(long n, const real *v, const real *means);

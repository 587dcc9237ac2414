/* stall: what a watchdog concludes from the news of all nodes, and says of it. */
#pragma once
#include <stdio.h>

#include "dist/inquiry.h"

typedef struct ls_stall {
    const ls_inquiry *inquiry;
    int own;             /* the node that concludes */
    const ls_news *news; /* of it */
    double patience;     /* a node whose last datagram is older does not answer */
} ls_stall;

typedef struct ls_stall_verdict {
    double still;       /* seconds since any rank made progress, as far as is known */
    int speaker;        /* the first node that answers: it asks all others, and speaks for all */
    int late;           /* ranks, those of nodes that do not answer too */
    bool reader_halted; /* every late rank waits for somebody to read what it prints */
    bool unknown;       /* no rank is late, but there are nodes that can't be asked */
} ls_stall_verdict;

ls_stall_verdict ls_stall_judge(const ls_stall *stall);
/* Lines about late ranks, and about who waits for them. */
void ls_stall_print(const ls_stall *stall, FILE *out);

/* inquiry: what the watchdogs of several nodes tell each other, without MPI.
 *
 * While ranks make progress, nothing is sent, but for a few greetings at the start. The first node
 * that has come to a halt asks all others by UDP datagrams, which the watchdogs there answer at
 * once, whatever their ranks do; other nodes ask the first alone, so that thousands of nodes can.
 * Who gives no answer, though it did when the run began, is stopped as a whole, or cut off. */
#pragma once
#include "dist/board.h"
#include "dist/comm.h"
#include "dist/vitals.h"

/* A rank that others may wait for, or that waits. */
typedef struct ls_news_rank {
    int rank;
    double still; /* seconds since it made progress */
    ls_board_state state;
    ls_vitals_state vitals;
} ls_news_rank;

/* What a node knows of its ranks. */
enum { LS_NEWS_RANKS = 8 };
typedef struct ls_news {
    double still;     /* seconds since one of its ranks made progress */
    double all_still; /* since one of any node has, as far as this one knows */
    int late;         /* ranks that wait for no other, or can't; the first of them are told: */
    ls_news_rank rank[LS_NEWS_RANKS];
    int waiting;         /* all others */
    ls_news_rank waiter; /* the first of these */
} ls_news;

typedef struct ls_inquiry_node {
    char host[64];
    int first, ranks; /* its ranks are first, first + 1, ... */
    bool known;       /* a datagram has come from it */
    double age;       /* seconds since the last has */
    ls_news news;     /* of the last */
} ls_inquiry_node;

typedef struct ls_inquiry ls_inquiry;
typedef enum ls_inquiry_kind { LS_INQUIRY_ASK, LS_INQUIRY_ANSWER, LS_INQUIRY_END } ls_inquiry_kind;

/* **Collective.** The nodes as they are now. */
ls_inquiry *ls_inquiry_open(ls_comm *comm);
void ls_inquiry_close(ls_inquiry *inquiry);
/* A descriptor that can be read from when a datagram has come; -1: none ever will. */
int ls_inquiry_socket(const ls_inquiry *inquiry);
int ls_inquiry_nodes(const ls_inquiry *inquiry);
/* This rank's own node has known = false. */
const ls_inquiry_node *ls_inquiry_at(const ls_inquiry *inquiry, int node);
/* Sends news of this node to another: a question, the end of the job, or an answer, which must
 * follow ls_inquiry_receive. */
void ls_inquiry_send(ls_inquiry *inquiry, int node, ls_inquiry_kind kind, const ls_news *news);
/* Takes the next datagram: notes its news, and sets *node and *kind; false: there is none. */
bool ls_inquiry_receive(ls_inquiry *inquiry, int *node, ls_inquiry_kind *kind);
/* From here on it counts from which of the nodes first, first + 1, ... no datagram comes: their
 * ages are 0. */
void ls_inquiry_begin(ls_inquiry *inquiry, int first);
/* So many seconds have gone by. */
void ls_inquiry_age(ls_inquiry *inquiry, double seconds);

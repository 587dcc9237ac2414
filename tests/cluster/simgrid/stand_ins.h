/* stand_ins: what takes the place of memory and arithmetic in a simulation of many nodes. The
 * linker lets calls of dist and core arrive here (--wrap). */
#pragma once
#include <stdbool.h>

/* On every rank, before anything large is allocated. With `timed`, large arrays have no contents of
 * their own, and reals are not added: each that would be read or written takes the time of its
 * bytes at `memory` bytes a second. Else all is as it would be without simulation. */
void stand_in_begin(bool timed, double memory);
/* This rank owes so much of simulated time. */
void stand_in_spend(double seconds);
/* Lets the time that it owes go by: to be called before others may see what it does. */
void stand_in_settle(void);
/* Whether sums over the nodes are left out: for the first step, which learns the order of slots. */
void stand_in_silence(bool quiet);

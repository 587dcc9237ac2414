/* ranges: of the numbers that the nets of a job give, against what is asked of them. */
#pragma once
#include "launch/session/session.h"

/* A net whose outputs are taken as logits, which are any numbers, does not end in a line that makes
 * probabilities of them, or bounds them in another way: LS_USAGE. */
bool ls_ranges_check(const ls_session *session, ls_error *error);
/* Each channel of the training rows (each number, where a row is a vector) has mean 0 and deviation
 * 1, or is constant, where a stage's objective wants that: LS_DATA. All rows are read, unless a
 * sample of them is so. */
bool ls_ranges_standard(const ls_session *session, ls_error *error);
/* Whether there such a channel is constant: says so in text[size]. */
bool ls_ranges_constant(const ls_session *session, char *text, size_t size);
/* The least and the largest number in the first training rows, as the nets get them. False: they
 * can't be read. */
bool ls_ranges_data(const ls_session *session, double *least, double *most);
/* Whether a net that makes rows of the data, in a stage from `stage` on, can't make the numbers of
 * the data, or makes many that are none of the data's: says so in text[size]. */
bool ls_ranges_apart(const ls_session *session, long stage, char *text, size_t size);

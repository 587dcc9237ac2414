/* orthogonal: makes a random matrix orthogonal, as recurrent weights may start. */
#pragma once
#include "core/tensor.h"

/* Makes the rows of matrix[n, n] orthonormal, in their order (Gram and Schmidt's process, twice a
 * row). Of independent normal numbers it makes an orthogonal matrix of which none is more likely
 * than another (Mezzadri 2007). No row may be a sum of those above it. */
void ls_orthogonal_rows(real *matrix, long n);

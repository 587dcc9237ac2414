/* range: finds it in lanes that become vectors. */
#include "io/range.h"

#include "core/clones.h"

LS_CLONES void ls_range_find(long n, const real *restrict x, real *low, real *high)
{
    enum { LANES = 16 };
    real least[LANES], most[LANES];
    const long whole = n - n % LANES;
    for (int k = 0; k < LANES; k++)
        least[k] = most[k] = x[0];
    for (long i = 0; i < whole; i += LANES)
        for (int k = 0; k < LANES; k++) {
            least[k] = x[i + k] < least[k] ? x[i + k] : least[k];
            most[k] = x[i + k] > most[k] ? x[i + k] : most[k];
        }
    *low = *high = x[0];
    for (long i = whole; i < n; i++) {
        *low = x[i] < *low ? x[i] : *low;
        *high = x[i] > *high ? x[i] : *high;
    }
    for (int k = 0; k < LANES; k++) {
        *low = least[k] < *low ? least[k] : *low;
        *high = most[k] > *high ? most[k] : *high;
    }
}

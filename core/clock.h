/* clock: seconds that only go forward. */
#pragma once

double ls_clock_now(void);

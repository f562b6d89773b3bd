/* Tells callgrind where a workload begins and ends. Outside of valgrind each of these is a few instructions that do nothing. */
#include <valgrind/callgrind.h>

void mark_begin(void) {
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
}

void mark_end(const char *name) {
    CALLGRIND_DUMP_STATS_AT(name);
    CALLGRIND_STOP_INSTRUMENTATION;
}

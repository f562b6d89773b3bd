/* Tells callgrind where a workload begins and ends. Outside of valgrind each of these is a few instructions that do nothing. */
#include <valgrind/callgrind.h>

void mark_begin(void) {
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
}

/* Begins to count, or ends; for a run with --collect-atstart=no, between the other two. */
void mark_toggle(void) {
    CALLGRIND_TOGGLE_COLLECT;
}

void mark_end(const char *name) {
    CALLGRIND_DUMP_STATS_AT(name);
    CALLGRIND_STOP_INSTRUMENTATION;
}

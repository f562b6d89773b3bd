/* What the C libraries that wheels are built with (glibc 2.28, musl) do not declare, though the kernel has it. */
#ifndef SIMPLESTCHAT_PORTABLE_H
#define SIMPLESTCHAT_PORTABLE_H

#include <netinet/udp.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441 /* on every architecture */
#endif

/* Without a signal mask. A 64-bit timespec is the kernel's own. */
static inline int nanosecond_epoll_wait(int epoll, struct epoll_event* events, int cap, const struct timespec* timeout) {
    return (int)syscall(SYS_epoll_pwait2, epoll, events, cap, timeout, (void*)0, (size_t)0);
}

#endif

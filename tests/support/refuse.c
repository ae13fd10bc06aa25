/* A system that refuses: preloaded into supervisord, it makes chosen calls fail. Built and used by support/refusals.rs.
 *
 * The file that MAJORDOMO_REFUSALS names has a line for each rule: the call, the error's number, once in how many times,
 * and how the path begins that it is about ("-": any). It is read again at each call, so a test changes it as it likes.
 * Error 0 is no error: half of what was to be written is taken. What was refused is added to <file>.done, a line each.
 * For "clock" the number is by how many seconds the wall clock is wrong.
 * Programs that supervisord runs inherit this, and are left alone. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real(#name))
#define RULES 8

static const char *rules_file;
static int last_number;
static unsigned long counts[RULES];

static void *real(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

/* Past all wrappers of this file. */
static long ask(long number, long a, long b, long c, long d) {
    static long (*call)(long, ...);
    if (!call) call = (long (*)(long, ...))real("syscall");
    return call(number, a, b, c, d, 0L, 0L);
}

__attribute__((constructor)) static void begin(void) {
    char program[4096];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    if (size <= 0) return;
    program[size] = 0;
    const char *name = strrchr(program, '/');
    if (name && strcmp(name, "/supervisord") == 0) rules_file = getenv("MAJORDOMO_REFUSALS");
}

/* Whether this call is to fail (1), to do half (2), or to do all (0). */
static int refused(const char *call, const char *path) {
    char text[4096], word[32], prefix[1024];
    int before = errno, number, used, at = 0;
    unsigned every;
    if (!rules_file) return 0;
    int fd = ask(SYS_openat, AT_FDCWD, (long)rules_file, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        errno = before;
        return 0;
    }
    ssize_t size = ask(SYS_read, fd, (long)text, sizeof text - 1, 0);
    ask(SYS_close, fd, 0, 0, 0);
    text[size > 0 ? size : 0] = 0;
    errno = before;
    for (char *line = text; at < RULES && sscanf(line, "%31s %d %u %1023s%n", word, &number, &every, prefix, &used) == 4;
         line += used, at++) {
        if (strcmp(word, call) != 0) continue;
        if (strcmp(prefix, "-") != 0 && (!path || strncmp(path, prefix, strlen(prefix)) != 0)) continue;
        if (++counts[at] % every != 0) continue;
        last_number = number;
        if (strcmp(call, "clock") == 0) return 1;
        char done[1040], told[1100];
        snprintf(done, sizeof done, "%s.done", rules_file);
        int length = snprintf(told, sizeof told, "%s %d %s\n", call, number, path ? path : "-");
        int log = ask(SYS_openat, AT_FDCWD, (long)done, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (log >= 0) {
            ask(SYS_write, log, (long)told, length, 0);
            ask(SYS_close, log, 0, 0, 0);
        }
        errno = number ? number : before;
        return number ? 1 : 2;
    }
    return 0;
}

/* The same for what a descriptor leads to. */
static int refused_fd(const char *call, int fd) {
    char link[64], path[1024];
    int before = errno;
    if (!rules_file) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long size = ask(SYS_readlinkat, AT_FDCWD, (long)link, (long)path, sizeof path - 1);
    path[size > 0 ? size : 0] = 0;
    errno = before;
    return refused(call, path);
}

/* And for a name in a folder that a descriptor leads to. */
static int refused_at(const char *call, int folder, const char *name) {
    char link[64], path[2048];
    int before = errno;
    if (!rules_file) return 0;
    if (name[0] == '/' || folder == AT_FDCWD) return refused(call, name);
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    long size = ask(SYS_readlinkat, AT_FDCWD, (long)link, (long)path, 1000);
    errno = before;
    if (size <= 0) return refused(call, name);
    snprintf(path + size, sizeof path - size, "/%s", name);
    return refused(call, path);
}

static size_t half(size_t size) {
    return size > 1 ? size / 2 : size;
}

ssize_t write(int fd, const void *bytes, size_t size) {
    switch (refused_fd("write", fd)) {
        case 1: return -1;
        case 2: size = half(size);
    }
    return REAL(write)(fd, bytes, size);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags) {
    switch (refused_fd("send", fd)) {
        case 1: return -1;
        case 2: size = half(size);
    }
    return REAL(send)(fd, bytes, size, flags);
}

ssize_t read(int fd, void *bytes, size_t size) {
    return refused_fd("read", fd) == 1 ? -1 : REAL(read)(fd, bytes, size);
}

ssize_t recv(int fd, void *bytes, size_t size, int flags) {
    return refused_fd("recv", fd) == 1 ? -1 : REAL(recv)(fd, bytes, size, flags);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t at) {
    return refused_fd("pread", fd) == 1 ? -1 : REAL(pread64)(fd, bytes, size, at);
}

int ftruncate(int fd, off_t size) {
    return refused_fd("ftruncate", fd) == 1 ? -1 : REAL(ftruncate)(fd, size);
}

/* What openat2 is asked for comes here. */
long syscall(long number, ...) {
    long words[6];
    va_list list;
    va_start(list, number);
    for (int at = 0; at < 6; at++) words[at] = va_arg(list, long);
    va_end(list);
    if (number == SYS_openat2 && refused("open", (const char *)words[1]) == 1) return -1;
    if (number == SYS_renameat2 && refused_at("rename", words[0], (const char *)words[1]) == 1) return -1;
    static long (*call)(long, ...);
    if (!call) call = (long (*)(long, ...))real("syscall");
    return call(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

int openat(int folder, const char *name, int flags, ...) {
    va_list list;
    va_start(list, flags);
    int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, int) : 0;
    va_end(list);
    return refused_at("open", folder, name) == 1 ? -1 : REAL(openat)(folder, name, flags, mode);
}

int renameat(int from, const char *old, int to, const char *new) {
    return refused_at("rename", from, old) == 1 ? -1 : REAL(renameat)(from, old, to, new);
}

int unlinkat(int folder, const char *name, int flags) {
    return refused_at("unlink", folder, name) == 1 ? -1 : REAL(unlinkat)(folder, name, flags);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    return refused("accept", NULL) == 1 ? -1 : REAL(accept4)(fd, address, length, flags);
}

int pipe2(int ends[2], int flags) {
    return refused("pipe", NULL) == 1 ? -1 : REAL(pipe2)(ends, flags);
}

int kill(pid_t pid, int signal) {
    return refused("kill", NULL) == 1 ? -1 : REAL(kill)(pid, signal);
}

pid_t waitpid(pid_t pid, int *status, int options) {
    return refused("wait", NULL) == 1 ? -1 : REAL(waitpid)(pid, status, options);
}

int epoll_wait(int fd, struct epoll_event *events, int count, int timeout) {
    return refused("epoll_wait", NULL) == 1 ? -1 : REAL(epoll_wait)(fd, events, count, timeout);
}

int epoll_ctl(int fd, int what, int other, struct epoll_event *event) {
    if (what == EPOLL_CTL_ADD && refused_fd("epoll_add", other) == 1) return -1;
    return REAL(epoll_ctl)(fd, what, other, event);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = REAL(clock_gettime)(clock, time);
    if (clock == CLOCK_REALTIME && refused("clock", NULL) == 1) time->tv_sec += last_number;
    return result;
}

int clone(int (*act)(void *), void *stack, int flags, void *arg, ...) {
    long words[3];
    va_list list;
    va_start(list, arg);
    for (int at = 0; at < 3; at++) words[at] = va_arg(list, long);
    va_end(list);
    if (refused("clone", NULL) == 1) return -1;
    if (!(flags & CLONE_VFORK) && refused("clone-detached", NULL) == 1) return -1;
    return REAL(clone)(act, stack, flags, arg, words[0], words[1], words[2]);
}

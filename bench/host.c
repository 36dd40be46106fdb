/*
 * host.c - what Lua lacks for the harness: child processes with both ends of
 * their console, and a clock.  The Lua module "bench.host".
 *
 *   host.now()               seconds by the monotonic clock
 *   host.cpus()              CPUs of this machine that may be used
 *   host.listens(path)       whether there is a socket
 *   host.spawn{prog, ...}    a child
 *   child:read(seconds)      what came: data, time, CPU time of the child; or nil, "timeout" |
 * "end" child:write(data) child:pause(), child:go() child:kill()             it and its own
 * children child:wait()             how it ended child.pid
 *
 * A child has a process group of its own and is killed when this process ends, however.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

#define CHILD "bench.child"

struct child {
    pid_t pid;
    int in, out; /* ends of the pipes to its standard input and from its output; -1: closed */
    bool alive;  /* not yet waited for */
    int status;  /* as of wait(); valid if not alive */
};

static double seconds(clockid_t clock)
{
    struct timespec t = {0};

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int host_now(lua_State *L)
{
    lua_pushnumber(L, seconds(CLOCK_MONOTONIC));
    return 1;
}

static int host_cpus(lua_State *L)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof(set), &set);
    lua_pushinteger(L, CPU_COUNT(&set));
    return 1;
}

static int host_listens(lua_State *L)
{
    struct stat st;

    lua_pushboolean(L, !stat(luaL_checkstring(L, 1), &st) && S_ISSOCK(st.st_mode));
    return 1;
}

static _Noreturn void become(char **argv, const int in[2], const int out[2], pid_t parent)
{
    sigset_t none;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(out[1], STDERR_FILENO);
    execvp(argv[0], argv);
    dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* The table's strings stay on the Lua stack, which keeps them alive. */
static char **arguments(lua_State *L, int index)
{
    lua_Integer n = luaL_len(L, index);
    char **argv = lua_newuserdata(L, (size_t)(n + 1) * sizeof(*argv));

    luaL_checkstack(L, (int)n + 8, NULL);
    for (lua_Integer i = 0; i < n; i++) {
        lua_geti(L, index, i + 1);
        argv[i] = (char *)luaL_checkstring(L, -1);
    }
    argv[n] = NULL;
    luaL_argcheck(L, n > 0, index, "no program");
    return argv;
}

static int host_spawn(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    char **argv = arguments(L, 1);
    struct child *c = lua_newuserdata(L, sizeof(*c));
    int in[2], out[2];
    pid_t self = getpid();

    *c = (struct child){.in = -1, .out = -1};
    luaL_setmetatable(L, CHILD);
    if (pipe2(in, O_CLOEXEC))
        return luaL_error(L, "pipe: %s", strerror(errno));
    if (pipe2(out, O_CLOEXEC)) {
        close(in[0]);
        close(in[1]);
        return luaL_error(L, "pipe: %s", strerror(errno));
    }
    c->in = in[1];
    c->out = out[0];
    c->pid = fork();
    if (!c->pid)
        become(argv, in, out, self);
    close(in[0]);
    close(out[1]);
    if (c->pid < 0)
        return luaL_error(L, "fork: %s", strerror(errno));
    setpgid(c->pid, c->pid);
    c->alive = true;
    return 1;
}

static struct child *self(lua_State *L)
{
    return luaL_checkudata(L, 1, CHILD);
}

static double cpu_time(const struct child *c)
{
    clockid_t clock;

    return clock_getcpuclockid(c->pid, &clock) ? 0 : seconds(clock);
}

static int refuse(lua_State *L, const char *why)
{
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

static int child_read(lua_State *L)
{
    struct child *c = self(L);
    struct pollfd p = {.fd = c->out, .events = POLLIN};
    double wait = luaL_checknumber(L, 2);
    char data[65536];

    /* A signal (Ctrl-C) looks like the time's end: Lua then acts on it. */
    if (poll(&p, 1, wait > 0 ? (int)(wait * 1000) + 1 : 0) <= 0)
        return refuse(L, "timeout");
    double now = seconds(CLOCK_MONOTONIC), used = cpu_time(c);
    ssize_t n = read(c->out, data, sizeof(data));
    if (n <= 0)
        return refuse(L, "end");
    lua_pushlstring(L, data, (size_t)n);
    lua_pushnumber(L, now);
    lua_pushnumber(L, used);
    return 3;
}

static int child_write(lua_State *L)
{
    struct child *c = self(L);
    size_t len;
    const char *data = luaL_checklstring(L, 2, &len);

    while (len && c->in >= 0) {
        ssize_t n = write(c->in, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return refuse(L, strerror(errno));
        data += n;
        len -= (size_t)n;
    }
    lua_pushboolean(L, 1);
    return 1;
}

static void send(const struct child *c, int number)
{
    if (c->alive)
        kill(-c->pid, number);
}

static int child_pause(lua_State *L)
{
    send(self(L), SIGSTOP);
    return 0;
}

static int child_go(lua_State *L)
{
    send(self(L), SIGCONT);
    return 0;
}

static void reap(struct child *c)
{
    if (!c->alive)
        return;
    while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
        ;
    c->alive = false;
}

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int child_wait(lua_State *L)
{
    struct child *c = self(L);

    shut(&c->in);
    reap(c);
    lua_pushinteger(L, WIFEXITED(c->status) ? WEXITSTATUS(c->status) : 128 + WTERMSIG(c->status));
    return 1;
}

static int child_kill(lua_State *L)
{
    struct child *c = self(L);

    send(c, SIGKILL);
    shut(&c->in);
    shut(&c->out);
    reap(c);
    return 0;
}

static int child_index(lua_State *L)
{
    struct child *c = self(L);
    const char *name = luaL_checkstring(L, 2);

    if (!strcmp(name, "pid"))
        lua_pushinteger(L, c->pid);
    else
        luaL_getmetafield(L, 1, name);
    return 1;
}

static const luaL_Reg child_methods[] = {
    {"read", child_read},     {"write", child_write}, {"pause", child_pause},  {"go", child_go},
    {"wait", child_wait},     {"kill", child_kill},   {"__close", child_kill}, {"__gc", child_kill},
    {"__index", child_index}, {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"now", host_now},     {"cpus", host_cpus}, {"listens", host_listens},
    {"spawn", host_spawn}, {NULL, NULL},
};

int luaopen_bench_host(lua_State *L);

int luaopen_bench_host(lua_State *L)
{
    signal(SIGPIPE, SIG_IGN); /* a child that is gone is said by write */
    luaL_newmetatable(L, CHILD);
    luaL_setfuncs(L, child_methods, 0);
    luaL_newlib(L, functions);
    return 1;
}

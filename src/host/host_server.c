/* host_server.c - see host_server.h.  The protocol is that of sd_listen_fds(3). */
#include "host/host_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem_alloc.h"
#include "base/vec.h"
#include "host/host_clock.h"

#define LISTEN_FD   3 /* where a service finds its socket */
#define PID_DIGITS  10
#define PATIENCE_NS UINT64_C(60000000000) /* what it gets to write out what it has */
#define SAID_MAX    4096
#define NO_PROGRAM  127 /* the status of a shell's too */

struct host_server {
    char *program, *package;
    char *told; /* its last argument */
    pid_t pid;
    int says; /* its standard error; at its end, the program has ended */
};

/* What the child needs, made before there are two processes. */
struct child {
    char *const *argv;
    struct {
        VEC(char *);
    } env;
    char listen_pid[sizeof "LISTEN_PID=" + PID_DIGITS];
    pid_t parent;
    int listener, null, says;
};

/* ---- the socket ---- */

/* A name in a folder that nobody else may look into, for as long as it takes to connect. */
static int listen_and_connect(const struct sockaddr_un *a, int *listener, int *fd)
{
    *listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*listener < 0 || *fd < 0 || bind(*listener, (const struct sockaddr *)a, sizeof *a) ||
        listen(*listener, 1) || connect(*fd, (const struct sockaddr *)a, sizeof *a))
        return -errno;
    return 0;
}

static int open_sockets(int *listener, int *fd, struct err *e)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char dir[] = "/tmp/glovebox.XXXXXX";
    int rc;

    if (!mkdtemp(dir))
        return err_sys(e, errno, "%s: cannot make a folder for a socket", dir);
    snprintf(a.sun_path, sizeof a.sun_path, "%s/s", dir);
    rc = listen_and_connect(&a, listener, fd);
    unlink(a.sun_path);
    rmdir(dir);
    return rc ? err_sys(e, -rc, "%s: cannot make a socket", a.sun_path) : 0;
}

/* ---- the child ---- */

static void set_pid(char *text, pid_t pid)
{
    char digits[PID_DIGITS];
    size_t n = 0;

    do
        digits[n++] = (char)('0' + pid % 10);
    while ((pid /= 10));
    while (n)
        *text++ = digits[--n];
    *text = 0;
}

/* With calls that are safe between fork and exec.  What else is ignored here stays so: writes that
 * meet a limit or a closed pipe are errors for it, too. */
__attribute__((noreturn)) static void run_child(struct child *c)
{
    sigset_t none;

    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != c->parent)
        _exit(1);
    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    set_pid(c->listen_pid + strlen("LISTEN_PID="), getpid());
    /* the descriptors here are above LISTEN_FD: the standard ones are open */
    if (dup2(c->null, STDIN_FILENO) >= 0 && dup2(c->null, STDOUT_FILENO) >= 0 &&
        dup2(c->says, STDERR_FILENO) >= 0 && dup2(c->listener, LISTEN_FD) >= 0)
        execvpe(c->argv[0], c->argv, c->env.data);
    _exit(NO_PROGRAM);
}

static void fill_env(struct child *c)
{
    static char fds[] = "LISTEN_FDS=1";

    for (char **v = environ; *v; v++)
        if (strncmp(*v, "LISTEN_", 7))
            vec_push(&c->env, *v);
    memcpy(c->listen_pid, "LISTEN_PID=", sizeof "LISTEN_PID=");
    vec_push(&c->env, fds);
    vec_push(&c->env, c->listen_pid);
    vec_push(&c->env, NULL);
}

/* A descriptor above LISTEN_FD, so that none is lost under another there. */
static int move_up(int fd)
{
    int up = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, LISTEN_FD + 1);

    if (fd >= 0)
        close(fd);
    return up;
}

/* Its standard error is a pipe that does not wait: more than it holds is lost, and nobody has to
 * read it. */
static int start(struct child *c, struct host_server *s, struct err *e)
{
    int pipes[2] = {-1, -1};

    fill_env(c);
    c->parent = getpid();
    c->null = move_up(open("/dev/null", O_RDWR | O_CLOEXEC));
    c->listener = move_up(c->listener);
    if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) == 0)
        c->says = move_up(pipes[1]);
    s->says = pipes[0];
    s->pid = c->null < 0 || c->listener < 0 || c->says < 0 ? -1 : fork();
    if (!s->pid)
        run_child(c);
    return s->pid < 0 ? err_sys(e, errno, "%s: cannot start it", c->argv[0]) : 0;
}

static void close_if(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void server_free(struct host_server *s)
{
    close_if(s->says);
    free(s->program);
    free(s->package);
    free(s->told);
    free(s);
}

struct host_server *host_server_start(char *const argv[], const char *package, int *fd,
                                      struct err *e)
{
    struct host_server *s = xcalloc(1, sizeof *s);
    struct child c = {.argv = argv, .listener = -1, .null = -1, .says = -1};
    int rc;

    *fd = s->says = -1;
    s->program = xstrdup(argv[0]);
    s->package = xstrdup(package);
    while (*++argv)
        ;
    s->told = xstrdup(argv[-1]);
    rc = open_sockets(&c.listener, fd, e);
    rc = rc ? rc : start(&c, s, e);
    close_if(c.listener);
    close_if(c.null);
    close_if(c.says);
    vec_fini(&c.env);
    if (!rc)
        return s;
    close_if(*fd);
    server_free(s);
    return NULL;
}

/* ---- its end ---- */

/* Whether its standard error ended in time, which is read into `said`. */
static bool hear_out(struct host_server *s, struct buf *said)
{
    uint64_t until = host_monotonic_ns() + PATIENCE_NS;
    struct pollfd p = {.fd = s->says, .events = POLLIN};
    char text[512];
    ssize_t n;

    for (;;) {
        if (!host_wait(&p, 1, until))
            return false;
        n = read(s->says, text, sizeof text);
        if (n == 0)
            return true;
        if (n > 0 && said->len + (size_t)n <= SAID_MAX)
            buf_add(said, text, (size_t)n);
    }
}

/* One line; what it was told is not repeated, nor what stands before that. */
static void tidy(struct buf *said, const char *told)
{
    char *at = strstr(said->data, told);
    size_t skip = at ? (size_t)(at - said->data) + strlen(told) : 0;

    skip += strspn(said->data + skip, "': ");
    memmove(said->data, said->data + skip, said->len - skip + 1);
    said->len -= skip;
    while (said->len && said->data[said->len - 1] == '\n')
        said->data[--said->len] = 0;
    for (size_t i = 0; i < said->len; i++)
        if ((unsigned char)said->data[i] < ' ')
            said->data[i] = ' ';
}

int host_server_end(struct host_server *s, struct buf *said)
{
    bool in_time;
    int status = 0;

    kill(s->pid, SIGTERM);
    in_time = hear_out(s, said);
    if (!in_time)
        kill(s->pid, SIGKILL);
    while (waitpid(s->pid, &status, in_time ? 0 : WNOHANG) < 0 && errno == EINTR)
        ;
    status = !in_time            ? -ETIMEDOUT
             : WIFEXITED(status) ? WEXITSTATUS(status)
                                 : 128 + WTERMSIG(status);
    if (said->len)
        tidy(said, s->told);
    else if (status == NO_PROGRAM)
        buf_fmt(said, "%s cannot be run (Debian package %s)", s->program, s->package);
    else if (status == -ETIMEDOUT)
        buf_fmt(said, "%s did not end and was killed", s->program);
    else if (status)
        buf_fmt(said, "%s ended with status %d", s->program, status);
    server_free(s);
    return status;
}

/* console.c - see console.h. */
#include "script/console.h"

#include <errno.h>
#include <stdio.h> /* before readline.h, which needs FILE */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "base/mem_alloc.h"

struct script_console {
    char *prompt;
    script_complete_fn *complete;
    void *opaque;
    bool shown;
    unsigned offered;        /* completions in this series, but one */
    enum script_input state; /* of the feed in progress */
    char *line;
};

/* Readline's callbacks are given nothing of ours: see console.h. */
static struct script_console *active;

static void on_line(char *line)
{
    struct script_console *c = active;

    c->state = line ? SCRIPT_LINE : SCRIPT_END;
    c->line = line;
    script_console_hide(c);
    if (!line)
        (void)!write(STDOUT_FILENO, "\n", 1);
    else if (*line)
        add_history(line);
}

/* Readline counts from 0 by asking with state 0 first. */
static char *match(const char *text, int state)
{
    struct script_console *c = active;
    char *line = xstrdup(rl_line_buffer), *found;

    (void)text;
    line[rl_point] = 0;
    c->offered = state ? c->offered + 1 : 0;
    found = c->complete(c->opaque, line, c->offered);
    free(line);
    return found;
}

static char **matches(const char *text, int start, int end)
{
    (void)start, (void)end;
    rl_attempted_completion_over = 1; /* no file names */
    return rl_completion_matches(text, match);
}

struct script_console *script_console_new(const char *prompt, script_complete_fn *complete,
                                          void *opaque, struct err *e)
{
    struct script_console *c;

    if (active) {
        err_set(e, EBUSY, "there is a console already");
        return NULL;
    }
    c = xcalloc(1, sizeof *c);
    c->prompt = xstrdup(prompt);
    c->complete = complete;
    c->opaque = opaque;
    active = c;
    rl_readline_name = "glovebox";
    rl_catch_signals = 0;
    rl_catch_sigwinch = 1;
    rl_attempted_completion_function = matches;
    rl_basic_word_break_characters = " \t";
    using_history();
    stifle_history(1000);
    return c;
}

void script_console_free(struct script_console *c)
{
    if (!c)
        return;
    script_console_hide(c);
    rl_attempted_completion_function = NULL;
    clear_history();
    active = NULL;
    free(c->prompt);
    free(c);
}

void script_console_show(struct script_console *c)
{
    if (!c->shown)
        rl_callback_handler_install(c->prompt, on_line);
    c->shown = true;
}

void script_console_hide(struct script_console *c)
{
    if (c->shown)
        rl_callback_handler_remove();
    c->shown = false;
}

enum script_input script_console_feed(struct script_console *c, char **line)
{
    c->state = SCRIPT_MORE;
    c->line = NULL;
    if (c->shown)
        rl_callback_read_char();
    *line = c->line;
    return c->state;
}

void script_console_cancel(struct script_console *c)
{
    if (!c->shown)
        return;
    (void)!write(STDOUT_FILENO, "^C\n", 3);
    rl_free_line_state();
    rl_callback_sigcleanup();
    rl_replace_line("", 1);
    rl_on_new_line();
    rl_redisplay();
}

/*
 * memory.c - m, M, x, X, qSearch:memory, qCRC: memory as the CPU sees it, or physical
 * (Qqemu.PhyMemMode).  Devices are not touched.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"
#include "cpu/cpu.h"
#include "gdbstub/session.h"

#define READ_MAX (GDB_PACKET_MAX / 2 - 16) /* bytes that fit into a packet as digits */
#define CHUNK    65536u
#define WALK_MAX (UINT64_C(1) << 30) /* bytes that a search or a sum may go through: nothing ends one */

static uint64_t peek(struct gdb_job *j, uint64_t addr, void *buf, uint64_t len)
{
    if (gdb_frame(j->s))
        return gdb_frame_memory(j, addr, buf, len);
    return j->s->phys ? mem_peek(machine_mem(j->m), addr, buf, len)
                      : cpu_peek(j->c, addr, buf, len);
}

static uint64_t poke(struct gdb_job *j, uint64_t addr, const void *buf, uint64_t len)
{
    if (gdb_frame(j->s)) /* the past cannot be changed */
        return 0;
    return j->s->phys ? mem_poke(machine_mem(j->m), addr, buf, len)
                      : cpu_poke(j->c, addr, buf, len);
}

/* What of [addr, addr + len) is there, malloc'ed; *got bytes.  NULL: nothing, and an error is sent. */
static uint8_t *read_some(struct gdb_job *j, uint64_t *got)
{
    uint64_t addr, len;
    uint8_t *data;

    if (!gdb_hex_then(&j->a.p, ',', &addr) || !gdb_hex(&j->a.p, &len) ||
        (*j->a.p && *j->a.p != ';')) {
        gdb_error(j->s, EINVAL, "memory: not like ADDRESS,LENGTH");
        return NULL;
    }
    len = len < READ_MAX ? len : READ_MAX;
    data = xmalloc(len + 1);
    *got = peek(j, addr, data, len);
    if (*got || !len)
        return data;
    free(data);
    gdb_error(j->s, EFAULT, "there is no memory at that address");
    return NULL;
}

static void read_hex(struct gdb_job *j)
{
    uint64_t got;
    uint8_t *data = read_some(j, &got);

    if (data)
        gdb_put_hex(&j->s->reply, data, got);
    free(data);
}

void gdb_m(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, read_hex, a);
}

/* LLDB wants the bytes alone, and asks for none to see whether it can have them. */
static void read_binary(struct gdb_job *j)
{
    uint64_t got;
    uint8_t *data = read_some(j, &got);

    if (data && !j->s->thread_suffix)
        buf_ch(&j->s->reply, 'b');
    else if (data && !got)
        gdb_ok(j->s);
    if (data)
        buf_add(&j->s->reply, data, got);
    free(data);
}

void gdb_x(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, read_binary, a);
}

/* "ADDRESS,LENGTH:" and then the bytes, of which there are *len; false, and an error is sent. */
static bool write_head(struct gdb_job *j, uint64_t *addr, uint64_t *len)
{
    const char *start = j->a.p;

    if (gdb_hex_then(&j->a.p, ',', addr) && gdb_hex_then(&j->a.p, ':', len)) {
        j->a.len -= (size_t)(j->a.p - start);
        return true;
    }
    gdb_error(j->s, EINVAL, "memory: not like ADDRESS,LENGTH:BYTES");
    return false;
}

static void write_bytes(struct gdb_job *j, uint64_t addr, const void *data, uint64_t len)
{
    if (poke(j, addr, data, len) == len)
        gdb_ok(j->s);
    else
        gdb_error(j->s, EFAULT, "not all of that is memory");
}

static void write_binary(struct gdb_job *j)
{
    uint64_t addr, len;

    if (!write_head(j, &addr, &len))
        return;
    if (len != j->a.len)
        gdb_error(j->s, EINVAL, "X: there are more or fewer bytes than it says");
    else
        write_bytes(j, addr, j->a.p, len);
}

void gdb_X(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, write_binary, a);
}

static void write_hex(struct gdb_job *j)
{
    uint64_t addr, len;
    uint8_t *data;

    if (!write_head(j, &addr, &len))
        return;
    data = xmalloc(j->a.len / 2 + 1);
    if (j->a.len / 2 != len || gdb_get_hex(j->a.p, j->a.len, data) < 0)
        gdb_error(j->s, EINVAL, "M: the bytes are not right, or not as many as it says");
    else
        write_bytes(j, addr, data, len);
    free(data);
}

void gdb_M(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, write_hex, a);
}

/* ---- through much of it ---- */

/* A part of a search or a sum.  The machine may run on between two of them. */
struct part {
    uint64_t addr, len, got;
    uint8_t *data;
};

static void read_part(struct gdb_job *j)
{
    struct part *p = (struct part *)(uintptr_t)j->a.p;

    p->got = peek(j, p->addr, p->data, p->len);
}

static void get_part(struct gdb_session *s, struct part *p)
{
    gdb_on_machine(s, read_part, (struct gdb_args){(const char *)(uintptr_t)p, 0});
}

static void search(struct gdb_session *s, uint64_t addr, uint64_t len, const void *what, size_t n)
{
    struct part p = {.data = xmalloc(CHUNK + n)};
    const uint8_t *found = NULL;

    while (len >= n && !found) {
        uint64_t want = len < CHUNK ? len : CHUNK;

        p.addr = addr;
        p.len = want + n - 1 < len ? want + n - 1 : len;
        get_part(s, &p);
        found = memmem(p.data, p.got, what, n);
        if (found)
            addr += (uint64_t)(found - p.data);
        else if (p.got < p.len)
            break;
        else {
            addr += want;
            len -= want;
        }
    }
    free(p.data);
    if (found)
        buf_fmt(&s->reply, "1,%llx", (unsigned long long)addr);
    else
        buf_str(&s->reply, "0");
}

/* False, and an error is sent: that is more than one may ask for at once. */
static bool may_walk(struct gdb_session *s, const char *packet, uint64_t len)
{
    char text[80];

    if (len <= WALK_MAX)
        return true;
    snprintf(text, sizeof text, "%s: more than %llu bytes at once", packet,
             (unsigned long long)WALK_MAX);
    gdb_error(s, E2BIG, text);
    return false;
}

void gdb_search(struct gdb_session *s, struct gdb_args a)
{
    const char *start = a.p;
    uint64_t addr, len;

    if (!gdb_hex_then(&a.p, ';', &addr) || !gdb_hex_then(&a.p, ';', &len) ||
        a.len == (size_t)(a.p - start))
        gdb_error(s, EINVAL, "qSearch:memory: not like ADDRESS;LENGTH;BYTES");
    else if (may_walk(s, "qSearch:memory", len))
        search(s, addr, len, a.p, a.len - (size_t)(a.p - start));
}

/* GDB manual, "qCRC": polynomial 0x04c11db7, high bit first, from all ones.  What each byte makes of a
 * sum: */
static void crc_table(uint32_t table[256])
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t sum = byte << 24;

        for (unsigned i = 0; i < 8; i++)
            sum = sum << 1 ^ (sum >> 31 ? UINT32_C(0x04c11db7) : 0);
        table[byte] = sum;
    }
}

static uint32_t crc(const uint32_t table[256], uint32_t sum, const uint8_t *data, size_t len)
{
    while (len--)
        sum = sum << 8 ^ table[sum >> 24 ^ *data++];
    return sum;
}

void gdb_crc(struct gdb_session *s, struct gdb_args a)
{
    struct part p = {0};
    uint32_t table[256], sum = UINT32_MAX;
    uint64_t len;

    if (!gdb_hex_then(&a.p, ',', &p.addr) || !gdb_hex(&a.p, &len)) {
        gdb_error(s, EINVAL, "qCRC: not like ADDRESS,LENGTH");
        return;
    }
    if (!may_walk(s, "qCRC", len))
        return;
    crc_table(table);
    p.data = xmalloc(CHUNK);
    while (len) {
        p.len = len < CHUNK ? len : CHUNK;
        get_part(s, &p);
        if (p.got < p.len)
            break;
        sum = crc(table, sum, p.data, p.len);
        p.addr += p.len;
        len -= p.len;
    }
    free(p.data);
    if (len)
        gdb_error(s, EFAULT, "not all of that is memory");
    else
        buf_fmt(&s->reply, "C%08x", sum);
}

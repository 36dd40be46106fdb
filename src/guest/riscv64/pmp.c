/*
 * pmp.c - physical memory protection (priv 3.7): 16 entries, grain 4 bytes.
 */
#include "guest/riscv64/priv.h"

static_assert(RV_PMP_R == 1 << TLB_READ && RV_PMP_W == 1 << TLB_WRITE && RV_PMP_X == 1 << TLB_EXEC,
              "an entry's permissions are a set of accesses");
#define ALL (RV_PMP_R | RV_PMP_W | RV_PMP_X)

static unsigned kind(const struct rv_cpu *h, unsigned i)
{
    return h->pmp_cfg[i] >> RV_PMP_A_LO & 3;
}

/* NAPOT: the lowest 0 of the address tells the size; 8 bytes if that is bit 0. */
static void napot(uint64_t addr, uint64_t *first, uint64_t *last)
{
    uint64_t low = addr ^ (addr + 1); /* the trailing ones and the 0 above */
    *first = (addr & ~low) << 2;
    *last = *first + (low << 2 | 3);
}

/* The bytes that entry i matches. */
static void range(const struct rv_cpu *h, unsigned i, uint64_t *first, uint64_t *last)
{
    uint64_t addr = h->pmp_addr[i], below = i ? h->pmp_addr[i - 1] : 0;

    *first = 1, *last = 0;
    switch (kind(h, i)) {
    case RV_PMP_TOR:
        if (below < addr) {
            *first = below << 2;
            *last = (addr << 2) - 1;
        }
        break;
    case RV_PMP_NA4:
        *first = addr << 2;
        *last = *first + 3;
        break;
    case RV_PMP_NAPOT:
        napot(addr, first, last);
        break;
    }
}

void rv_pmp_update(struct rv_cpu *h)
{
    h->pmp_used = 0;
    for (unsigned i = 0; i < RV_PMP_ENTRIES; i++) {
        range(h, i, &h->pmp_first[i], &h->pmp_last[i]);
        if (h->pmp_first[i] <= h->pmp_last[i])
            h->pmp_used = (uint8_t)(i + 1);
    }
    tlb_flush_all(&h->cpu.tlb);
}

/* What an entry that matches all of an access grants: M is bound by locked ones only. */
static unsigned granted(const struct rv_cpu *h, unsigned i, unsigned priv)
{
    return priv == RV_M && !(h->pmp_cfg[i] & RV_PMP_L) ? ALL : h->pmp_cfg[i] & ALL;
}

unsigned rv_pmp_mask(const struct rv_cpu *h, uint64_t paddr, uint64_t len, unsigned priv,
                     bool *whole)
{
    uint64_t end = paddr + (len - 1), page = paddr & ~MEM_PAGE_MASK, page_end = end | MEM_PAGE_MASK;

    *whole = true;
    for (unsigned i = 0; i < h->pmp_used; i++) {
        uint64_t first = h->pmp_first[i], last = h->pmp_last[i];
        if (first > last || last < page || first > page_end)
            continue;
        if (first > page || last < page_end)
            *whole = false;
        if (first <= paddr && end <= last)
            return granted(h, i, priv);
        if (first <= end && paddr <= last)
            return 0; /* it matches a part only */
    }
    return priv == RV_M ? ALL : 0;
}

bool rv_pmp_allows(const struct rv_cpu *h, uint64_t paddr, uint64_t len, enum tlb_access access,
                   unsigned priv, bool *whole)
{
    return rv_pmp_mask(h, paddr, len, priv, whole) >> access & 1;
}

/* ---- the registers ---- */

uint64_t rv_pmp_cfg_read(const struct rv_cpu *h, unsigned n)
{
    return bits_load_le(h->pmp_cfg + n * 4, 8);
}

/* Write without read is reserved: it becomes no access. */
static uint8_t legal(uint8_t cfg)
{
    cfg &= RV_PMP_L | 3 << RV_PMP_A_LO | ALL;
    return cfg & RV_PMP_R ? cfg : (uint8_t)(cfg & ~RV_PMP_W);
}

void rv_pmp_cfg_write(struct rv_cpu *h, unsigned n, uint64_t value)
{
    uint64_t old = rv_pmp_cfg_read(h, n);

    for (unsigned i = 0; i < 8; i++) {
        uint8_t *cfg = &h->pmp_cfg[n * 4 + i];
        if (!(*cfg & RV_PMP_L))
            *cfg = legal((uint8_t)(value >> (8 * i)));
    }
    if (rv_pmp_cfg_read(h, n) != old)
        rv_pmp_update(h);
}

/* A locked entry locks its address, and as TOR the one below, which it starts at. */
static bool is_locked(const struct rv_cpu *h, unsigned n)
{
    return h->pmp_cfg[n] & RV_PMP_L ||
           (n + 1 < RV_PMP_ENTRIES && h->pmp_cfg[n + 1] & RV_PMP_L && kind(h, n + 1) == RV_PMP_TOR);
}

void rv_pmp_addr_write(struct rv_cpu *h, unsigned n, uint64_t value)
{
    value &= bits_mask(54);
    if (is_locked(h, n) || value == h->pmp_addr[n])
        return;
    h->pmp_addr[n] = value;
    rv_pmp_update(h);
}

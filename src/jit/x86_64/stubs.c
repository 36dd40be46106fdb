/* stubs.c - the code that every block shares: in, out, slow paths. */
#include <immintrin.h>

#include "base/bits.h"
#include "jit/x86_64/emit.h"
#include "softfloat/softfloat.h"

static const uint8_t callee_saved[] = {RBP, RBX, R12, R13, R14, R15};
/* The frame keeps the stack aligned: six pushes and a return address are 56 bytes. */
#define FRAME_BYTES ((int32_t)(bits_align_up(sizeof(struct jit_frame), 16) + 8))

static void push(struct asm_buf *a, unsigned reg)
{
    if (reg >= 8)
        asm_u8(a, 0x41);
    asm_u8(a, 0x50 | (reg & 7));
}

static void pop(struct asm_buf *a, unsigned reg)
{
    if (reg >= 8)
        asm_u8(a, 0x41);
    asm_u8(a, 0x58 | (reg & 7));
}

static void ret(struct asm_buf *a)
{
    asm_u8(a, 0xc3);
}

static void stub_enter(const struct jit *j, struct asm_buf *a)
{
    for (unsigned i = 0; i < ARRAY_LEN(callee_saved); i++)
        push(a, callee_saved[i]);
    asm_alu_imm(a, W, ALU_SUB, RSP, FRAME_BYTES);
    asm_lea(a, W, REG_CPU, asm_at(RDI, j->layout.bias));
    asm_load64(a, REG_BUDGET, CPU_AT(j, budget));
    asm_rr(a, 0, 0xff, 4, RSI); /* jmp rsi */
}

/* Back to C; why is in eax. */
static void stub_leave(const struct jit *j, struct asm_buf *a)
{
    asm_store64(a, REG_BUDGET, CPU_AT(j, budget));
    asm_alu_imm(a, W, ALU_ADD, RSP, FRAME_BYTES);
    for (unsigned i = ARRAY_LEN(callee_saved); i-- > 0;)
        pop(a, callee_saved[i]);
    ret(a);
}

static void stub_left(struct asm_buf *a, enum jit_left why, const uint8_t *leave)
{
    asm_imm(a, RAX, why);
    asm_jmp_to(a, leave);
}

/* The frame's address is rsp + `above` inside a stub. */
static struct asm_mem gpr_mem(unsigned reg, int32_t above)
{
    return asm_at(RSP, above + (int32_t)(offsetof(struct jit_frame, gpr) + 8 * reg));
}

static struct asm_mem vec_mem(unsigned reg, int32_t above)
{
    return asm_at(RSP, above + (int32_t)(offsetof(struct jit_frame, vec) + 8 * reg));
}

static void save(struct asm_buf *a, uint32_t gprs, bool vec, int32_t above)
{
    for (uint32_t m = gprs; m; m &= m - 1)
        asm_store64(a, (unsigned)__builtin_ctz(m), gpr_mem((unsigned)__builtin_ctz(m), above));
    for (uint32_t m = vec ? VEC_REGS : 0; m; m &= m - 1) /* movsd */
        asm_rm(a, PF2 | M0F, 0x11, (unsigned)__builtin_ctz(m),
               vec_mem((unsigned)__builtin_ctz(m), above));
}

static void restore(struct asm_buf *a, bool vec, int32_t above)
{
    for (uint32_t m = INT_CLOBBERED; m; m &= m - 1)
        asm_load64(a, (unsigned)__builtin_ctz(m), gpr_mem((unsigned)__builtin_ctz(m), above));
    for (uint32_t m = vec ? VEC_REGS : 0; m; m &= m - 1)
        asm_rm(a, PF2 | M0F, 0x10, (unsigned)__builtin_ctz(m),
               vec_mem((unsigned)__builtin_ctz(m), above));
}

static void call_c(struct asm_buf *a, const void *fn)
{
    asm_imm(a, RAX, (uintptr_t)fn);
    asm_call_reg(a, RAX);
}

/*
 * rcx: address, rdx: site, rax: value of a store.  On the stack above the return
 * address is the frame; 24 bytes below it hold the loaded value and align.
 */
static void stub_slow(const struct jit *j, struct asm_buf *a, bool store, bool vec,
                      const uint8_t *leave)
{
    enum { LOCAL = 24, ABOVE = 8, VALUE = 8 };

    save(a, INT_REGS, vec, ABOVE);
    asm_store64(a, REG_BUDGET, CPU_AT(j, budget));
    asm_alu_imm(a, W, ALU_SUB, RSP, LOCAL);
    asm_lea(a, W, RDI, hx64_cpu(j, 0));
    asm_mov(a, W, RSI, RDX);
    asm_mov(a, W, RDX, RCX);
    if (store)
        asm_mov(a, W, RCX, RAX);
    else
        asm_lea(a, W, RCX, asm_at(RSP, VALUE));
    asm_lea(a, W, R8, asm_at(RSP, LOCAL + ABOVE));
    call_c(a, store ? (const void *)(uintptr_t)jit_slow_store
                    : (const void *)(uintptr_t)jit_slow_load);
    asm_rr(a, 0, 0x85, RAX, RAX);
    uint8_t *no = asm_jcc(a, CC_NE);
    asm_load64(a, RAX, asm_at(RSP, VALUE));
    asm_alu_imm(a, W, ALU_ADD, RSP, LOCAL);
    restore(a, vec, ABOVE);
    ret(a);
    asm_patch_here(a, no);
    asm_load64(a, REG_BUDGET, CPU_AT(j, budget));
    asm_alu_imm(a, W, ALU_ADD, RSP, LOCAL + ABOVE);
    stub_left(a, JIT_LEFT_ACCESS, leave);
}

/* rdx: struct jit_soft; operands in xmm0 to xmm2. */
static void stub_soft(const struct jit *j, struct asm_buf *a)
{
    enum { LOCAL = 8, ABOVE = 8 };

    save(a, INT_CLOBBERED, true, ABOVE);
    asm_alu_imm(a, W, ALU_SUB, RSP, LOCAL);
    asm_lea(a, W, RDI, hx64_cpu(j, 0));
    asm_mov(a, W, RSI, RDX);
    asm_rr(a, W | P66 | M0F, 0x7e, 0, RDX);
    asm_rr(a, W | P66 | M0F, 0x7e, 1, RCX);
    asm_rr(a, W | P66 | M0F, 0x7e, 2, R8);
    call_c(a, (const void *)(uintptr_t)jit_soft_fp);
    asm_alu_imm(a, W, ALU_ADD, RSP, LOCAL);
    restore(a, true, ABOVE);
    ret(a);
}

static void stub_fp_sync(const struct jit *j, struct asm_buf *a)
{
    enum { LOCAL = 8, ABOVE = 8 };

    save(a, INT_CLOBBERED, true, ABOVE);
    asm_alu_imm(a, W, ALU_SUB, RSP, LOCAL);
    asm_lea(a, W, RDI, hx64_cpu(j, 0));
    call_c(a, (const void *)(uintptr_t)hx64_fp_fold);
    asm_alu_imm(a, W, ALU_ADD, RSP, LOCAL);
    restore(a, true, ABOVE);
    ret(a);
}

size_t hx64_stubs(struct jit *j)
{
    struct asm_buf a = {
        .p = j->code.rw, .end = j->code.rw + 8192, .delta = j->code.rx - j->code.rw};
    const uint8_t *leave = a.p + a.delta;

    stub_leave(j, &a);
#define STUB(index, ...)                                                                           \
    do {                                                                                           \
        j->stubs[index] = a.p + a.delta;                                                           \
        j->stub_names[index] = #index;                                                             \
        __VA_ARGS__;                                                                               \
    } while (0)
    STUB(STUB_ENTER, stub_enter(j, &a));
    STUB(STUB_LEFT_GOTO, stub_left(&a, JIT_LEFT_GOTO, leave));
    STUB(STUB_LEFT_LOOP, stub_left(&a, JIT_LEFT_LOOP, leave));
    STUB(STUB_LEFT_STOP, stub_left(&a, JIT_LEFT_STOP, leave));
    STUB(STUB_LEFT_BUDGET, stub_left(&a, JIT_LEFT_BUDGET, leave));
    STUB(STUB_LOAD, stub_slow(j, &a, false, false, leave));
    STUB(STUB_LOAD_VEC, stub_slow(j, &a, false, true, leave));
    STUB(STUB_STORE, stub_slow(j, &a, true, false, leave));
    STUB(STUB_STORE_VEC, stub_slow(j, &a, true, true, leave));
    STUB(STUB_SOFT, stub_soft(j, &a));
    STUB(STUB_FP_SYNC, stub_fp_sync(j, &a));
#undef STUB
    return (size_t)(a.p - j->code.rw);
}

/* ---- MXCSR: Intel SDM volume 1, 10.2.3 ---- */

enum { MXCSR_MASKS = 0x1f80, MXCSR_FLAGS = 0x3f };

void hx64_fp_enter(unsigned rm)
{
    static const uint8_t rc[8] = {[SF_RNE] = 0, [SF_RTZ] = 3, [SF_RDN] = 1, [SF_RUP] = 2};
    _mm_setcsr(MXCSR_MASKS | (unsigned)rc[rm & 7] << 13);
}

unsigned hx64_fp_flags(void)
{
    unsigned m = _mm_getcsr();

    if (m & MXCSR_FLAGS)
        _mm_setcsr(m & ~(unsigned)MXCSR_FLAGS);
    return (m & 1 ? SF_NV : 0) | (m & 4 ? SF_DZ : 0) | (m & 8 ? SF_OF : 0) | (m & 16 ? SF_UF : 0) |
           (m & 32 ? SF_NX : 0);
}

void hx64_fp_leave(void)
{
    _mm_setcsr(MXCSR_MASKS);
}

void hx64_fp_fold(struct cpu *c)
{
    c->fp_flags |= (uint8_t)hx64_fp_flags();
}

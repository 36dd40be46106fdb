/*
 * softfloat.h - IEEE 754-2019 binary floating point with integers only.
 *
 * What every engine and every guest must agree with.  Operands and results are
 * bit patterns: binary32 in uint32_t, binary64 in uint64_t, binary16 in
 * uint16_t (conversions only).  No function touches the host's floating-point
 * unit or its control register, so results do not depend on the host.
 *
 * Everything outside the operands is in the caller's struct sf_env.  The
 * functions only ever set flag bits; clearing them is the caller's.  A zeroed
 * environment is RISC-V's after reset.  No other state: any thread.
 *
 * "RISC-V" below is The RISC-V Instruction Set Manual, Volume I: chapters "F",
 * "D", "Zfa" and "Zfh/Zfhmin".
 */
#ifndef SOFTFLOAT_SOFTFLOAT_H
#define SOFTFLOAT_SOFTFLOAT_H

#include <stdbool.h>
#include <stdint.h>

/* Rounding direction (IEEE 754 4.3), numbered as RISC-V's frm field (F, "Rounding
 * mode encoding").  The caller rejects 5 to 7; here they round to zero. */
enum sf_rm {
    SF_RNE = 0, /* to nearest, ties to even */
    SF_RTZ = 1, /* towards zero */
    SF_RDN = 2, /* down, towards -infinity */
    SF_RUP = 3, /* up, towards +infinity */
    SF_RMM = 4, /* to nearest, ties away from zero */
};

/* Exception flags (IEEE 754 section 7), at the bits of RISC-V's fflags. */
enum sf_flag {
    SF_NX = 1,  /* inexact */
    SF_UF = 2,  /* underflow: tiny and inexact */
    SF_OF = 4,  /* overflow */
    SF_DZ = 8,  /* division by zero */
    SF_NV = 16, /* invalid operation */
};

/* What a NaN result is, when operands are NaNs and when the operation is
 * invalid.  It concerns add, sub, mul, div, sqrt, fma, round and the conversions
 * between formats; NaNs in min, max, comparisons and conversions to integers are
 * always handled as RISC-V says.  Signalling operands raise NV under each. */
enum sf_nan {
    /* Always the default NaN: positive, quiet, payload 0 (RISC-V F, "NaN Generation
     * and Propagation"). */
    SF_NAN_RISCV = 0,
    /* The first signalling operand, else the first quiet one, quieted; fma's addend
     * comes first (Arm ARM, shared pseudocode FPProcessNaNs, FPProcessNaNs3), and
     * inf*0 + quiet NaN is the default NaN.  Default NaN as RISC-V's. */
    SF_NAN_ARM,
    /* The first NaN operand, quieted (Intel SDM vol. 1, 4.8.3.5, SSE column); inf*0
     * + quiet NaN is that NaN without NV.  The default NaN is negative. */
    SF_NAN_X86,
};

struct sf_env {
    uint8_t rm;       /* enum sf_rm */
    uint8_t flags;    /* enum sf_flag bits; sticky */
    uint8_t nan;      /* enum sf_nan */
    bool tiny_before; /* tininess is seen before rounding (Arm); else after (RISC-V, x86) */
};

/* The bits of the positive default NaN. */
#define SF_NAN16 UINT16_C(0x7e00)
#define SF_NAN32 UINT32_C(0x7fc00000)
#define SF_NAN64 UINT64_C(0x7ff8000000000000)

/* Arithmetic, correctly rounded (IEEE 754 5.4.1). */
uint32_t sf_add32(uint32_t a, uint32_t b, struct sf_env *env);
uint64_t sf_add64(uint64_t a, uint64_t b, struct sf_env *env);
uint32_t sf_sub32(uint32_t a, uint32_t b, struct sf_env *env);
uint64_t sf_sub64(uint64_t a, uint64_t b, struct sf_env *env);
uint32_t sf_mul32(uint32_t a, uint32_t b, struct sf_env *env);
uint64_t sf_mul64(uint64_t a, uint64_t b, struct sf_env *env);
uint32_t sf_div32(uint32_t a, uint32_t b, struct sf_env *env);
uint64_t sf_div64(uint64_t a, uint64_t b, struct sf_env *env);
uint32_t sf_sqrt32(uint32_t a, struct sf_env *env);
uint64_t sf_sqrt64(uint64_t a, struct sf_env *env);

/* a*b + c, rounded once.  For the other signs the caller flips the sign bit of
 * a or c first, as RISC-V's fmsub, fnmsub and fnmadd are defined.  inf*0 + NaN
 * raises NV (but see SF_NAN_X86). */
uint32_t sf_fma32(uint32_t a, uint32_t b, uint32_t c, struct sf_env *env);
uint64_t sf_fma64(uint64_t a, uint64_t b, uint64_t c, struct sf_env *env);

/* minimumNumber and maximumNumber (IEEE 754 9.6; RISC-V F 2.2 fmin, fmax): one
 * NaN gives the other operand, two the default NaN; -0 < +0.  A signalling NaN
 * raises NV. */
uint32_t sf_min32(uint32_t a, uint32_t b, struct sf_env *env);
uint64_t sf_min64(uint64_t a, uint64_t b, struct sf_env *env);
uint32_t sf_max32(uint32_t a, uint32_t b, struct sf_env *env);
uint64_t sf_max64(uint64_t a, uint64_t b, struct sf_env *env);

/* minimum and maximum (IEEE 754 9.6; Zfa fminm, fmaxm): as above, but any NaN
 * gives the default NaN. */
uint32_t sf_minm32(uint32_t a, uint32_t b, struct sf_env *env);
uint64_t sf_minm64(uint64_t a, uint64_t b, struct sf_env *env);
uint32_t sf_maxm32(uint32_t a, uint32_t b, struct sf_env *env);
uint64_t sf_maxm64(uint64_t a, uint64_t b, struct sf_env *env);

/* Comparisons (IEEE 754 5.11); false when either is a NaN.  eq and the quiet
 * ones (Zfa fltq, fleq) raise NV for a signalling NaN, lt and le for any. */
bool sf_eq32(uint32_t a, uint32_t b, struct sf_env *env);
bool sf_eq64(uint64_t a, uint64_t b, struct sf_env *env);
bool sf_lt32(uint32_t a, uint32_t b, struct sf_env *env);
bool sf_lt64(uint64_t a, uint64_t b, struct sf_env *env);
bool sf_le32(uint32_t a, uint32_t b, struct sf_env *env);
bool sf_le64(uint64_t a, uint64_t b, struct sf_env *env);
bool sf_lt_quiet32(uint32_t a, uint32_t b, struct sf_env *env);
bool sf_lt_quiet64(uint64_t a, uint64_t b, struct sf_env *env);
bool sf_le_quiet32(uint32_t a, uint32_t b, struct sf_env *env);
bool sf_le_quiet64(uint64_t a, uint64_t b, struct sf_env *env);

/* RISC-V F, "Format of result of FCLASS instruction": exactly one bit.  No flags. */
enum sf_class {
    SF_CLASS_NEG_INF = 1 << 0,
    SF_CLASS_NEG_NORMAL = 1 << 1,
    SF_CLASS_NEG_SUBNORMAL = 1 << 2,
    SF_CLASS_NEG_ZERO = 1 << 3,
    SF_CLASS_POS_ZERO = 1 << 4,
    SF_CLASS_POS_SUBNORMAL = 1 << 5,
    SF_CLASS_POS_NORMAL = 1 << 6,
    SF_CLASS_POS_INF = 1 << 7,
    SF_CLASS_SNAN = 1 << 8,
    SF_CLASS_QNAN = 1 << 9,
};
uint32_t sf_class32(uint32_t a);
uint32_t sf_class64(uint64_t a);

/* Between formats (IEEE 754 5.4.2). */
uint64_t sf_f32_to_f64(uint32_t a, struct sf_env *env);
uint32_t sf_f64_to_f32(uint64_t a, struct sf_env *env);
uint32_t sf_f16_to_f32(uint16_t a, struct sf_env *env);
uint64_t sf_f16_to_f64(uint16_t a, struct sf_env *env);
uint16_t sf_f32_to_f16(uint32_t a, struct sf_env *env);
uint16_t sf_f64_to_f16(uint64_t a, struct sf_env *env);

/* To integers, rounded by env->rm (RISC-V F, "Domains of float-to-integer
 * conversions"): out of range is the nearest end of the range, NaN the upper
 * end, both with NV alone; else NX when the value changed. */
int32_t sf_f32_to_i32(uint32_t a, struct sf_env *env);
int32_t sf_f64_to_i32(uint64_t a, struct sf_env *env);
uint32_t sf_f32_to_u32(uint32_t a, struct sf_env *env);
uint32_t sf_f64_to_u32(uint64_t a, struct sf_env *env);
int64_t sf_f32_to_i64(uint32_t a, struct sf_env *env);
int64_t sf_f64_to_i64(uint64_t a, struct sf_env *env);
uint64_t sf_f32_to_u64(uint32_t a, struct sf_env *env);
uint64_t sf_f64_to_u64(uint64_t a, struct sf_env *env);

/* Zfa fcvtmod.w.d: the integer part of a (rounded to zero whatever env->rm),
 * modulo 2^32, as a signed number; infinities and NaNs give 0.  The flags are
 * those of sf_f64_to_i32 in SF_RTZ. */
int32_t sf_f64_to_i32_mod(uint64_t a, struct sf_env *env);

/* From integers, rounded by env->rm. */
uint32_t sf_i32_to_f32(int32_t v, struct sf_env *env);
uint64_t sf_i32_to_f64(int32_t v, struct sf_env *env);
uint32_t sf_u32_to_f32(uint32_t v, struct sf_env *env);
uint64_t sf_u32_to_f64(uint32_t v, struct sf_env *env);
uint32_t sf_i64_to_f32(int64_t v, struct sf_env *env);
uint64_t sf_i64_to_f64(int64_t v, struct sf_env *env);
uint32_t sf_u64_to_f32(uint64_t v, struct sf_env *env);
uint64_t sf_u64_to_f64(uint64_t v, struct sf_env *env);

/* To an integral value in the same format, zero keeping the sign of a (IEEE 754
 * 5.9).  round never raises NX (Zfa fround); roundnx does (Zfa froundnx). */
uint32_t sf_round32(uint32_t a, struct sf_env *env);
uint64_t sf_round64(uint64_t a, struct sf_env *env);
uint32_t sf_roundnx32(uint32_t a, struct sf_env *env);
uint64_t sf_roundnx64(uint64_t a, struct sf_env *env);

#endif

/*
 * csr_list.h - for those who expand csr.def: its families of registers, and the
 * order of its rows.
 */
#ifndef GUEST_RISCV64_CSR_LIST_H
#define GUEST_RISCV64_CSR_LIST_H

#include "guest/riscv64/riscv64.h"

/* clang-format off */
#define RV_EACH_HPM(X)                                                                             \
    X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18)       \
    X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#define RV_EACH_PMP(X)                                                                             \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
/* clang-format on */

enum rv_csr_row {
#define RV_CSR(addr, name, ext, need, get, set, ends, fields, doc) RV_CSR_ROW_##name,
#define RV_CSR_PLAIN(addr, name, mask, fields, doc)                RV_CSR_ROW_##name,
#include "guest/riscv64/csr.def"
#undef RV_CSR
#undef RV_CSR_PLAIN
    RV_CSR_ROWS
};

/* The register table: slots, x0, priv, CSRs. */
enum {
    RV_REG_X0 = RV_SLOT_COUNT,
    RV_REG_PRIV,
    RV_REG_CSR,
    RV_REG_COUNT = RV_REG_CSR + RV_CSR_ROWS
};

#endif

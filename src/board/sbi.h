/*
 * sbi.h - the built-in firmware's calls, among sbi*.c.
 *
 * RISC-V Supervisor Binary Interface Specification, version 2.0.  The firmware runs
 * outside the guest: a call takes no instructions of the hart, and is carried out as
 * a whole at the count of its ecall.
 */
#ifndef BOARD_SBI_H
#define BOARD_SBI_H

#include "board/virt.h"

/* Chapter 3 */
enum {
    SBI_SUCCESS = 0,
    SBI_FAILED = -1,
    SBI_NOT_SUPPORTED = -2,
    SBI_INVALID_PARAM = -3,
    SBI_INVALID_ADDRESS = -5,
    SBI_ALREADY_AVAILABLE = -6,
    SBI_ALREADY_STARTED = -7,
    SBI_ALREADY_STOPPED = -8,
};

struct sbi_args {
    struct board *board;
    struct board_hart *hart; /* the caller */
    uint64_t function;
    uint64_t a[5];  /* a0 to a4 */
    uint64_t value; /* the result's second half; 0 unless set */
    bool gone;      /* the call does not return: the hart's registers stay */
};

/* The functions of extensions; the result is an SBI error. */
int64_t sbi_pmu(struct sbi_args *c);
int64_t sbi_dbcn(struct sbi_args *c);
int64_t sbi_hsm(struct sbi_args *c);

void sbi_pmu_reset(struct board_hart *h);

#endif

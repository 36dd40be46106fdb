/* vm.c - a bytecode interpreter with 16 registers and a switch. */
#include "bench.h"

enum op { LI, MOVE, ADD, SUB, MUL, AND, XOR, SHIFT, LESS, JUMP, JUMP_IF, STORE, LOAD, HALT };

struct code {
    uint8_t op, a, b, c;
    int32_t value; /* LI, SHIFT; jumps: index of the target */
};

/* For i from r1 while less than r2: r0 += the length of i's Collatz sequence, which is also
 * remembered in memory[i & 63] and added to r9 from there. */
static const struct code collatz[] = {
    {LI, 0, 0, 0, 0},
    {LI, 3, 0, 0, 1},
    {LI, 9, 0, 0, 0},
    {LI, 10, 0, 0, 3},
    {LI, 11, 0, 0, 63},
    /* 5: the next number */
    {MOVE, 4, 1, 0, 0},
    {LI, 5, 0, 0, 0},
    /* 7: the next of its sequence */
    {LESS, 6, 3, 4, 0},
    {JUMP_IF, 6, 0, 0, 10},
    {JUMP, 0, 0, 0, 18},
    /* 10 */
    {ADD, 5, 5, 3, 0},
    {AND, 6, 4, 3, 0},
    {JUMP_IF, 6, 0, 0, 15},
    {SHIFT, 4, 4, 0, 1},
    {JUMP, 0, 0, 0, 7},
    /* 15: odd */
    {MUL, 4, 4, 10, 0},
    {ADD, 4, 4, 3, 0},
    {JUMP, 0, 0, 0, 7},
    /* 18: at 1 */
    {ADD, 0, 0, 5, 0},
    {AND, 7, 1, 11, 0},
    {STORE, 5, 7, 0, 0},
    {XOR, 8, 7, 3, 0},
    {LOAD, 8, 8, 0, 0},
    {ADD, 9, 9, 8, 0},
    {ADD, 1, 1, 3, 0},
    {LESS, 6, 1, 2, 0},
    {JUMP_IF, 6, 0, 0, 5},
    {SUB, 0, 0, 9, 0},
    {HALT, 0, 0, 0, 0},
};

static uint64_t interpret(const struct code *code, uint64_t *r, uint64_t memory[64])
{
    const struct code *pc = code;

    for (;;) {
        const struct code *i = pc++;
        switch ((enum op)i->op) {
        case LI:
            r[i->a] = (uint64_t)(int64_t)i->value;
            break;
        case MOVE:
            r[i->a] = r[i->b];
            break;
        case ADD:
            r[i->a] = r[i->b] + r[i->c];
            break;
        case SUB:
            r[i->a] = r[i->b] - r[i->c];
            break;
        case MUL:
            r[i->a] = r[i->b] * r[i->c];
            break;
        case AND:
            r[i->a] = r[i->b] & r[i->c];
            break;
        case XOR:
            r[i->a] = r[i->b] ^ r[i->c];
            break;
        case SHIFT:
            r[i->a] = r[i->b] >> i->value;
            break;
        case LESS:
            r[i->a] = r[i->b] < r[i->c];
            break;
        case JUMP:
            pc = code + i->value;
            break;
        case JUMP_IF:
            if (r[i->a])
                pc = code + i->value;
            break;
        case STORE:
            memory[r[i->b] & 63] = r[i->a];
            break;
        case LOAD:
            r[i->a] = memory[r[i->b] & 63];
            break;
        case HALT:
            return r[0];
        }
    }
}

uint64_t bench_vm(unsigned long n)
{
    uint64_t r[16] = {0}, memory[64] = {0};

    r[1] = 1;
    r[2] = n + 1;
    bench_start();
    uint64_t result = interpret(collatz, r, memory);
    bench_end();
    return bench_mix(result, r[9]);
}

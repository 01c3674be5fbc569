/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "bpfsim.h"

#include <stddef.h>
#include <string.h>

static bool is_conditional_jump(uint16_t op)
{
	switch (op) {
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_K: return true;
	default: return false;
	}
}

static bool jump_holds(const struct sock_filter *insn, uint32_t a)
{
	switch (BPF_OP(insn->code)) {
	case BPF_JEQ: return a == insn->k;
	case BPF_JGT: return a > insn->k;
	case BPF_JGE: return a >= insn->k;
	default: return (a & insn->k) != 0;
	}
}

const char *bpfsim_check(const struct sock_fprog *program)
{
	if (program->len == 0 || program->len > BPF_MAXINSNS)
		return "length";
	if (program->filter[program->len - 1].code != (BPF_RET | BPF_K))
		return "the last instruction is not a return";
	for (size_t pc = 0; pc < program->len; pc++) {
		const struct sock_filter *insn = &program->filter[pc];
		size_t left = program->len - pc - 1;

		if (insn->code == (BPF_LD | BPF_W | BPF_ABS)) {
			if (insn->k % 4 != 0 || insn->k > sizeof(struct seccomp_data) - 4)
				return "load out of bounds";
		} else if (insn->code == (BPF_JMP | BPF_JA)) {
			if (insn->k >= left)
				return "jump out of bounds";
		} else if (is_conditional_jump(insn->code)) {
			if (insn->jt >= left || insn->jf >= left)
				return "conditional jump out of bounds";
		} else if (insn->code != (BPF_RET | BPF_K)) {
			return "unknown instruction";
		}
	}
	return NULL;
}

struct bpfsim_result bpfsim_run(const struct sock_fprog *program, const struct seccomp_data *data)
{
	struct bpfsim_result result = { 0 };
	uint32_t a = 0;

	for (size_t pc = 0; pc < program->len; pc++) {
		const struct sock_filter *insn = &program->filter[pc];

		if (insn->code == (BPF_LD | BPF_W | BPF_ABS)) {
			if (insn->k > sizeof(*data) - sizeof(a)) {
				result.error = "load out of bounds";
				return result;
			}
			if (insn->k >= offsetof(struct seccomp_data, instruction_pointer))
				result.read_args = true;
			memcpy(&a, (const char *)data + insn->k, sizeof(a));
		} else if (insn->code == (BPF_JMP | BPF_JA)) {
			pc += insn->k;
		} else if (is_conditional_jump(insn->code)) {
			pc += jump_holds(insn, a) ? insn->jt : insn->jf;
		} else if (insn->code == (BPF_RET | BPF_K)) {
			result.action = insn->k;
			return result;
		} else {
			result.error = "unknown instruction";
			return result;
		}
	}
	result.error = "ran off the end";
	return result;
}

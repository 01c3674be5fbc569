/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nothing - the smallest program: ends at once, or waits when it has an argument.
 * Static and without a C library, so that its exec is the kernel's work alone.
 */
#include <sys/syscall.h>

__attribute__((used, noreturn)) static void begin(const long *stack)
{
	long r;

	/* argc is the first word of the stack */
	while (stack[0] > 1)
		__asm__ volatile("syscall"
				 : "=a"(r)
				 : "0"((long)SYS_pause)
				 : "rcx", "r11", "memory");
	__asm__ volatile("syscall" : "=a"(r) : "0"((long)SYS_exit), "D"(0L) : "rcx", "r11");
	__builtin_unreachable();
}

__asm__(".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call begin\n");

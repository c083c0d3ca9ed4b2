/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's init as bytes in kpatch-test: one program to install, nothing to find at run time. */
	.section .rodata
	.globl	rk_guest_init
	.globl	rk_guest_init_end
	.balign	16
rk_guest_init:
	.incbin	GUEST_INIT
rk_guest_init_end:
	.byte	0
	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the macros of kpatch-macros.h speak to kpatch-build: each leaves a struct kpatch_mark in a section of the object,
 * which kpatch-build reads and doesn't put into the patch module. Shared by both sides, so only plain C.
 */
#ifndef KPATCH_MARKS_H
#define KPATCH_MARKS_H

#define KPATCH_MARKS_SECTION ".readykernel.marks"

/* The first four in the order of struct klp_callbacks. */
enum kpatch_mark_kind {
	KPATCH_MARK_PRE_PATCH,
	KPATCH_MARK_POST_PATCH,
	KPATCH_MARK_PRE_UNPATCH,
	KPATCH_MARK_POST_UNPATCH,
	KPATCH_MARK_IGNORE_SECTION,
	KPATCH_MARK_IGNORE_FUNCTION,
	KPATCH_MARK_FORCE_UNSAFE,
	KPATCH_MARK_STATE,
	KPATCH_MARK_SHADOW_ID,
	KPATCH_MARK_KINDS
};

struct kpatch_mark {
	unsigned int kind;    /* enum kpatch_mark_kind */
	unsigned int version; /* STATE */
	unsigned long id;     /* STATE, SHADOW_ID */
	const void *
		subject; /* callbacks: the function; IGNORE_* and FORCE_UNSAFE: a name; else NULL */
};

#endif

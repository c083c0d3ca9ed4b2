/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For authors of fixes: what a source patch can say to kpatch-build besides the change itself. kpatch-build gives this
 * header to the compiler of each patched unit; #include "kpatch-macros.h" is all a patch needs. See kpatch-macros(7).
 */
#ifndef KPATCH_MACROS_H
#define KPATCH_MACROS_H

#include <linux/compiler.h>
#include <linux/livepatch.h>
#include <linux/printk.h>
#include <linux/static_call.h>
#include <linux/types.h>

#include "kpatch-marks.h"

/* What callbacks are given: the kernel object that is patched or unpatched. */
typedef struct klp_object patch_object;

typedef int (*kpatch_pre_patch_call_t)(patch_object *obj);
typedef void (*kpatch_post_patch_call_t)(patch_object *obj);
typedef void (*kpatch_pre_unpatch_call_t)(patch_object *obj);
typedef void (*kpatch_post_unpatch_call_t)(patch_object *obj);

/* Patches write the macros with and without a semicolon. */
#define __KPATCH_MARK(name, ...)                                              \
	static const struct kpatch_mark __UNIQUE_ID(name) __used __aligned(8) \
		__section(KPATCH_MARKS_SECTION) = {__VA_ARGS__};

/* Only a function of the right type may be named; the check leaves nothing in the object. */
#define __KPATCH_CALLBACK(_kind, _type, _fn)                                  \
	_Static_assert(__builtin_types_compatible_p(__typeof__(&_fn), _type), \
		       #_fn " is not of the type that this callback has");    \
	__KPATCH_MARK(kpatch_callback, .kind = _kind, .subject = _fn)

/* Runs before functions of the object are redirected; an error refuses the patch, or the module that is being loaded. */
#define KPATCH_PRE_PATCH_CALLBACK(fn) \
	__KPATCH_CALLBACK(KPATCH_MARK_PRE_PATCH, kpatch_pre_patch_call_t, fn)
/* Runs when the object is patched and no task uses its old functions any more. */
#define KPATCH_POST_PATCH_CALLBACK(fn) \
	__KPATCH_CALLBACK(KPATCH_MARK_POST_PATCH, kpatch_post_patch_call_t, fn)
/* Runs before the object goes back to its old functions. */
#define KPATCH_PRE_UNPATCH_CALLBACK(fn) \
	__KPATCH_CALLBACK(KPATCH_MARK_PRE_UNPATCH, kpatch_pre_unpatch_call_t, fn)
/* Runs when no task uses the new functions any more, and when the patch could not be applied after pre_patch. */
#define KPATCH_POST_UNPATCH_CALLBACK(fn) \
	__KPATCH_CALLBACK(KPATCH_MARK_POST_UNPATCH, kpatch_post_unpatch_call_t, fn)

/* Changes of variables in this section, and of what it registers, don't matter. */
#define KPATCH_IGNORE_SECTION(name) \
	__KPATCH_MARK(kpatch_ignore, .kind = KPATCH_MARK_IGNORE_SECTION, .subject = (name))

/* The running kernel's fn is kept, however the compiler changed it. */
#define KPATCH_IGNORE_FUNCTION(fn)                                            \
	_Static_assert(sizeof(&fn) == sizeof(void *), #fn " is no function"); \
	__KPATCH_MARK(kpatch_ignore, .kind = KPATCH_MARK_IGNORE_FUNCTION, .subject = #fn)

/* Has no effect: livepatch redirects a function per task, and waits for those that sleep in it. */
#define KPATCH_FORCE_UNSAFE(fn)                                               \
	_Static_assert(sizeof(&fn) == sizeof(void *), #fn " is no function"); \
	__KPATCH_MARK(kpatch_force, .kind = KPATCH_MARK_FORCE_UNSAFE, .subject = #fn)

/* A livepatch state (struct klp_state). A patch that replaces this one must have it too, in this version or a later one. */
#define KPATCH_STATE(_id, _version)                          \
	_Static_assert((_id) != 0, "a state's id is not 0"); \
	__KPATCH_MARK(kpatch_state, .kind = KPATCH_MARK_STATE, .id = (_id), .version = (_version))

/* Names the id of a shadow variable (klp_shadow_alloc()) for the manifest: what replaces the patch must know it. */
#define KPATCH_SHADOW_ID(_id) \
	__KPATCH_MARK(kpatch_shadow, .kind = KPATCH_MARK_SHADOW_ID, .id = (_id))

/* This patch, for klp_get_state(). */
extern struct klp_patch rk_patch;
#define KPATCH_PATCH (&rk_patch)

/*
 * printk() is __cold: a call makes the compiler move code of the function out of line. These are not, so that a message put in
 * to find a fault changes as little as possible.
 */
#ifdef printk
#define __KPATCH_PRINTK_SYMBOL		"_printk"
#define __KPATCH_PRINTK_DEFERRED_SYMBOL "_printk_deferred"
#else
#define __KPATCH_PRINTK_SYMBOL		"printk"
#define __KPATCH_PRINTK_DEFERRED_SYMBOL "printk_deferred"
#endif
extern __printf(1, 2) int kpatch_warm_printk(const char *fmt, ...) __asm__(__KPATCH_PRINTK_SYMBOL);
extern __printf(1, 2) int kpatch_warm_printk_deferred(const char *fmt,
						      ...) __asm__(__KPATCH_PRINTK_DEFERRED_SYMBOL);
#define KPATCH_PRINTK(fmt, ...)		 kpatch_warm_printk(fmt, ##__VA_ARGS__)
#define KPATCH_PRINTK_DEFERRED(fmt, ...) kpatch_warm_printk_deferred(fmt, ##__VA_ARGS__)

/* static_call(name) through the key; not for a key that holds no function. */
#define KPATCH_STATIC_CALL(name) \
	((__typeof__(STATIC_CALL_TRAMP(name)) *)READ_ONCE(STATIC_CALL_KEY(name).func))

/* The names that patches for newer kernels use. */
#ifndef KLP_PRE_PATCH_CALLBACK
#define KLP_PRE_PATCH_CALLBACK(fn)    KPATCH_PRE_PATCH_CALLBACK(fn)
#define KLP_POST_PATCH_CALLBACK(fn)   KPATCH_POST_PATCH_CALLBACK(fn)
#define KLP_PRE_UNPATCH_CALLBACK(fn)  KPATCH_PRE_UNPATCH_CALLBACK(fn)
#define KLP_POST_UNPATCH_CALLBACK(fn) KPATCH_POST_UNPATCH_CALLBACK(fn)
#endif
#ifndef KLP_STATIC_CALL
#define KLP_STATIC_CALL(name) KPATCH_STATIC_CALL(name)
#endif

#endif

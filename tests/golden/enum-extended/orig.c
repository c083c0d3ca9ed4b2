/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A value added at the end of an enumeration changes nothing that exists.
 * flags: -g
 */
#include "kernel.h"

enum state {
	IDLE,
	BUSY,
};
enum state entry(enum state state)
{
	return state == IDLE ? BUSY : IDLE;
}

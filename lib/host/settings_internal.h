/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reader and writer of the configuration share: a line taken apart, a value of a kind. */
#ifndef RK_HOST_SETTINGS_INTERNAL_H
#define RK_HOST_SETTINGS_INTERNAL_H

#include "lib/host/settings.h"

/* Takes a line (without its newline, changed in place) apart; *ret_key is NULL for one that says nothing. RK_ERR_FORMAT. */
struct rk_err *rk_settings_split(char *line, char **ret_key, char **ret_value) __must_use;

/* Sets the key's member of settings from text. RK_ERR_FORMAT: "'channel' is 'fast', not one of test, early, stable". */
struct rk_err *rk_settings_assign(struct rk_settings *settings, const struct rk_settings_key *key,
				  const char *text) __must_use;

#endif

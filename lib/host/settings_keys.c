/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of /etc/readykernel.conf: one table for reader, writer, page and completion. */
#include <limits.h>
#include <stddef.h>

#include "lib/base/str.h"
#include "lib/host/settings.h"

#define DAY 86400u
#define KEY(member, text, value_name, what, low, high, about)                               \
	{                                                                                   \
		.name = #member, .fallback = text, .value = value_name, .summary = about,   \
		.kind = RK_SETTINGS_##what, .offset = offsetof(struct rk_settings, member), \
		.minimum = low, .maximum = high                                             \
	}

const struct rk_settings_key rk_settings_keys[] = {
	KEY(repository, "", "URL", URL, 0, 0, "where levels come from"),
	KEY(channel, "stable", "test|early|stable", CHOICE, 0, 0, "which levels this host takes"),
	KEY(autoupdate, "yes", "yes|no", BOOL, 0, 0, "the timer fetches and loads new levels"),
	KEY(autoupdate_hour, "any", "HOUR", HOUR, 0, 23, "the hour in which it does"),
	KEY(spread, "1h", "SECONDS", SECONDS, 0, DAY,
	    "updates start after a random time up to this"),
	KEY(autoload, "yes", "yes|no", BOOL, 0, 0, "levels are loaded at boot and after an update"),
	KEY(unsigned_modules, "allow", "allow|refuse", CHOICE, 0, 0,
	    "modules that carry no signature for the kernel"),
	KEY(transition_wait, "15", "SECONDS", SECONDS, 1, 3600,
	    "until tasks that hold a transition up are signalled"),
	KEY(transition_limit, "1m", "SECONDS", SECONDS, 1, 3600,
	    "after that until the load is taken back"),
	KEY(quiet_time, "1m", "SECONDS", SECONDS, 0, DAY,
	    "a new level is watched before it counts as good"),
	KEY(crash_window, "10m", "SECONDS", SECONDS, 0, DAY,
	    "a host that goes down so soon after a load blocks the level"),
	KEY(crash_limit, "3", "NUMBER", NUMBER, 0, 100,
	    "boots in a row without a shutdown after which the level is blocked; 0: never"),
	KEY(on_warning, "rollback", "rollback|keep", CHOICE, 0, 0,
	    "when the kernel log names the patch in an oops or a warning"),
	KEY(keep_levels, "3", "NUMBER", NUMBER, 1, 100,
	    "levels kept for a kernel besides the loaded one"),
	KEY(proxy, "", "URL", URL, 0, 0, "proxy for all requests"),
	KEY(connect_timeout, "30", "SECONDS", SECONDS, 1, 3600,
	    "until a server must have answered"),
	KEY(fetch_timeout, "10m", "SECONDS", SECONDS, 1, DAY, "until one file must have come"),
	KEY(minimum_speed, "1K", "BYTES", BYTES, 0, UINT32_MAX,
	    "bytes a second, else a request is given up"),
	KEY(metadata_limit, "4M", "BYTES", BYTES, 4096, RK_RELEASE_SIZE_MAX,
	    "size of one file of metadata"),
	KEY(module_limit, "64M", "BYTES", BYTES, 4096, RK_PATCH_SIZE_MAX, "size of one module"),
	KEY(metrics_file, "/var/lib/prometheus/node-exporter/readykernel.prom", "PATH", PATH, 0, 0,
	    "metrics for node_exporter, written when the directory exists"),
	KEY(report_url, "", "URL", URL, 0, 0, "where health pings are sent"),
	{},
};

const struct rk_settings_key *rk_settings_find(const char *name)
{
	for (const struct rk_settings_key *key = rk_settings_keys; key->name; key++)
		if (rk_streq(key->name, name))
			return key;
	return NULL;
}

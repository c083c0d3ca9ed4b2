/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which keys the kernel takes modules by. Those of the machine's owner (MOK) are in .machine or in .platform, as the boot loader was told; Debian's
 * kernel looks for a module's signer in both (VERIFY_USE_SECONDARY_KEYRING, then VERIFY_USE_PLATFORM_KEYRING).
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/host/certificate.h"
#include "lib/host/doctor_internal.h"

/* How many keys a keyring holds, by the line of /proc/keys that ends in "NAME: 3" or "NAME: empty". */
static unsigned long nr_keys(const char *keys, const char *keyring)
{
	_cleanup_free_ char *name = rk_asprintf(" %s: ", keyring);
	const char *at = name ? strstr(keys, name) : NULL;

	return at ? strtoul(at + strlen(name), NULL, 10) : 0;
}

struct rk_err *rk_doctor_keyrings(struct rk_examination *x)
{
	const char *keys;
	bool enforced;

	RK_TRY(rk_doctor_is_enforced(x, &enforced));
	RK_TRY(rk_doctor_read(x, x->doctor->host->proc, "keys", &keys));
	if (!keys)
		return rk_doctor_say(x, enforced ? RK_HEALTH_WARN : RK_HEALTH_OK,
				     enforced ? "run this as root" : "",
				     "the kernel's keyrings can't be seen");
	unsigned long builtin = nr_keys(keys, ".builtin_trusted_keys"),
		      secondary = nr_keys(keys, ".secondary_trusted_keys"),
		      owner = nr_keys(keys, ".machine") + nr_keys(keys, ".platform");
	bool lacking = enforced && !owner;

	return rk_doctor_say(
		x, lacking ? RK_HEALTH_WARN : RK_HEALTH_OK,
		lacking ? "enrol the key of the levels with 'readykernel mok enroll'" : "",
		"keys the kernel knows: %lu built in, %lu secondary, %lu of the machine's "
		"owner",
		builtin, secondary, owner);
}

/* Whether /proc/keys lists the key: "<subject>: <id>: X509.rsa <end of the id> []". */
static struct rk_err *is_listed(const char *keys, const char *id, bool *ret)
{
	_cleanup_free_ char *text = rk_asprintf(": %s: X509", id);

	if (!text)
		return rk_err_nomem();
	*ret = strstr(keys, text) != NULL;
	return NULL;
}

struct rk_err *rk_doctor_certificate(struct rk_examination *x)
{
	_cleanup_free_ char *file = rk_asprintf("%s" RK_CERTIFICATE_FILE, x->doctor->host->root);
	char id[RK_CERTIFICATE_ID_SIZE];
	bool enforced, listed = false;
	const char *keys;

	if (!file)
		return rk_err_nomem();
	if (!rk_fs_exists(file))
		return rk_doctor_say(x, RK_HEALTH_OK, "",
				     "no certificate of who signs modules is there ('%s')", file);
	_cleanup_err_ struct rk_err *err = rk_certificate_key_id(file, id);
	if (err)
		return rk_doctor_say(x, RK_HEALTH_FAIL, "put the right one there", "%s",
				     rk_err_message(err));
	RK_TRY(rk_doctor_is_enforced(x, &enforced));
	RK_TRY(rk_doctor_read(x, x->doctor->host->proc, "keys", &keys));
	if (keys)
		RK_TRY(is_listed(keys, id, &listed));
	if (listed)
		return rk_doctor_say(x, RK_HEALTH_OK, "", "the kernel knows the key of '%s'", file);
	if (!enforced)
		return rk_doctor_say(x, RK_HEALTH_OK, "",
				     "the kernel doesn't list the key of '%s', and doesn't ask for "
				     "it",
				     file);
	return rk_doctor_say(x, RK_HEALTH_FAIL,
			     keys ? "enrol it with 'readykernel mok enroll', reboot, and confirm "
				    "at the console"
				  : "run this as root",
			     "the kernel doesn't list the key of '%s'", file);
}

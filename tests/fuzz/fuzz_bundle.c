/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bundles of any bytes: every entry that is listed has a name of ours and lies within the file, and can be read. */
#include <string.h>
#include <sys/mman.h>

#include "lib/trust/bundle.h"
#include "tests/fuzz/fuzz.h"

static void read_entry(struct rk_bundle *bundle, const struct rk_bundle_entry *entry, size_t size)
{
	struct rk_trust_source source = rk_bundle_source(bundle);
	_cleanup_free_ char *bytes = NULL;
	size_t len;

	if (!rk_is_repository_name(entry->name) || entry->offset > size ||
	    entry->length > size - entry->offset)
		abort();
	_cleanup_err_ struct rk_err *err =
		source.get(source.ctx, entry->name, entry->length, &bytes, &len);
	if (err || len != entry->length)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("bundle", MFD_CLOEXEC);
	struct rk_bundle *bundle;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	_cleanup_err_ struct rk_err *err = rk_bundle_open(fd, "input", &bundle);
	if (err)
		return 0;
	for (size_t i = 0; i < rk_bundle_nr_entries(bundle); i++)
		read_entry(bundle, rk_bundle_entry(bundle, i), size);
	rk_bundle_free(bundle);
	return 0;
}
